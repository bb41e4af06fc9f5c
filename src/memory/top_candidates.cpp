#include "memory/top_candidates.h"

#include <algorithm>
#include <cmath>

namespace aios {

void TopCandidates::move_to(std::vector<Candidate>& all) {
  all.insert(all.end(), kept_.begin(), kept_.end());
  kept_.clear();
}

void TopCandidates::drop_the_rest() {
  if (limit_ == 0) return kept_.clear();
  const auto worst = kept_.begin() + static_cast<std::ptrdiff_t>(limit_ - 1);
  std::nth_element(kept_.begin(), worst, kept_.end(), ranks_before);
  // Later rows of the same score rank behind: only a greater one can enter.
  threshold_ = std::nextafter(worst->score, std::numeric_limits<float>::infinity());
  kept_.resize(limit_);
}

std::vector<Candidate> best_candidates(std::vector<Candidate> all, std::size_t limit) {
  if (limit >= all.size()) return all;
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(limit);
  std::nth_element(all.begin(), end, all.end(), ranks_before);
  all.resize(limit);
  return all;
}

}  // namespace aios
