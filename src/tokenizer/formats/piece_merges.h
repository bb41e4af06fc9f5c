/// Merges for vocabularies that do not list them: SentencePiece's and tiktoken's.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace aios::tokenizer {

struct RankedPiece {
  std::string_view text;
  uint32_t rank;  ///< of every merge that makes it; equal ranks are merged from left to right
};

struct PieceMerge {
  std::size_t left, right;  // indexes of pieces
  uint32_t rank;
};

/// Every way to cut a piece into two others; both formats merge any neighbours whose text is a
/// piece. Linear in the bytes of all pieces. Texts are not empty and differ.
[[nodiscard]] std::vector<PieceMerge> list_merges(std::span<const RankedPiece> pieces);

}  // namespace aios::tokenizer
