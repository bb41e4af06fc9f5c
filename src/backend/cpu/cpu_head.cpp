/// Scores of the vocabulary on the CPU backend: whole rows, or the fused candidates pass.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "aios/error.h"
#include "backend/cpu/cpu_backend_impl.h"
#include "backend/cpu/gumbel.h"

namespace aios {
namespace {

constexpr float kAbsent = -std::numeric_limits<float>::infinity();
/// Sums are formed per tile of this many tokens and merged in order: part of the results' bits.
constexpr int64_t kVocabularyTile = 256;
/// Rows whose activations and tile of logits stay in the second-level cache.
constexpr int64_t kHeadRowBlock = 256;

void check_request(const HeadRequest& request, int64_t num_hidden_rows, int64_t vocab_size) {
  const auto check_range = [](std::span<const int32_t> values, int64_t end, const char* what) {
    for (const int32_t value : values) {
      if (value < 0 || value >= end) {
        throw InferenceError(std::string(what) + " " + std::to_string(value) + " is not in [0, " +
                             std::to_string(end) + ")");
      }
    }
  };
  const auto check_size = [&](std::size_t size, const char* what) {
    if (size != request.rows.size()) {
      throw InferenceError("the scores of " + std::to_string(request.rows.size()) +
                           " rows were asked for with " + std::to_string(size) + " " + what);
    }
  };
  check_range(request.rows, num_hidden_rows, "row");
  check_range(request.suppressed_token_ids, vocab_size, "suppressed token id");
  if (request.output == HeadOutput::kLogits) return;
  if (!(request.softmax_temperature > 0)) {
    throw InferenceError("softmax_temperature must be above 0");
  }
  if (!request.target_ids.empty()) {
    check_size(request.target_ids.size(), "target ids");
    check_range(request.target_ids, vocab_size, "target id");
  }
  if (request.gumbel_scale > 0) {
    check_size(request.noise_keys.size(), "noise keys");
    if (request.noise == nullptr) throw InferenceError("gumbel_scale needs a source of noise");
  }
}

/// Ids of `suppressed` in [begin, end), less `begin`; `suppressed` ascends.
template <typename Visit>
void for_each_suppressed(std::span<const int32_t> suppressed, int64_t begin, int64_t end,
                         Visit visit) {
  for (auto id = std::ranges::lower_bound(suppressed, begin); id != suppressed.end() && *id < end;
       ++id) {
    visit(*id - begin);
  }
}

/// Joins what the tiles of one row found, in the order of the vocabulary.
class CandidateMerger {
 public:
  explicit CandidateMerger(float temperature) : temperature_(temperature) {}

  void add(const LogitSummary& tile, int64_t first_id) noexcept {
    if (tile.top_indices[0] < 0) return;
    join_sums(tile);
    for (int i = 0; i < 2; ++i) {
      insert(tile.top_logits[i], static_cast<int32_t>(first_id) + tile.top_indices[i]);
    }
  }

  [[nodiscard]] RowCandidates candidates() const noexcept {
    const double log_sum_exp = maximum_ + std::log(sum_exp_);
    RowCandidates row;
    row.top_ids = ids_;
    row.log_sum_exp = static_cast<float>(log_sum_exp);
    row.entropy = static_cast<float>(std::log(sum_exp_) - sum_exp_shifted_ / sum_exp_);
    row.top_log_probs = {log_prob(logits_[0]), log_prob(logits_[1])};
    return row;
  }
  [[nodiscard]] float log_prob(float logit) const noexcept {
    return static_cast<float>(logit / temperature_ - (maximum_ + std::log(sum_exp_)));
  }

 private:
  /// Both sums, moved to the larger of the two maxima: sum d e^d over d + shift is
  /// e^shift (sum d e^d + shift sum e^d).
  void join_sums(const LogitSummary& tile) noexcept {
    const double tile_maximum = tile.top_logits[0] / temperature_;
    const double maximum = std::max(maximum_, tile_maximum);
    const double shift = maximum_ - maximum;
    const double tile_shift = tile_maximum - maximum;
    const double factor = sum_exp_ == 0 ? 0 : std::exp(shift);
    const double tile_factor = std::exp(tile_shift);
    sum_exp_shifted_ = (factor == 0 ? 0 : factor * (sum_exp_shifted_ + shift * sum_exp_)) +
                       tile_factor * (tile.sum_exp_shifted + tile_shift * tile.sum_exp);
    sum_exp_ = factor * sum_exp_ + tile_factor * tile.sum_exp;
    maximum_ = maximum;
  }

  /// Ids ascend, so that a tie keeps the smaller id.
  void insert(float logit, int32_t id) noexcept {
    if (logit > logits_[0]) {
      logits_[1] = logits_[0];
      ids_[1] = ids_[0];
      logits_[0] = logit;
      ids_[0] = id;
    } else if (logit > logits_[1]) {
      logits_[1] = logit;
      ids_[1] = id;
    }
  }

