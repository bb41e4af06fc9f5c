// The hole syntax: whatever the bytes, segments or a ConfigError; and what was parsed, written out
// again, parses to the same.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "aios/engine.h"
#include "aios/error.h"

namespace {

std::string write(const std::vector<aios::InfillSegment>& segments) {
  std::string text;
  for (const aios::InfillSegment& segment : segments) {
    if (segment.max_tokens > 0) {
      text += "[[" + std::to_string(segment.min_tokens) + "-" + std::to_string(segment.max_tokens) +
              "]]";
      continue;
    }
    for (std::size_t i = 0; i < segment.text.size(); ++i) {
      const bool pair = segment.text.compare(i, 2, "[[") == 0;
      text += pair ? "[[[[" : segment.text.substr(i, 1);
      if (pair) ++i;
    }
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<aios::InfillSegment> segments;
  try {
    segments = aios::parse_holes(text);
  } catch (const aios::ConfigError&) {
    return 0;
  }
  const auto again = aios::parse_holes(write(segments));
  if (again.size() != segments.size()) std::abort();
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (again[i].text != segments[i].text || again[i].min_tokens != segments[i].min_tokens ||
        again[i].max_tokens != segments[i].max_tokens) {
      std::abort();
    }
  }
  return 0;
}
