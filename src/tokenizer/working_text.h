/// The text of one encode call between the stages: its bytes, and how they are cut so far.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/aligned_text.h"

namespace aios::tokenizer {

/// A part of the working text: a word to be, or an added token that no stage may touch any more.
struct Piece {
  static constexpr int32_t kText = -1;
  Span span;
  int32_t token = kText;  ///< id of an added token, else `kText`

  [[nodiscard]] bool is_text() const noexcept { return token == kText; }
};

class WorkingText {
 public:
  /// Starts with one piece, the whole of `original`.
  void reset(std::string_view original);

  /// Bytes that it holds.
  [[nodiscard]] std::size_t capacity() const noexcept {
    return owned_.capacity() + spare_.capacity() +
           (pieces_.capacity() + spare_pieces_.capacity()) * sizeof(Piece);
  }
  [[nodiscard]] std::string_view original() const noexcept { return original_; }
  [[nodiscard]] std::string_view text(const Piece& piece) const noexcept {
    return view_.text().substr(piece.span.begin, piece.span.end - piece.span.begin);
  }
  [[nodiscard]] const std::vector<Piece>& pieces() const noexcept { return pieces_; }
  /// Byte range in the original of a range of the working text.
  [[nodiscard]] Span original(Span span) const noexcept;

  /// Cuts every text piece: `cut(text, emit)` calls `emit(Piece)` with spans relative to `text`, in
  /// any order and number. Empty text pieces vanish.
  template <typename Cut>
  void split(Cut cut);

  /// Rewrites every piece: `rewrite(piece, view, out)` appends to `out`. Text pieces that become
  /// empty vanish.
  /// @throws TokenizerError if the text becomes longer than 4 GiB
  template <typename Rewrite>
  void rewrite(Rewrite rewrite);

 private:
  void check_size() const;

  std::string_view original_;
  AlignedView view_;
  AlignedText owned_, spare_;  // what `view_` shows once a stage has rewritten it
  std::vector<Piece> pieces_, spare_pieces_;
};

template <typename Cut>
void WorkingText::split(Cut cut) {
  spare_pieces_.clear();
  for (const Piece& piece : pieces_) {
    if (!piece.is_text()) {
      spare_pieces_.push_back(piece);
      continue;
    }
    const uint32_t start = piece.span.begin;
    cut(text(piece), [&](Piece part) {
      if (part.is_text() && part.span.begin == part.span.end) return;
      spare_pieces_.push_back({{start + part.span.begin, start + part.span.end}, part.token});
    });
  }
  pieces_.swap(spare_pieces_);
}

template <typename Rewrite>
void WorkingText::rewrite(Rewrite rewrite) {
  spare_.clear();
  spare_.reserve(view_.text().size());
  for (Piece& piece : pieces_) {
    const uint32_t begin = spare_.size();
    rewrite(piece, view_.part(piece.span), spare_);
    piece.span = {begin, spare_.size()};
  }
  std::swap(owned_, spare_);
  view_ = owned_.view();
  check_size();
  std::erase_if(pieces_, [](const Piece& piece) {
    return piece.is_text() && piece.span.begin == piece.span.end;
  });
}

}  // namespace aios::tokenizer