  float temperature_;
  std::array<float, 2> logits_{kAbsent, kAbsent};
  std::array<int32_t, 2> ids_{-1, -1};
  double maximum_ = -std::numeric_limits<double>::infinity();
  double sum_exp_ = 0;
  double sum_exp_shifted_ = 0;
};

RowCandidates merge_tiles(const HeadRequest& request, int64_t row, float target_logit,
                          std::span<const TileCandidates> tiles) {
  CandidateMerger merger(request.softmax_temperature);
  GumbelWinner sampled;
  int64_t first_id = 0;
  for (const TileCandidates& tile : tiles) {
    merger.add(tile.summary, first_id);
    if (request.gumbel_scale > 0 && tile.sampled.score > sampled.score) sampled = tile.sampled;
    first_id += kVocabularyTile;
  }
  RowCandidates candidates = merger.candidates();
  if (!std::isfinite(candidates.log_sum_exp)) {
    throw InferenceError("the model's scores of row " +
                         std::to_string(request.rows[static_cast<std::size_t>(row)]) +
                         " are not finite: its weights are damaged, or every token is suppressed");
  }
  candidates.sampled_id = candidates.top_ids[0];
  candidates.sampled_log_prob = candidates.top_log_probs[0];
  if (request.gumbel_scale > 0) {
    candidates.sampled_id = sampled.id;
    candidates.sampled_log_prob = merger.log_prob(sampled.logit);
  }
  if (!request.target_ids.empty()) candidates.target_log_prob = merger.log_prob(target_logit);
  return candidates;
}

}  // namespace

void CpuBackend::head(const Linear& linear, const HeadRequest& request, const Buffer& hidden,
                      HeadResult& result) {
  check_request(request, hidden.rows(), linear.out_features);
  const auto num_rows = static_cast<int64_t>(request.rows.size());
  const auto workspace = workspaces_.borrow();
  const LinearContext linear_context = context(*workspace);
  LinearMap map(linear_context, linear, "the head");
  MatmulInput& input = workspace->input;
  input.reset(kernels_, map.forms(), num_rows, hidden.columns());
  const int64_t size = hidden.columns();
  store_rows(*pool_, num_rows, workspace->slots, input,
             [&](int64_t begin, int64_t end, float* gathered) {
               for (int64_t row = begin; row < end; ++row) {
                 const int64_t source = request.rows[static_cast<std::size_t>(row)];
                 std::copy_n(cpu(hidden).row(source), size, gathered + (row - begin) * size);
               }
               return static_cast<const float*>(gathered);
             });
  map.set_input(input, num_rows, workspace->low_rank[0]);
  result.vocab_size = linear.out_features;
  result.candidates.clear();
  result.logits.clear();
  if (request.output == HeadOutput::kLogits) {
    write_logits(map, request, *workspace, result);
  } else {
    find_candidates(map, request, *workspace, result);
  }
}

void CpuBackend::write_logits(const LinearMap& map, const HeadRequest& request,
                              Workspace& workspace, HeadResult& result) {
  const auto num_rows = static_cast<int64_t>(request.rows.size());
  const int64_t vocab_size = result.vocab_size;
  result.logits.resize(static_cast<std::size_t>(num_rows * vocab_size));
  const TileGrid grid(num_rows, vocab_size, kHeadRowBlock, kVocabularyTile);
  workspace.slots.reserve(pool_->num_threads(), map.scratch_size(grid.max_tile_size()));
  for_each_item(*pool_, grid.num_tiles(), [&](int64_t item, int64_t slot) {
    const Tile tile = grid.tile(item);
    float* const logits = result.logits.data() + tile.row_begin * vocab_size + tile.column_begin;
    map.apply(tile, logits, vocab_size, workspace.slots.slot(slot));
    for (int64_t row = 0; row < tile.rows(); ++row) {
      for_each_suppressed(request.suppressed_token_ids, tile.column_begin, tile.column_end,
                          [&](int64_t index) { logits[row * vocab_size + index] = kAbsent; });
    }
  });
}

void CpuBackend::find_candidates(const LinearMap& map, const HeadRequest& request,
                                 Workspace& workspace, HeadResult& result) {
  const auto num_rows = static_cast<int64_t>(request.rows.size());
  const TileGrid grid(num_rows, result.vocab_size, kHeadRowBlock, kVocabularyTile);
  const int64_t num_vocabulary_tiles = divide_up(result.vocab_size, kVocabularyTile);
  const int64_t tile_size = grid.max_tile_size();
  workspace.slots.reserve(pool_->num_threads(), tile_size + map.scratch_size(tile_size));
  TileCandidates* const found = workspace.tile_candidates.reserve(num_rows * num_vocabulary_tiles);
  float* const target_logits = workspace.target_logits.reserve(num_rows);
  for_each_item(*pool_, grid.num_tiles(), [&](int64_t item, int64_t slot) {
    const Tile tile = grid.tile(item);
    float* const logits = workspace.slots.slot(slot);
    map.apply(tile, logits, tile.columns(), logits + tile_size);
    for (int64_t row = tile.row_begin; row < tile.row_end; ++row) {
      const auto index = static_cast<std::size_t>(row);
      float* const row_logits = logits + (row - tile.row_begin) * tile.columns();
      for_each_suppressed(request.suppressed_token_ids, tile.column_begin, tile.column_end,
                          [&](int64_t i) { row_logits[i] = kAbsent; });
      TileCandidates& candidates =
          found[row * num_vocabulary_tiles + tile.column_begin / kVocabularyTile];
      kernels_.scan_logits(row_logits, tile.columns(), request.softmax_temperature,
                           candidates.summary);
      if (request.gumbel_scale > 0) {
        candidates.sampled =
            find_gumbel_winner({row_logits, static_cast<std::size_t>(tile.columns())}, request,
                               request.noise_keys[index], static_cast<int32_t>(tile.column_begin));
      }
      if (request.target_ids.empty()) continue;
      const int64_t target = request.target_ids[index] - tile.column_begin;
      if (target >= 0 && target < tile.columns()) target_logits[row] = row_logits[target];
    }
  });
  result.candidates.reserve(request.rows.size());
  for (int64_t row = 0; row < num_rows; ++row) {
    const float target_logit = request.target_ids.empty() ? 0 : target_logits[row];
    result.candidates.push_back(merge_tiles(
        request, row, target_logit,
        {found + row * num_vocabulary_tiles, static_cast<std::size_t>(num_vocabulary_tiles)}));
  }
}

}  // namespace aios
