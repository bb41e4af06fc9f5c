#include "tokenizer/aligned_text.h"

#include <algorithm>
#include <utility>

#include "tokenizer/utf8.h"

namespace aios::tokenizer {

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
  const std::size_t before = text_.size();
  const std::string_view added = view.text();
  text_ += added;
  if (!view.is_original()) {
    origins_.insert(origins_.end(), view.origins(), view.origins() + added.size());
    return;
  }
  origins_.resize(text_.size());
  Origin origin = 0;
  for (std::size_t i = 0; i < added.size(); ++i) {
    if (!is_continuation(added[i])) origin = view.origin(i);
    origins_[before + i] = origin;
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

void AlignedText::append_transformed(const AlignedView& old, std::span<const Change> changes,
                                     std::size_t dropped) {
  // As in the source, what was inserted before the first original character stays where it is.
  const std::string_view text = old.text();
  std::size_t at = 0;  // start of the next old character
  while (at < text.size() && (old.origin(at) & kNoWidth) != 0) ++at;
  append(old.part({0, static_cast<uint32_t>(at)}));
  if (at == text.size()) return;
  const auto skip = [&](std::size_t characters) {
    for (; characters > 0 && at < text.size(); --characters) at += utf8_size(text[at]);
  };
  skip(dropped);
  for (const Change& change : changes) {
    const Origin origin =
        at == 0 && change.shift > 0
            ? old.origin(0) | kNoWidth
            : old.origin(std::min(change.shift > 0 ? at - 1 : at, text.size() - 1));
    append(change.code_point, origin);
    if (change.shift <= 0) skip(1 + static_cast<std::size_t>(-change.shift));
  }
}

void AlignedText::transform(std::span<const Change> changes, std::size_t dropped,
                            AlignedText& spare) {
  spare.clear();
  spare.append_transformed(view(), changes, dropped);
  std::swap(*this, spare);
}

}  // namespace aios::tokenizer
