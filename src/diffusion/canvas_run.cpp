#include "diffusion/canvas_run.h"

#include <algorithm>
#include <utility>

namespace aios {
namespace {

int32_t count_set(std::span<const uint8_t> flags) {
  return static_cast<int32_t>(
      std::count_if(flags.begin(), flags.end(), [](uint8_t flag) { return flag != 0; }));
}

}  // namespace

CanvasRun::CanvasRun(Canvas canvas, int32_t index, const RunSettings& settings,
                     const StepCallback& on_step)
    : settings_(settings), on_step_(on_step), canvas_(std::move(canvas)), index_(index) {
  for (std::size_t position = 0; position < canvas_.token_ids.size(); ++position) {
    if (canvas_.masked[position] != 0) canvas_.token_ids[position] = settings_.mask_token_id;
    given_.push_back(canvas_.masked[position] == 0 ? 1 : 0);
  }
  logprobs_.resize(canvas_.token_ids.size());
  blocks_ = block_schedule(canvas_, settings_.layout);
  if (settings_.layout.causal && blocks_.front().begin > 0) {
    final_ends_.push_back(blocks_.front().begin);
  }
  begin_block();
  const bool steps_are_planned = settings_.num_steps > 0 && plan_.num_steps > 0;
  num_planned_steps_ = steps_are_planned ? settings_.num_steps : count_set(canvas_.masked);
  observe();
}

std::span<const int32_t> CanvasRun::window() const noexcept {
  return std::span(canvas_.token_ids).first(static_cast<std::size_t>(blocks_[block_].visible_end));
}

CacheAction CanvasRun::cache_action() const noexcept {
  if (settings_.kv_cache == CacheMode::kNone || settings_.layout.causal) return CacheAction::kNone;
  const int32_t period = settings_.cache_refresh_steps;
  const int32_t answers = num_answers_in_block_;
  const bool refreshes = answers == 0 || (period > 0 && answers % period == 0);
  return refreshes ? CacheAction::kRefresh : CacheAction::kReuse;
}

void CanvasRun::find_masks() {
  masked_positions_.clear();
  for (int32_t position = blocks_[block_].begin; position < blocks_[block_].end; ++position) {
    if (canvas_.masked[static_cast<std::size_t>(position)] != 0) {
      masked_positions_.push_back(position);
    }
  }
}

void CanvasRun::begin_block() {
  const Block& block = blocks_[block_];
  find_masks();
  step_in_block_ = 0;
  num_answers_in_block_ = 0;
  if (!masked_positions_.empty()) {
    const bool keeps_end = settings_.kv_cache == CacheMode::kDual;
    active_ = {masked_positions_.front(),
               keeps_end ? masked_positions_.back() + 1 : block.visible_end};
  }
  num_post_steps_ = 0;
  last_num_changes_ = 0;
  block_had_masks_ = !masked_positions_.empty();
  const auto num_masks = static_cast<int32_t>(masked_positions_.size());
  const int32_t share =
      settings_.num_steps > 0 ? steps_per_block(settings_.num_steps, blocks_.size()) : 0;
  plan_ = settings_.sampler.planner({num_masks, block.end - block.begin, share});
}

bool CanvasRun::block_is_done() const {
  if (!masked_positions_.empty()) return false;
  return !block_had_masks_ ||  // a block that was given whole is never edited
         !settings_.sampler.rule->wants_post_step(num_post_steps_, last_num_changes_);
}

void CanvasRun::end_block() {
  if (settings_.layout.causal) final_ends_.push_back(blocks_[block_].end);
  if (settings_.stop_at_end_of_text && end_of_text()) finished_ = true;
  ++block_;
  if (block_ == blocks_.size()) {
    finished_ = true;
    block_ = blocks_.size() - 1;
  } else if (!finished_) {
    begin_block();
  }
}

StepState CanvasRun::state() const {
  StepState state;
  state.canvas = index_;
  state.step = step_;
  state.step_in_block = step_in_block_;
  state.num_steps = plan_.num_steps;
  const auto step = static_cast<std::size_t>(step_in_block_);
  if (step < plan_.quotas.size()) state.quota = plan_.quotas[step];
  state.block = blocks_[block_];
  state.token_ids = canvas_.token_ids;
  state.given = given_;
  state.masked_positions = masked_positions_;
  state.noise = settings_.noise;
  return state;
}

bool CanvasRun::advance() {
  while (!finished_) {
    if (block_is_done()) {
      end_block();
      continue;
    }
    wanted_ = settings_.sampler.rule->wanted_positions(state());
    if (!wanted_.empty()) return true;
    finish_step(0);
  }
  return false;
}

bool CanvasRun::apply(std::span<const RowCandidates> rows) {
  const bool is_post_step = masked_positions_.empty();
  const std::vector<Reveal> reveals = settings_.sampler.rule->reveal(state(), wanted_, rows);
  for (const Reveal& reveal : reveals) {
    const auto position = static_cast<std::size_t>(reveal.position);
    canvas_.token_ids[position] = reveal.token_id;
    canvas_.masked[position] = 0;
    logprobs_[position] = reveal.log_prob;
  }
  if (is_post_step) ++num_post_steps_;
  ++num_answers_in_block_;
  find_masks();
  finish_step(static_cast<int32_t>(reveals.size()));
  return !reveals.empty();
}

void CanvasRun::finish_step(int32_t num_changes) {
  last_num_changes_ = num_changes;
  ++step_;
  ++step_in_block_;
  observe();
  if (settings_.stop_at_end_of_text && !settings_.sampler.rule->edits() && end_of_text()) {
    finished_ = true;
  }
}

std::vector<int32_t> CanvasRun::take_final_ends() { return std::exchange(final_ends_, {}); }

std::optional<int32_t> CanvasRun::end_of_text() const {
  const auto& ends = settings_.end_token_ids;
  for (std::size_t position = 0; position < canvas_.token_ids.size(); ++position) {
    if (canvas_.masked[position] != 0) return std::nullopt;
    const bool may_be_end = given_[position] == 0 && canvas_.may_end[position] != 0;
    if (may_be_end &&
        std::find(ends.begin(), ends.end(), canvas_.token_ids[position]) != ends.end()) {
      return static_cast<int32_t>(position);
    }
  }
  return std::nullopt;
}

void CanvasRun::observe() const {
  if (!on_step_) return;
  on_step_({index_, step_, num_planned_steps_, canvas_.token_ids, canvas_.masked});
}

}  // namespace aios
