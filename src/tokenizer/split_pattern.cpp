#include "tokenizer/split_pattern.h"

#include "tokenizer/json_node.h"

namespace aios::tokenizer {

SplitPattern read_split_pattern(const JsonNode& json) {
  SplitPattern pattern(read_pattern(json));
  if (const auto expression = json.find("Regex"); expression && !json.find("String")) {
    pattern.scan_ = find_scanner(expression->as_string());
  }
  return pattern;
}

}  // namespace aios::tokenizer
