#include "diffusion/predictor.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "aios/error.h"
#include "sampling/row_candidates.h"
#include "sampling/row_filters.h"

namespace aios {
namespace {

struct EndAllowance {
  bool somewhere = false;
  bool everywhere = true;
};

EndAllowance end_allowance(std::span<const CanvasRun> runs) {
  EndAllowance allowance;
  for (const CanvasRun& run : runs) {
    for (std::size_t position = 0; position < run.given().size(); ++position) {
      if (run.given()[position] != 0) continue;
      if (run.canvas().may_end[position] != 0) {
        allowance.somewhere = true;
      } else {
        allowance.everywhere = false;
      }
    }
  }
  return allowance;
}

/// A window of the canvas as the unconditional branch sees it.
std::vector<int32_t> hide_given(const CanvasRun& run, std::span<const int32_t> window,
                                int32_t mask_token_id) {
  std::vector<int32_t> hidden(window.begin(), window.end());
  for (std::size_t position = 0; position < hidden.size(); ++position) {
    if (run.given()[position] != 0) hidden[position] = mask_token_id;
  }
  return hidden;
}

/// conditional = u + (cfg_scale + 1) (c - u); a token that either branch rules out stays out.
void guide(std::span<float> conditional, std::span<const float> unconditional, float cfg_scale) {
  for (std::size_t i = 0; i < conditional.size(); ++i) {
    const float u = unconditional[i];
    const float c = conditional[i];
    conditional[i] = u == kRuledOut || c == kRuledOut ? kRuledOut : u + (cfg_scale + 1) * (c - u);
  }
}

void check_rows(const CanvasRun& run, std::span<const RowCandidates> rows, int64_t vocab_size) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const RowCandidates& candidates = rows[row];
    if (candidates.sampled_id < 0 || candidates.sampled_id >= vocab_size ||
        std::isnan(candidates.sampled_log_prob)) {
      throw InferenceError("no token can be drawn for position " +
                           std::to_string(run.wanted_positions()[row]) + " of canvas " +
                           std::to_string(run.index()) +
                           ": the network's scores are not numbers, or every token is suppressed");
    }
  }
}

}  // namespace

Predictor::Predictor(Denoiser& denoiser, const DiffusionConfig& config, const RunSettings& settings,
                     std::span<const CanvasRun> runs, std::span<const int32_t> suppressed_token_ids)
    : denoiser_(denoiser),
      config_(config),
      settings_(settings),
      suppressed_token_ids_(suppressed_token_ids.begin(), suppressed_token_ids.end()),
      num_canvases_(runs.size()),
      kept_rows_(runs.size()) {
  const EndAllowance ends = end_allowance(runs);
  suppresses_ends_by_row_ = ends.somewhere && !ends.everywhere && !settings.end_token_ids.empty();
  if (!ends.somewhere) {
    suppressed_token_ids_.insert(suppressed_token_ids_.end(), settings.end_token_ids.begin(),
                                 settings.end_token_ids.end());
    std::sort(suppressed_token_ids_.begin(), suppressed_token_ids_.end());
    suppressed_token_ids_.erase(
        std::unique(suppressed_token_ids_.begin(), suppressed_token_ids_.end()),
        suppressed_token_ids_.end());
  }
  needs_rows_ = config.cfg_scale > 0 || config.top_k > 0 || config.top_p < 1 ||
                settings.sampler.reuses_rows || suppresses_ends_by_row_;
}

HeadRequest Predictor::base_request() const {
  HeadRequest request;
  request.output = needs_rows_ ? HeadOutput::kLogits : HeadOutput::kCandidates;
  request.suppressed_token_ids = suppressed_token_ids_;
  request.softmax_temperature = settings_.sampler.draw.softmax_temperature;
  request.gumbel_scale = settings_.sampler.draw.gumbel_scale;
  request.noise = settings_.noise;
  return request;
}

void Predictor::store(CanvasRun& run) {
  for (const int32_t end : run.take_final_ends()) {
    const std::span<const int32_t> canvas = run.canvas().token_ids;
    std::vector<DenoiseInput> inputs = {{run.index(), canvas, {}, CacheAction::kStore}};
    std::vector<int32_t> unconditional;
    if (config_.cfg_scale > 0) {
      unconditional = hide_given(run, canvas, settings_.mask_token_id);
      inputs.push_back({unconditional_index(run), unconditional, {}, CacheAction::kStore});
    }
    for (DenoiseInput& input : inputs) {
      input.window = input.window.first(static_cast<std::size_t>(end));
    }
    denoiser_.denoise(inputs, base_request(), result_);
  }
}

