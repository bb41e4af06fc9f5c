#include "tokenizer/aligned_text.h"

#include <algorithm>
#include <utility>

#include "tokenizer/utf8.h"

namespace aios::tokenizer {

Origin AlignedView::origin(std::size_t at) const noexcept {
  if (origins_ != nullptr) return origins_[at];
  while (at > 0 && is_continuation(text_[at])) --at;
  return start_ + static_cast<uint32_t>(at);
}

AlignedView AlignedView::part(Span span) const noexcept {
  const std::string_view text = text_.substr(span.begin, span.end - span.begin);
  return origins_ == nullptr ? AlignedView(text, start_ + span.begin)
                             : AlignedView(text, origins_ + span.begin);
}

void AlignedText::clear() noexcept {
  text_.clear();
  origins_.clear();
}

void AlignedText::reserve(std::size_t bytes) {
  text_.reserve(bytes);
  origins_.reserve(bytes);
}

void AlignedText::append(const AlignedView& view) {
  text_ += view.text();
  if (!view.is_original()) {
    for (std::size_t i = 0; i < view.text().size(); ++i) origins_.push_back(view.origin(i));
    return;
  }
  Origin origin = 0;
  for (std::size_t i = 0; i < view.text().size(); ++i) {
    if (!is_continuation(view.text()[i])) origin = view.origin(i);
    origins_.push_back(origin);
  }
}

void AlignedText::append(char32_t code_point, Origin origin) {
  append_utf8(code_point, text_);
  origins_.resize(text_.size(), origin);
}

void AlignedText::append(std::string_view text, Origin origin) {
  text_ += text;
  origins_.resize(text_.size(), origin);
}

void AlignedText::transform(std::span<const Change> changes, std::size_t dropped) {
  // As in the source, what was inserted before the first original character stays where it is.
  std::size_t at = 0;  // start of the next old character
  while (at < text_.size() && (origins_[at] & kNoWidth) != 0) ++at;
  if (at == text_.size()) return;
  AlignedText result;
  result.reserve(text_.size());
  result.append(view().part({0, static_cast<uint32_t>(at)}));
  const auto skip = [&](std::size_t characters) {
    for (; characters > 0 && at < text_.size(); --characters) at += utf8_size(text_[at]);
  };
  skip(dropped);
  for (const Change& change : changes) {
    const Origin origin =
        at == 0 && change.shift > 0
            ? origins_[0] | kNoWidth
            : origins_[std::min(change.shift > 0 ? at - 1 : at, text_.size() - 1)];
    result.append(change.code_point, origin);
    if (change.shift <= 0) skip(1 + static_cast<std::size_t>(-change.shift));
  }
  std::swap(*this, result);
}

}  // namespace aios::tokenizer
