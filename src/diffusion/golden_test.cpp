// Every golden trace of the papers' own code, canvas by canvas (tests/goldens).
#include <map>
#include <memory>
#include <numeric>

#include "backend/cpu/cpu_backend.h"
#include "base/thread_pool.h"
#include "diffusion/diffusion_core.h"
#include "diffusion/testing/formula_denoiser.h"
#include "diffusion/testing/golden_file.h"
#include "diffusion/testing/golden_uniforms.h"

namespace aios::test {
namespace {

using nlohmann::json;
using Ids = std::vector<int32_t>;
using Trace = std::vector<Ids>;

std::vector<json> load_cases(const std::string& sampler) {
  auto cases = read_golden("samplers/" + sampler + ".json").at("cases").get<std::vector<json>>();
  EXPECT_GE(cases.size(), 3U) << sampler;
  return cases;
}

/// A golden case made ready to run.
struct GoldenRun {
  DiffusionConfig config;
  std::vector<Canvas> canvases;
  FormulaOptions formula;
  bool causal_blocks = false;
  Planner planner;  ///< empty: the kind's own
};

struct Outcome {
  std::vector<Trace> traces;  ///< per canvas, the canvas before the first and after every step
  std::vector<RecordedCall> calls;
  FilledCanvases filled;
};

Outcome run(const GoldenRun& setup, const Head& head, const UniformSource& noise) {
  Outcome outcome;
  outcome.traces.resize(setup.canvases.size());
  FormulaDenoiser denoiser(setup.formula, head);
  DiffusionCore core(denoiser, {kMaskId, {}, {}});
  DiscreteSampler sampler = DiscreteSampler::make(setup.config, kMaskId);
  if (setup.planner) sampler.planner = setup.planner;
  outcome.filled = core.fill(setup.canvases, setup.config, sampler, setup.causal_blocks, noise,
                             [&](const StepView& view) {
                               outcome.traces[static_cast<std::size_t>(view.sample)].emplace_back(
                                   view.token_ids.begin(), view.token_ids.end());
                             });
  outcome.calls = denoiser.calls;
  return outcome;
}

Canvas canvas_of(const Ids& ids, int32_t num_new, int32_t block_origin) {
  Canvas canvas;
  for (const int32_t id : ids) {
    if (id == kMaskId) {
      canvas.append_hole(1, false);
    } else {
      canvas.append_given(std::span(&id, 1));
    }
  }
  canvas.append_hole(num_new, false);
  canvas.block_origin = block_origin;
  return canvas;
}

template <typename T>
T parameter(const json& golden, const char* name, T otherwise) {
  const json& parameters = golden.at("params");
  return parameters.contains(name) && !parameters.at(name).is_null() ? parameters.at(name).get<T>()
                                                                     : otherwise;
}

/// One list of ids, or several.
std::vector<Ids> rows_of(const json& value) {
  if (value.at(0).is_array()) return value.get<std::vector<Ids>>();
  return {value.get<Ids>()};
}

GoldenRun common(const json& golden) {
  GoldenRun setup;
  setup.formula.gain = parameter(golden, "gain", 1.0);
  setup.formula.shifted = parameter(golden, "right_shift_logits", false);
  setup.config.cfg_scale = parameter(golden, "cfg_scale", 0.0F);
  setup.config.num_steps = parameter(golden, "steps", 0);
  setup.config.stop_at_end_of_text = false;
  return setup;
}

GoldenRun from_prompt_end(const json& golden, const char* new_tokens, const char* block_length) {
  GoldenRun setup = common(golden);
  for (const Ids& prompt : rows_of(golden.at("prompt"))) {
    setup.canvases.push_back(
        canvas_of(prompt, parameter(golden, new_tokens, 0), static_cast<int32_t>(prompt.size())));
  }
  setup.config.block_length = parameter(golden, block_length, 0);
  return setup;
}

ScheduleKind dllm_schedule(const json& golden) {
  return parameter<std::string>(golden, "scheduler", "Linear") == "Cosine"
             ? ScheduleKind::kCosineDllm
             : ScheduleKind::kLinear;
}

/// Golden canvases of row `row`, cut to the length of ours where rows are padded.
Trace golden_trace(const json& golden, std::size_t row, std::size_t length) {
  Trace trace;
  for (const json& step : golden.at("canvas")) {
    Ids ids = step.at(0).is_array() ? step.at(row).get<Ids>() : step.get<Ids>();
    if (ids.size() > length) ids.resize(length);
    trace.push_back(ids);
  }
  return trace;
}

/// In a batch of the references, a finished row waits for the others.
void drop_repeats(Trace& trace) {
  trace.erase(std::unique(trace.begin(), trace.end()), trace.end());
}

/// A real head on real buffers, fed with rows of logits: hidden = row, weight = identity.
class BackendHead {
 public:
  explicit BackendHead(int64_t vocab_size)
      : vocab_size_(vocab_size),
        backend_(
            make_cpu_backend(std::make_shared<ThreadPool>(1), choose_isa(), ComputeType::kF32)) {
    const auto identity = std::make_shared<std::vector<float>>(vocab_size * vocab_size);
    for (int64_t i = 0; i < vocab_size; ++i) {
      (*identity)[static_cast<std::size_t>(i * (vocab_size + 1))] = 1;
    }
    TensorView view;
    view.shape = {vocab_size, vocab_size};
    view.data = reinterpret_cast<const std::byte*>(identity->data());
    view.num_bytes = identity->size() * sizeof(float);
    view.owner = identity;
    linear_.weight = backend_->load(view);
    linear_.in_features = vocab_size;
    linear_.out_features = vocab_size;
  }