void Predictor::call(std::span<CanvasRun* const> runs) {
  std::vector<DenoiseInput> inputs;
  std::vector<NoiseKey> keys;
  for (const CanvasRun* run : runs) {
    inputs.push_back({run->index(), run->window(), run->wanted_positions(), run->cache_action(),
                      run->active_range()});
    for (const int32_t position : run->wanted_positions()) {
      keys.push_back({run->index(), run->step(), position});
    }
  }
  std::vector<std::vector<int32_t>> unconditional_windows;
  if (config_.cfg_scale > 0) {
    for (const CanvasRun* run : runs) {
      unconditional_windows.push_back(hide_given(*run, run->window(), settings_.mask_token_id));
    }
    for (std::size_t i = 0; i < runs.size(); ++i) {
      DenoiseInput input = inputs[i];
      input.canvas = unconditional_index(*runs[i]);
      input.window = unconditional_windows[i];
      inputs.push_back(input);
    }
  }
  HeadRequest request = base_request();
  request.noise_keys = keys;
  denoiser_.denoise(inputs, request, result_);
  ++num_forward_passes_;
}

void Predictor::process_rows(const CanvasRun& run, std::span<float> rows) const {
  const auto vocab_size = static_cast<std::size_t>(denoiser_.vocab_size());
  for (std::size_t row = 0; row < run.wanted_positions().size(); ++row) {
    const std::span<float> logits = rows.subspan(row * vocab_size, vocab_size);
    if (!is_valid_row(logits)) continue;  // the draw then finds no token
    const auto position = static_cast<std::size_t>(run.wanted_positions()[row]);
    if (run.canvas().may_end[position] == 0) suppress_tokens(logits, settings_.end_token_ids);
    apply_temperature(logits, settings_.sampler.draw.softmax_temperature);
    if (settings_.sampler.filters_top_p_first) {
      apply_top_p(logits, config_.top_p);
      apply_top_k(logits, config_.top_k);
    } else {
      apply_top_k(logits, config_.top_k);
      apply_top_p(logits, config_.top_p);
    }
  }
}

std::vector<RowCandidates> Predictor::draw(const CanvasRun& run,
                                           std::span<const float> rows) const {
  const auto vocab_size = static_cast<std::size_t>(denoiser_.vocab_size());
  RowSampling sampling;
  sampling.gumbel_scale = static_cast<double>(settings_.sampler.draw.gumbel_scale);
  sampling.noise = settings_.noise;
  std::vector<RowCandidates> candidates;
  for (std::size_t row = 0; row < run.wanted_positions().size(); ++row) {
    sampling.key = {run.index(), run.step(), run.wanted_positions()[row]};
    candidates.push_back(row_candidates(rows.subspan(row * vocab_size, vocab_size), sampling));
  }
  return candidates;
}

std::vector<RowCandidates> Predictor::answer(const CanvasRun& run, std::size_t first_row,
                                             std::size_t num_asked_rows) {
  const std::size_t num_rows = run.wanted_positions().size();
  if (!needs_rows_) {
    const auto candidates = std::span(result_.candidates).subspan(first_row, num_rows);
    return {candidates.begin(), candidates.end()};
  }
  const auto vocab_size = static_cast<std::size_t>(denoiser_.vocab_size());
  const auto rows_from = [&](std::size_t row) {
    return std::span(result_.logits).subspan(row * vocab_size, num_rows * vocab_size);
  };
  const std::span<float> rows = rows_from(first_row);
  if (config_.cfg_scale > 0) guide(rows, rows_from(num_asked_rows + first_row), config_.cfg_scale);
  process_rows(run, rows);
  if (settings_.sampler.reuses_rows) kept_rows(run).assign(rows.begin(), rows.end());
  return draw(run, rows);
}

std::vector<std::vector<RowCandidates>> Predictor::predict(std::span<CanvasRun* const> runs) {
  std::vector<CanvasRun*> asked;
  std::size_t num_asked_rows = 0;
  for (CanvasRun* run : runs) {
    if (!kept_rows(*run).empty()) continue;
    asked.push_back(run);
    num_asked_rows += run->wanted_positions().size();
  }
  if (!asked.empty()) call(asked);

  std::size_t first_row = 0;
  std::vector<std::vector<RowCandidates>> predictions;
  for (const CanvasRun* run : runs) {
    if (!kept_rows(*run).empty()) {
      predictions.push_back(draw(*run, kept_rows(*run)));
    } else {
      predictions.push_back(answer(*run, first_row, num_asked_rows));
      first_row += run->wanted_positions().size();
    }
    check_rows(*run, predictions.back(), denoiser_.vocab_size());
  }
  return predictions;
}

}  // namespace aios
