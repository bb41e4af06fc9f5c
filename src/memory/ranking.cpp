#include "memory/ranking.h"

#include <algorithm>
#include <limits>
#include <map>

#include "memory/row_scan.h"

namespace aios {

std::vector<RankedMemory> fuse_ranks(std::span<const RankedMemory> by_vector,
                                     std::span<const RankedMemory> by_text) {
  constexpr double kConstant = 5;
  constexpr double kMost = 2 / (kConstant + 1);
  const auto part = [](std::size_t index) {
    return static_cast<float>(1 / (kConstant + static_cast<double>(index) + 1) / kMost);
  };
  std::map<int64_t, RankedMemory> fused;
  for (std::size_t i = 0; i < by_vector.size(); ++i) {
    RankedMemory& memory = fused[by_vector[i].sequence];
    memory.sequence = by_vector[i].sequence;
    memory.vector_score = by_vector[i].vector_score;
    memory.score += part(i);
  }
  for (std::size_t i = 0; i < by_text.size(); ++i) {
    RankedMemory& memory = fused[by_text[i].sequence];
    memory.sequence = by_text[i].sequence;
    memory.text_score = by_text[i].text_score;
    memory.score += part(i);
  }
  std::vector<RankedMemory> ranked;
  for (const auto& [sequence, memory] : fused) ranked.push_back(memory);
  sort_by_score(ranked);
  return ranked;
}

void sort_by_score(std::vector<RankedMemory>& ranked) {
  std::sort(ranked.begin(), ranked.end(), [](const RankedMemory& a, const RankedMemory& b) {
    return a.score != b.score ? a.score > b.score : a.sequence < b.sequence;
  });
}

std::vector<RankedMemory> choose_varied(std::span<const RankedMemory> candidates,
                                        std::span<const std::vector<float>> embeddings,
                                        float lambda, std::size_t count) {
  std::vector<RankedMemory> chosen;
  std::vector<bool> is_chosen(candidates.size(), false);
  // The greatest cosine to a chosen one; nothing is chosen yet, so that relevance alone counts.
  std::vector<float> similarity(candidates.size(), 0);
  while (chosen.size() < std::min(count, candidates.size())) {
    std::size_t best = candidates.size();
    float best_value = -std::numeric_limits<float>::infinity();
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const float value = lambda * candidates[i].score - (1 - lambda) * similarity[i];
      if (is_chosen[i] || (best != candidates.size() && value <= best_value)) continue;
      best = i;
      best_value = value;
    }
    is_chosen[best] = true;
    const bool first = chosen.empty();
    chosen.push_back(candidates[best]);
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const float cosine = exact_score(embeddings[i], embeddings[best], Metric::kCosine);
      similarity[i] = first ? cosine : std::max(similarity[i], cosine);
    }
  }
  return chosen;
}

}  // namespace aios
