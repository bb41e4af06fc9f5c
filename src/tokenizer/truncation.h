/// Cutting texts down to a length, and what was cut off into windows.
///
/// Source: utils/truncation.rs and `Encoding::truncate` of Hugging Face's tokenizers.
#pragma once

#include <cstddef>
#include <vector>

#include "tokenizer/post_processor.h"

namespace aios::tokenizer {

struct Truncation {
  std::size_t max_length;  ///< of all sections together
  TruncationStrategy strategy;
  std::size_t stride;
  bool keep_last;
  bool keep_windows;  ///< else what is cut off is lost
};

/// @param sections one or two, without type ids
/// @throws ConfigError if the text that must give way is absent or too short, or if the stride
/// leaves a window nothing of its own
void truncate(std::vector<Section>& sections, const Truncation& truncation);

}  // namespace aios::tokenizer
