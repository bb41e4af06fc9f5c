#include "engine/diffuse.h"

#include <algorithm>

#include "aios/error.h"
#include "engine/canvas_text.h"
#include "engine/diffusion_call.h"

namespace aios {

DiffusionResults diffuse_prompt(const LoadedModel& model, const DiffusionPrompt& prompt,
                                const DiffusionConfig& config, const StepCallback& on_step) {
  DiffusionCall call(model, config);
  const TokenRules& rules = model.token_rules();
  Canvas canvas;
  canvas.append_given(call.begin_with(prompt));
  const int32_t begin = canvas.length();
  canvas.block_origin =
      call.causal_blocks() ? whole_blocks(begin, call.config().block_length) : begin;
  call.check_length(static_cast<std::size_t>(begin) +
                    static_cast<std::size_t>(config.max_new_tokens) + rules.suffix.size());
  canvas.append_hole(config.max_new_tokens, /*text_may_end=*/true);
  const auto end = static_cast<std::size_t>(canvas.length());
  canvas.append_given(rules.suffix);

  const auto start = static_cast<std::size_t>(begin);
  return call.fill(canvas, on_step, [&](FilledCanvas& filled, DiffusionResult& result) {
    std::vector<int32_t>& ids = filled.token_ids;
    ids.resize(std::min(ids.size(), end));
    result.text = text_of_range(model.tokenizer(), ids, start, ids.size());
    if (cut_at_stop(config.stop, result.text, result)) {
      cut_to_text(model.tokenizer(), start, result.text.size(), ids);
    }
    result.num_prompt_tokens = begin;
    result.token_ids.assign(ids.begin() + begin, ids.end());
    const auto logprobs = filled.logprobs.begin();
    result.logprobs.assign(logprobs + begin, logprobs + std::ssize(ids));
  });
}

DiffusionResults edit_canvas(const LoadedModel& model, std::span<const int32_t> token_ids,
                             std::span<const int32_t> positions, const DiffusionConfig& config,
                             const StepCallback& on_step) {
  DiffusionCall call(model, config);
  call.check_length(token_ids.size());
  Canvas canvas;
  canvas.append_given(token_ids);
  if (positions.empty()) throw ConfigError("positions: give at least one to rewrite");
  for (const int32_t position : positions) {
    if (position < 0 || position >= canvas.length()) {
      throw ConfigError("positions: " + std::to_string(position) + " is outside the canvas of " +
                        std::to_string(canvas.length()) + " tokens");
    }
    canvas.masked[static_cast<std::size_t>(position)] = 1;
  }
  return call.fill(canvas, on_step, [&](FilledCanvas& filled, DiffusionResult& result) {
    result.text = model.tokenizer().decode(filled.token_ids);
    result.token_ids = filled.token_ids;
    result.logprobs = filled.logprobs;
  });
}

}  // namespace aios
