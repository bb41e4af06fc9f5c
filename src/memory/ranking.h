/// Orders candidates that were found: fusion of lists, weights, variety.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "aios/memory.h"

namespace aios {

struct RankedMemory {
  int64_t sequence = 0;
  float score = 0;
  std::optional<float> vector_score;
  std::optional<float> text_score;
};

/// Reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009): a memory's score is the sum
/// of 1 / (5 + rank) over the two lists that it is in, divided by the most there can be. Both lists
/// are ordered. The paper's constant is 60; 5 is what tools/memory_quality.py found best on its
/// development queries.
[[nodiscard]] std::vector<RankedMemory> fuse_ranks(std::span<const RankedMemory> by_vector,
                                                   std::span<const RankedMemory> by_text);

/// Greater scores first; of equal ones the earlier memory.
void sort_by_score(std::vector<RankedMemory>& ranked);

/// The first `count` by maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): each next
/// one has the greatest lambda * score - (1 - lambda) * (its greatest cosine to one chosen before).
/// @param embeddings per candidate
[[nodiscard]] std::vector<RankedMemory> choose_varied(
    std::span<const RankedMemory> candidates, std::span<const std::vector<float>> embeddings,
    float lambda, std::size_t count);

}  // namespace aios
