/// For tests: the tiny models of tests/parity/fixtures, and how a spec is compared with what
/// transformers computed. Made by tools/make_parity_fixtures.py, which describes the files.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "aios/error.h"
#include "backend/cpu/cpu_backend.h"
#include "base/text_file.h"
#include "model/inference_core.h"
#include "storage/weight_loader.h"

namespace aios::parity {

inline std::filesystem::path fixtures_folder() {
  return std::filesystem::path(AIOS_SOURCE_DIR) / "tests" / "parity" / "fixtures";
}

inline std::vector<std::string> fixture_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(fixtures_folder())) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

inline std::shared_ptr<Backend> make_backend(int num_threads = 1,
                                             ComputeType compute = ComputeType::kF32) {
  return make_cpu_backend(std::make_shared<ThreadPool>(num_threads), choose_isa(), compute);
}

struct Fixture {
  std::string name;
  std::string config;
  std::string generation_config;
  std::unique_ptr<WeightLoader> weights;
  std::unique_ptr<WeightLoader> expected;
  nlohmann::json expected_spec;
  std::vector<std::vector<int32_t>> sequences;

  explicit Fixture(const std::string& fixture_name) : name(fixture_name) {
    const std::filesystem::path folder = fixtures_folder() / name;
    config = read_text(folder / "config.json");
    if (std::filesystem::exists(folder / "generation_config.json")) {
      generation_config = read_text(folder / "generation_config.json");
    }
    weights = WeightLoader::open((folder / "model.safetensors").string());
    expected = WeightLoader::open((folder / "expected.safetensors").string());
    expected_spec = nlohmann::json::parse(read_text(folder / "expected.json"));
    while (expected->contains("input_ids." + std::to_string(sequences.size()))) {
      sequences.push_back(ids("input_ids." + std::to_string(sequences.size())));
    }
  }

  [[nodiscard]] ModelSpec spec() const { return parse_model_spec(config, generation_config); }
  [[nodiscard]] std::vector<int32_t> ids(const std::string& tensor) const {
    const TensorView view = expected->tensor(tensor);
    const auto values = view.as<int32_t>();
    return {values.begin(), values.end()};
  }
  [[nodiscard]] std::vector<SequenceInput> inputs() const {
    std::vector<SequenceInput> inputs;
    for (const auto& sequence : sequences) inputs.push_back({sequence, nullptr});
    return inputs;
  }

 private:
  static std::string read_text(const std::filesystem::path& path) {
    return read_text_file(path.string(), std::size_t{1} << 20);
  }
};

/// All rows of all sequences, as logits or, without a head, as hidden states.
inline std::vector<float> all_rows(const InferenceCore& core,
                                   const std::vector<SequenceInput>& inputs,
                                   AttentionKind attention) {
  if (core.spec().head == HeadKind::kNone) return core.hidden_states(inputs, attention);
  std::vector<int32_t> rows;
  for (const SequenceInput& input : inputs) {
    for (std::size_t i = 0; i < input.token_ids.size(); ++i) {
      rows.push_back(static_cast<int32_t>(rows.size()));
    }
  }
  HeadRequest request;
  request.output = HeadOutput::kLogits;
  request.rows = rows;
  HeadResult result;
  core.score(inputs, attention, request, result);
  return std::move(result.logits);
}

/// The `num_tokens` most likely tokens after `prompt`, one by one, from a cache.
inline std::vector<int32_t> greedy(const InferenceCore& core, std::vector<int32_t> prompt,
                                   std::size_t num_tokens) {
  const auto cache = core.make_cache(core.spec().context_length());
  std::vector<int32_t> next = std::move(prompt);
  std::vector<int32_t> continuation;
  while (continuation.size() < num_tokens) {
    const SequenceInput input{next, cache.get()};
    const std::vector<int32_t> rows{static_cast<int32_t>(next.size()) - 1};
    HeadRequest request;
    request.rows = rows;
    HeadResult result;
    core.score({&input, 1}, AttentionKind::kCausal, request, result);
    next = {result.candidates.at(0).sampled_id};
    continuation.push_back(next.front());
  }
  return continuation;
}

/// What the spec says of itself, in the words of expected.json.
inline nlohmann::json described(const ModelSpec& spec) {
  nlohmann::json modes = nlohmann::json::array();
  for (const Mode mode : spec.modes) modes.push_back(mode_name(mode));
  nlohmann::json kinds = nlohmann::json::array();
  for (const AttentionKind kind : spec.attention_kinds) kinds.push_back(attention_kind_name(kind));
  const auto id = [](const std::optional<int32_t>& token) {
    return token ? nlohmann::json(*token) : nlohmann::json();
  };
  return {{"family", spec.family},
          {"modes", modes},
          {"attention_kinds", kinds},
          {"logit_shift", spec.logit_shift},
          {"context_length", spec.context_length()},
          {"begin", id(spec.tokens.begin)},
          {"end", spec.tokens.end},
          {"pad", id(spec.tokens.pad)},
          {"mask", id(spec.tokens.mask)},
          {"suppressed", spec.tokens.suppressed}};
}

/// The project's bound on float32 parity, in units of the largest value.
inline constexpr float kTolerance = 1e-4F;

/// The first difference between rows of one kind of attention and transformers' values, if any.
inline std::optional<std::string> compare_rows(const Fixture& fixture,
                                               const std::vector<float>& rows,
                                               const std::string& kind) {
  std::size_t row_begin = 0;
  for (std::size_t s = 0; s < fixture.sequences.size(); ++s) {
    const std::string suffix = "." + kind + "." + std::to_string(s);
    const bool has_logits = fixture.expected->contains("logits" + suffix);
    const std::string name = (has_logits ? "logits" : "hidden") + suffix;
    const TensorView view = fixture.expected->tensor(name);
    const auto expected = view.as<float>();
    if (row_begin + expected.size() > rows.size()) return name + ": too few values";
    float largest = 0;
    float error = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      largest = std::max(largest, std::abs(expected[i]));
      const float difference = std::abs(rows[row_begin + i] - expected[i]);
      if (!(difference <= error)) error = difference;  // a NaN stays
    }
    if (!(error <= kTolerance * largest)) {
      return name + ": off by " + std::to_string(error / largest) + " of the largest value";
    }
    row_begin += expected.size();
  }
  if (row_begin != rows.size()) return kind + ": too many values";
  return std::nullopt;
}

/// The first way in which a network built from `spec` is not what transformers computed, if any.
inline std::optional<std::string> first_difference(const Fixture& fixture, const ModelSpec& spec,
                                                   const WeightLoader& weights,
                                                   const std::shared_ptr<Backend>& backend) {
  try {
    const InferenceCore core(spec, weights, backend);
    for (const AttentionKind kind :
         {AttentionKind::kFull, AttentionKind::kCausal, AttentionKind::kBlockCausal}) {
      if (!core.spec().allows(kind)) continue;
      const auto difference =
          compare_rows(fixture, all_rows(core, fixture.inputs(), kind), attention_kind_name(kind));
      if (difference) return difference;
    }
    if (fixture.expected->contains("greedy.ids")) {
      const std::vector<int32_t> expected = fixture.ids("greedy.ids");
      if (greedy(core, fixture.ids("greedy.prompt"), expected.size()) != expected) {
        return "its greedy continuation differs";
      }
    }
  } catch (const Error& error) {
    return std::string("refused: ") + error.what();
  }
  if (described(spec) != fixture.expected_spec) return "it describes itself otherwise";
  return std::nullopt;
}

}  // namespace aios::parity
