#include "tokenizer/split_pattern.h"

#include "tokenizer/json_node.h"

namespace aios::tokenizer {

SplitPattern read_split_pattern(const JsonNode& json) {
  if (const auto expression = json.find("Regex"); expression && !json.find("String")) {
    const SplitScanner scan = find_scanner(expression->as_string());
    if (scan != nullptr) return SplitPattern(scan);
  }
  return SplitPattern(read_pattern(json));
}

}  // namespace aios::tokenizer