  void operator()(const std::vector<std::vector<double>>& logits, const HeadRequest& request,
                  HeadResult& result) const {
    result = {};
    if (logits.empty()) return;
    std::vector<float> hidden;
    for (const std::vector<double>& row : logits) {
      for (const double logit : row) hidden.push_back(static_cast<float>(logit));
    }
    const auto num_rows = static_cast<int64_t>(logits.size());
    const BufferPtr buffer = backend_->allocate(num_rows, vocab_size_);
    backend_->write(hidden, *buffer, 0);
    std::vector<int32_t> rows(logits.size());
    std::iota(rows.begin(), rows.end(), 0);
    HeadRequest own = request;
    own.rows = rows;
    backend_->head(linear_, own, *buffer, result);
  }

 private:
  int64_t vocab_size_;
  std::shared_ptr<Backend> backend_;
  Linear linear_;
};

/// Every case runs twice: with the head in double, and with the backend's on real buffers.
class Goldens : public testing::TestWithParam<const char*> {
 protected:
  Head head_ = GetParam() == std::string("Reference") ? Head(reference_head)
                                                      : Head(BackendHead(kFormulaVocabulary));

  /// Runs every case of a sampler and compares the canvases after every step.
  void check(const std::string& sampler, const std::function<GoldenRun(const json&)>& prepare) {
    const PhiloxUniformSource noise(1);
    for (const json& golden : load_cases(sampler)) {
      SCOPED_TRACE(golden.at("name").get<std::string>());
      const GoldenRun setup = prepare(golden);
      const Outcome outcome = run(setup, head_, noise);
      for (std::size_t row = 0; row < setup.canvases.size(); ++row) {
        Trace trace = outcome.traces[row];
        Trace expected = golden_trace(golden, row, trace.front().size());
        if (setup.canvases.size() > 1) {
          drop_repeats(trace);
          drop_repeats(expected);
        }
        EXPECT_EQ(trace, expected);
      }
      if (golden.contains("model_calls")) {
        EXPECT_EQ(outcome.filled.num_forward_passes, golden.at("model_calls").get<int>());
      }
    }
  }
};

TEST_P(Goldens, Llada) {
  check("llada",
        [](const json& golden) { return from_prompt_end(golden, "gen_length", "block_length"); });
}

TEST_P(Goldens, FastDllmThreshold) {
  check("fastdllm_threshold", [](const json& golden) {
    GoldenRun setup = from_prompt_end(golden, "gen_length", "block_length");
    setup.config.remasking = Remasking::kConfidenceThreshold;
    setup.config.confidence_threshold = parameter(golden, "threshold", 0.0F);
    return setup;
  });
}

TEST_P(Goldens, FastDllmFactor) {
  for (const char* sampler : {"fastdllm_factor", "fastdllm_factor_nvlabs"}) {
    check(sampler, [&](const json& golden) {
      GoldenRun setup = from_prompt_end(golden, "gen_length", "block_length");
      setup.config.remasking =
          std::string(sampler) == "fastdllm_factor" ? Remasking::kFactor : Remasking::kFactorNvlabs;
      setup.config.factor = parameter(golden, "factor", 0.0F);
      return setup;
    });
  }
}

TEST_P(Goldens, DllmMdlm) {
  check("dllm_mdlm", [](const json& golden) {
    GoldenRun setup = from_prompt_end(golden, "max_new_tokens", "block_size");
    setup.planner = plan_schedule_quota(dllm_schedule(golden));
    return setup;
  });
}

TEST_P(Goldens, DllmMdlmInfill) {
  check("dllm_mdlm_infill", [](const json& golden) {
    GoldenRun setup = common(golden);
    for (const Ids& input : rows_of(golden.at("input"))) {
      setup.canvases.push_back(canvas_of(input, 0, 0));
    }
    setup.config.block_length = parameter(golden, "block_size", 0);
    setup.planner = plan_schedule_quota(dllm_schedule(golden));
    return setup;
  });
}

TEST_P(Goldens, Dream) {
  const std::map<std::string, Remasking> kinds = {{"maskgit_plus", Remasking::kMaskgitPlus},
                                                  {"topk_margin", Remasking::kTopkMargin},
                                                  {"entropy", Remasking::kEntropy}};
  check("dream", [&](const json& golden) {
    GoldenRun setup = common(golden);
    const Ids prompt = golden.at("prompt").get<Ids>();
    const auto length = static_cast<int32_t>(prompt.size());
    setup.canvases = {canvas_of(prompt, parameter(golden, "max_length", 0) - length, length)};
    setup.formula.shifted = true;
    setup.config.remasking = kinds.at(golden.at("params").at("alg"));
    setup.config.eps = parameter(golden, "eps", 0.0F);
    setup.config.top_k = parameter(golden, "top_k", 0);
    setup.config.top_p = parameter(golden, "top_p", 1.0F);
    return setup;
  });
}

/// SDAR, LLaDA2: blocks from position 0, the canvas rounded up to whole blocks.
GoldenRun absolute_blocks(const json& golden, const char* new_tokens, const char* block_length) {
  GoldenRun setup = common(golden);
  const Ids prompt = golden.at("prompt").get<Ids>();
  const auto length = static_cast<int32_t>(prompt.size());
  const int32_t block = parameter(golden, block_length, 0);
  const auto total =
      static_cast<int32_t>(round_up_to_blocks(length + parameter(golden, new_tokens, 0), block));
  setup.canvases = {canvas_of(prompt, total - length, whole_blocks(length, block))};
  setup.config.block_length = block;
  setup.formula.block_length = block;
  setup.causal_blocks = true;
  return setup;
}

int32_t num_blocks(const GoldenRun& setup) {
  const Canvas& canvas = setup.canvases.front();
  return (canvas.length() - canvas.block_origin) / setup.config.block_length;
}

TEST_P(Goldens, Llada2) {
  check("llada2", [](const json& golden) {
    GoldenRun setup = absolute_blocks(golden, "max_new_tokens", "block_size");
    const int32_t steps =
        std::min(parameter(golden, "steps_per_block", 0),
                 parameter(golden, "max_new_tokens", 0) / parameter(golden, "minimal_topk", 1));
    setup.config.num_steps = steps * num_blocks(setup);
    setup.config.remasking = Remasking::kLowConfidenceDynamic;
    setup.config.confidence_threshold = parameter(golden, "threshold", 0.0F);
    return setup;
  });
}

TEST_P(Goldens, Llada21) {
  check("llada21", [](const json& golden) {
    GoldenRun setup = absolute_blocks(golden, "max_new_tokens", "block_size");
    setup.config.remasking = Remasking::kEditing;
    setup.config.confidence_threshold = parameter(golden, "threshold", 0.0F);
    setup.config.editing_threshold = parameter(golden, "editing_threshold", 0.0F);
    setup.config.max_post_steps = parameter(golden, "max_post_steps", 0);
    return setup;
  });
}

// The prompt is padded on the left, and the recorded canvas grows block by block.
TEST_P(Goldens, DllmBd3lm) {
  const PhiloxUniformSource noise(1);
  for (const json& golden : load_cases("dllm_bd3lm")) {
    SCOPED_TRACE(golden.at("name").get<std::string>());
    GoldenRun setup = from_prompt_end(golden, "max_new_tokens", "block_size");
    setup.planner = plan_schedule_quota(dllm_schedule(golden));
    setup.causal_blocks = true;
    setup.formula.block_length = setup.config.block_length;
    setup.formula.block_origin = setup.canvases.front().block_origin;
    const int32_t blocks = (setup.canvases.front().length() - setup.formula.block_origin +
                            setup.config.block_length - 1) /
                           setup.config.block_length;
    const int32_t per_block = parameter(golden, "steps_per_block", 0);
    if (per_block > 0) setup.config.num_steps = per_block * blocks;

    Trace trace = run(setup, head_, noise).traces.front();
    const Ids padding(golden.at("left_padding").get<std::size_t>(), kPadId);
    const Trace expected = golden.at("canvas").get<Trace>();
    ASSERT_EQ(trace.size(), expected.size());
    for (std::size_t step = 0; step < trace.size(); ++step) {
      Ids ids = padding;
      ids.insert(ids.end(), trace[step].begin(), trace[step].end());
      const auto later = ids.begin() + static_cast<std::ptrdiff_t>(expected[step].size());
      EXPECT_TRUE(std::all_of(later, ids.end(), [](int32_t id) { return id == kMaskId; }));
      EXPECT_EQ(Ids(ids.begin(), later), expected[step]) << "step " << step;
    }
  }
}

// The list of calls: what the network saw, and which calls only stored a finished block.
TEST_P(Goldens, Sdar) {
  const std::map<std::string, Remasking> kinds = {
      {"low_confidence_dynamic", Remasking::kLowConfidenceDynamic},
      {"low_confidence_static", Remasking::kLowConfidenceStatic},
      {"sequential", Remasking::kSequential}};
  const PhiloxUniformSource noise(1);
  for (const json& golden : load_cases("sdar")) {
    SCOPED_TRACE(golden.at("name").get<std::string>());
    GoldenRun setup = absolute_blocks(golden, "gen_length", "block_length");
    setup.config.remasking = kinds.at(golden.at("params").at("remasking_strategy"));
    setup.config.confidence_threshold = parameter(golden, "confidence_threshold", 0.0F);
    setup.config.top_k = parameter(golden, "top_k", 0);
    setup.config.num_steps = parameter(golden, "denoising_steps", 0) * num_blocks(setup);

    const Outcome outcome = run(setup, head_, noise);
    EXPECT_EQ(outcome.filled.canvases.front().token_ids, golden.at("final").get<Ids>());
    EXPECT_EQ(outcome.filled.num_forward_passes, golden.at("denoise_calls").get<int>());
    const json& calls = golden.at("calls");  // the last entry is the result, not a call
    ASSERT_EQ(outcome.calls.size() + 1, calls.size());
    for (std::size_t call = 0; call < outcome.calls.size(); ++call) {
      SCOPED_TRACE(call);
      Ids window = outcome.calls[call].window;
      window.resize(setup.canvases.front().token_ids.size(), kMaskId);  // later blocks: masks
      EXPECT_EQ(window, calls[call].at("canvas").get<Ids>());
      EXPECT_EQ(outcome.calls[call].action == CacheAction::kStore,
                calls[call].at("store_kv").get<bool>());
    }
  }
}

// Random numbers are the golden table's. Ours skips the last call when no mask is left for it.
TEST_P(Goldens, MdlmDdpm) {
  for (const json& golden : load_cases("mdlm_ddpm")) {
    SCOPED_TRACE(golden.at("name").get<std::string>());
    GoldenRun setup = common(golden);
    const int32_t length = parameter(golden, "length", 0);
    setup.canvases = {canvas_of({}, length, 0)};
    const bool caches = golden.at("sampler") == "mdlm_ddpm_cache";
    setup.config.remasking = caches ? Remasking::kDdpmCache : Remasking::kDdpm;
    setup.config.schedule = ScheduleKind::kLogLinear;
    setup.config.temperature = 1;
    setup.config.eps = parameter(golden, "eps", 0.0F);
    const GoldenUniforms uniforms(parameter(golden, "seed", uint64_t{0}), length,
                                  kFormulaVocabulary);

    const Outcome outcome = run(setup, head_, uniforms);
    const Trace& trace = outcome.traces.front();
    const json& steps = golden.at("steps");
    int expected_calls = 0;
    for (std::size_t step = 0; step < steps.size(); ++step) {
      const Ids before = steps[step].at("before").get<Ids>();
      if (std::count(before.begin(), before.end(), kMaskId) == 0) break;
      ASSERT_LT(step + 1, trace.size());
      EXPECT_EQ(trace[step], before) << "step " << step;
      EXPECT_EQ(trace[step + 1], steps[step].at("after").get<Ids>()) << "step " << step;
      if (!steps[step].value("reused_p", false)) ++expected_calls;
    }
    const Ids last = steps.back().at("after").get<Ids>();
    if (std::count(last.begin(), last.end(), kMaskId) > 0) ++expected_calls;
    EXPECT_EQ(outcome.filled.canvases.front().token_ids, golden.at("final").get<Ids>());
    EXPECT_EQ(outcome.filled.num_forward_passes, expected_calls);
  }
}

// Temperature and random order, with the golden table's numbers.
TEST_P(Goldens, LladaWithNoise) {
  for (const json& golden : load_cases("llada_noise")) {
    SCOPED_TRACE(golden.at("name").get<std::string>());
    GoldenRun setup = common(golden);
    const Ids prompt = golden.at("params").at("prompt").get<Ids>();
    const auto length = static_cast<int32_t>(prompt.size());
    setup.canvases = {canvas_of(prompt, parameter(golden, "gen_length", 0), length)};
    setup.config.block_length = parameter(golden, "block_length", 0);
    setup.config.temperature = parameter(golden, "temperature", 0.0F);
    if (parameter<std::string>(golden, "remasking", "") == "random") {
      setup.config.remasking = Remasking::kRandom;
    }
    const GoldenUniforms uniforms(parameter(golden, "seed", uint64_t{0}),
                                  setup.canvases[0].length(), kFormulaVocabulary);
    EXPECT_EQ(run(setup, head_, uniforms).traces.front(), golden.at("canvas").get<Trace>());
  }
}

// Ancestral sampling under other schedules than log-linear.
TEST_P(Goldens, MdlmSchedules) {
  const std::map<std::string, ScheduleKind> kinds = {
      {"CosineNoise", ScheduleKind::kCosineMdlm},
      {"CosineSqrNoise", ScheduleKind::kCosineSquared},
      {"Linear", ScheduleKind::kLinearMdlm},
      {"GeometricNoise", ScheduleKind::kGeometric}};
  for (const json& golden : load_cases("mdlm_schedules")) {
    SCOPED_TRACE(golden.at("name").get<std::string>());
    GoldenRun setup = common(golden);
    const int32_t length = parameter(golden, "length", 0);
    setup.canvases = {canvas_of({}, length, 0)};
    setup.config.remasking = Remasking::kDdpm;
    setup.config.schedule = kinds.at(golden.at("params").at("noise"));
    setup.config.temperature = 1;
    setup.config.eps = parameter(golden, "eps", 0.0F);
    const GoldenUniforms uniforms(parameter(golden, "seed", uint64_t{0}), length,
                                  kFormulaVocabulary);
    Trace trace = run(setup, head_, uniforms).traces.front();
    Trace expected = golden.at("canvas").get<Trace>();
    drop_repeats(trace);  // the reference goes on, and predicts once more, when no mask is left
    drop_repeats(expected);
    EXPECT_EQ(trace, expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Heads, Goldens, testing::Values("Reference", "Backend"),
                         [](const auto& name) { return std::string(name.param); });

}  // namespace
}  // namespace aios::test
