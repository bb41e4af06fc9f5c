/// The best of the rows that a scan looks at.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace aios {

struct Candidate {
  float score = 0;
  int64_t sequence = 0;
  uint32_t block = 0;
  uint32_t row = 0;
};

/// Greater scores first; of equal ones the earlier row.
[[nodiscard]] inline bool ranks_before(const Candidate& a, const Candidate& b) noexcept {
  return a.score != b.score ? a.score > b.score : a.sequence < b.sequence;
}

/// The best `limit` of the candidates that it is shown, in ascending order of sequence. Twice as
/// many are gathered before the worse half goes: a constant time per candidate, unlike a heap.
class TopCandidates {
 public:
  explicit TopCandidates(std::size_t limit) : limit_(limit) {}
  /// Scores below this cannot enter.
  [[nodiscard]] float threshold() const noexcept { return threshold_; }
  void add(const Candidate& candidate) {
    kept_.push_back(candidate);
    constexpr std::size_t kLeastGathered = 64;
    if (kept_.size() >= 2 * limit_ && kept_.size() >= kLeastGathered) drop_the_rest();
  }
  /// Moves all it has to the end of `all`, in any order.
  void move_to(std::vector<Candidate>& all);

 private:
  void drop_the_rest();

  std::size_t limit_;
  float threshold_ = -std::numeric_limits<float>::infinity();
  std::vector<Candidate> kept_;
};

/// The best `limit` of candidates. Neither these nor those are in any order.
[[nodiscard]] std::vector<Candidate> best_candidates(std::vector<Candidate> all, std::size_t limit);

}  // namespace aios
