/// A text under way through the pipeline, which still knows where each of its bytes came from.
///
/// Every byte belongs to one whole character of the original text: normalization may drop, replace,
/// insert and reorder characters, but an offset never points into the middle of one. Texts are
/// below 4 GiB, so that positions fit in 32 bits.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/utf8.h"

namespace aios::tokenizer {

/// A byte range.
struct Span {
  uint32_t begin, end;
};

/// Where a byte came from: the start of an original character, or, with `kNoWidth`, the place
/// before it, at which the byte was inserted.
using Origin = uint32_t;
inline constexpr Origin kNoWidth = Origin{1} << 31U;
[[nodiscard]] constexpr uint32_t start_of(Origin origin) noexcept { return origin & ~kNoWidth; }

/// Text with the start of the original character of each byte. Borrowed.
class AlignedView {
 public:
  AlignedView() = default;
  /// Text that is a part of the original, `start` bytes into it.
  AlignedView(std::string_view original, uint32_t start) : text_(original), start_(start) {}
  AlignedView(std::string_view text, const Origin* origins) : text_(text), origins_(origins) {}

  [[nodiscard]] std::string_view text() const noexcept { return text_; }
  [[nodiscard]] bool is_original() const noexcept { return origins_ == nullptr; }
  /// nullptr if the text is a part of the original.
  [[nodiscard]] const Origin* origins() const noexcept { return origins_; }
  [[nodiscard]] Origin origin(std::size_t at) const noexcept {
    if (origins_ != nullptr) return origins_[at];
    while (at > 0 && is_continuation(text_[at])) --at;
    return start_ + static_cast<uint32_t>(at);
  }
  [[nodiscard]] AlignedView part(Span span) const noexcept;

 private:
  std::string_view text_;
  const Origin* origins_ = nullptr;  // nullptr: the text is the original itself
  uint32_t start_ = 0;
};

/// One character of a rewritten text, and how it moves through the old one.
struct Change {
  char32_t code_point;
  /// 0: takes the place of the next old character; 1: inserted after the old character before it;
  /// -n: takes the place of the next old character, and the n after that are dropped.
  int32_t shift;
};

class AlignedText {
 public:
  AlignedText() = default;
  explicit AlignedText(const AlignedView& view) { append(view); }

  [[nodiscard]] AlignedView view() const noexcept { return {text_, origins_.data()}; }
  [[nodiscard]] uint32_t size() const noexcept { return static_cast<uint32_t>(text_.size()); }
  /// Bytes that it holds.
  [[nodiscard]] std::size_t capacity() const noexcept {
    return text_.capacity() + origins_.capacity() * sizeof(Origin);
  }
  void clear() noexcept;
  void reserve(std::size_t bytes);
  void append(const AlignedView& view);
  void append(char32_t code_point, Origin origin);
  void append(std::string_view text, Origin origin);
  /// A byte of ASCII.
  void append_ascii(char byte, Origin origin) {
    text_.push_back(byte);
    origins_.push_back(origin);
  }
  /// Drops what follows the first `bytes`.
  void truncate(uint32_t bytes) {
    text_.resize(bytes);
    origins_.resize(bytes);
  }
  /// Appends `old` rewritten as `changes` say, after dropping `dropped` characters at its start.
  /// The walk through the old text is the one of Hugging Face (tokenizer/normalizer.rs,
  /// `transform_range`), because it decides what offsets reordered and composed characters get.
  void append_transformed(const AlignedView& old, std::span<const Change> changes,
                          std::size_t dropped);
  /// Rewrites the whole text that way; `spare` is memory to work in.
  void transform(std::span<const Change> changes, std::size_t dropped, AlignedText& spare);

 private:
  std::string text_;
  std::vector<Origin> origins_;
};

}  // namespace aios::tokenizer
