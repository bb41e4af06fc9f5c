#include "tokenizer/working_text.h"

#include <limits>
#include <string>

#include "aios/error.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {

void WorkingText::reset(std::string_view original) {
  original_ = original;
  view_ = AlignedView(original, uint32_t{0});
  check_size();
  pieces_.clear();
  if (!original.empty()) pieces_.push_back({{0, static_cast<uint32_t>(original.size())}});
}

Span WorkingText::original(Span span) const noexcept {
  if (span.begin == span.end) return span;
  const uint32_t begin = start_of(view_.origin(span.begin));
  const Origin last = view_.origin(span.end - 1);
  if ((last & kNoWidth) != 0) return {begin, start_of(last)};
  return {begin, last + utf8_size(original_[last])};
}

void WorkingText::check_size() const {
  // Positions are 32 bits wide, and one rewrite may triple a character before this is checked.
  constexpr std::size_t kLimit = std::numeric_limits<uint32_t>::max() / 8;
  if (view_.text().size() > kLimit) {
    throw TokenizerError("the text has " + std::to_string(view_.text().size()) +
                         " bytes; at most " + std::to_string(kLimit) +
                         " are tokenized at once: split it into smaller parts");
  }
}

}  // namespace aios::tokenizer
