#include "model/inference_core.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>

#include "model/edited_weights.h"
#include "model/parity_fixture.h"
#include "model/recorder.h"

namespace aios {
namespace {

using parity::all_rows;
using parity::Fixture;
using parity::make_backend;
using testing::ElementsAre;
using testing::HasSubstr;

InferenceCore make_core(const Fixture& fixture) {
  return {fixture.spec(), *fixture.weights, make_backend()};
}

template <typename Call>
std::string refusal(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(InferenceCore, ScoresOnlyTheRowsAskedForInTheirOrder) {
  for (const char* name : {"qwen3_biases_untied", "roberta"}) {  // both kinds of head
    const Fixture fixture(name);
    const InferenceCore core = make_core(fixture);
    const auto width = static_cast<std::size_t>(core.spec().vocab_size);
    const std::vector<float> all = all_rows(core, fixture.inputs(), AttentionKind::kFull);
    const std::vector<int32_t> rows{24, 3, 3, 30};
    HeadRequest request;
    request.output = HeadOutput::kLogits;
    request.rows = rows;
    HeadResult result;
    core.score(fixture.inputs(), AttentionKind::kFull, request, result);
    ASSERT_EQ(result.logits.size(), rows.size() * width);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto row = std::span(all).subspan(static_cast<std::size_t>(rows[i]) * width, width);
      EXPECT_TRUE(std::equal(row.begin(), row.end(),
                             result.logits.begin() + static_cast<int64_t>(i * width)));
    }
  }
}

TEST(InferenceCore, PoolsEachSequenceByItself) {
  const Fixture fixture("bert_hidden_states");
  const InferenceCore core = make_core(fixture);
  const auto size = static_cast<std::size_t>(core.spec().hidden_size);
  const auto hidden = core.hidden_states(fixture.inputs(), AttentionKind::kFull);
  const auto mean = core.pooled(fixture.inputs(), AttentionKind::kFull, PoolKind::kMean, false);
  const auto cls = core.pooled(fixture.inputs(), AttentionKind::kFull, PoolKind::kCls, false);
  std::size_t row = 0;
  for (std::size_t s = 0; s < fixture.sequences.size(); ++s) {
    const std::size_t length = fixture.sequences[s].size();
    for (std::size_t i = 0; i < size; ++i) {
      double sum = 0;
      for (std::size_t r = 0; r < length; ++r) sum += hidden[(row + r) * size + i];
      EXPECT_NEAR(mean[s * size + i], sum / static_cast<double>(length), 1e-5);
      EXPECT_EQ(cls[s * size + i], hidden[row * size + i]);
    }
    row += length;
  }
}

TEST(InferenceCore, AFailedCallLeavesCachesAsTheyWere) {
  const Fixture fixture("qwen2_untied");
  const InferenceCore core = make_core(fixture);
  const auto cache = core.make_cache(8);
  const std::vector<int32_t> good{1, 2, 3};
  const std::vector<int32_t> bad{4, 97};
  const std::vector<SequenceInput> first{{good, cache.get()}};
  (void)core.hidden_states(first, AttentionKind::kCausal);
  const std::vector<SequenceInput> second{{bad, cache.get()}};
  EXPECT_THROW((void)core.hidden_states(second, AttentionKind::kCausal), InferenceError);
  EXPECT_EQ(cache->length(), 3);
}

/// Keeps what it is shown.
class Keeper final : public Recorder {
 public:
  struct Input {
    std::vector<float> values;
    int64_t columns;
  };
  std::map<std::string, Input, std::less<>> inputs;
  void record(std::string_view tensor_name, std::span<const float> input,
              int64_t columns) override {
    const bool is_new =
        inputs.emplace(tensor_name, Input{{input.begin(), input.end()}, columns}).second;
    EXPECT_TRUE(is_new) << tensor_name;
  }
};

/// Checks that the recorded inputs are those of the maps: what one map makes of its input must be
/// what the next is given. Returns W x for a row of `tensor`'s input.
std::vector<double> apply(const Fixture& fixture, const Keeper& keeper, const std::string& tensor,
                          std::size_t row) {
  const TensorView view = fixture.weights->tensor(tensor);
  const std::vector<float> weight = to_floats(view);
  const Keeper::Input& input = keeper.inputs.at(tensor);
  const auto columns = static_cast<std::size_t>(input.columns);
  std::vector<double> output(weight.size() / columns);
  for (std::size_t i = 0; i < output.size(); ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      output[i] += double{weight[i * columns + j]} * input.values[row * columns + j];
    }
  }
  return output;
}

TEST(Recorder, SeesTheInputOfEveryLinearMapOfAGatedNetworkAndChangesNothing) {
  const Fixture fixture("qwen2_untied");
  const InferenceCore core = make_core(fixture);
  const std::vector<int32_t> rows{0, 5};
  HeadRequest request;
  request.output = HeadOutput::kLogits;
  request.rows = rows;
  HeadResult plain;
  HeadResult recorded;
  Keeper keeper;
  core.score(fixture.inputs(), AttentionKind::kCausal, request, plain);
  core.score(fixture.inputs(), AttentionKind::kCausal, request, recorded, &keeper);
  EXPECT_EQ(plain.logits, recorded.logits);

  for (const TensorInfo& info : fixture.weights->tensors()) {
    if (info.shape.size() != 2 || info.name == "model.embed_tokens.weight") continue;
    ASSERT_TRUE(keeper.inputs.contains(info.name)) << info.name;
    EXPECT_EQ(keeper.inputs.at(info.name).columns, info.shape[1]) << info.name;
  }
  const std::vector<double> gate = apply(fixture, keeper, "model.layers.1.mlp.gate_proj.weight", 7);
  const std::vector<double> up = apply(fixture, keeper, "model.layers.1.mlp.up_proj.weight", 7);
  const Keeper::Input& down = keeper.inputs.at("model.layers.1.mlp.down_proj.weight");
  for (std::size_t i = 0; i < gate.size(); ++i) {
    const double expected = gate[i] / (1 + std::exp(-gate[i])) * up[i];
    EXPECT_NEAR(down.values[7 * gate.size() + i], expected, 1e-4 * (1 + std::abs(expected)));
  }
  const std::vector<double> logits = apply(fixture, keeper, "lm_head.weight", 1);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    EXPECT_NEAR(plain.logits[logits.size() + i], logits[i], 1e-4 * (1 + std::abs(logits[i])));
  }
}

TEST(Recorder, SeesTheInputOfEveryLinearMapOfAPostNormNetwork) {
  const Fixture fixture("distilbert_untied");
  const InferenceCore core = make_core(fixture);
  const std::vector<int32_t> rows{2};
  HeadRequest request;
  request.rows = rows;
  HeadResult result;
  Keeper keeper;
  core.score(fixture.inputs(), AttentionKind::kFull, request, result, &keeper);
  for (const TensorInfo& info : fixture.weights->tensors()) {
    const bool is_embedding = info.name.find("embeddings") != std::string::npos;
    if (info.shape.size() != 2 || is_embedding) continue;
    ASSERT_TRUE(keeper.inputs.contains(info.name)) << info.name;
    EXPECT_EQ(keeper.inputs.at(info.name).columns, info.shape[1]) << info.name;
  }
  EXPECT_EQ(keeper.inputs.at("vocab_transform.weight").values.size(), 24U);  // the row asked for
}

// Bad input: the rows of docs/errors.md, section Model.

class InferenceErrors : public testing::Test {
 protected:
  Fixture fixture_{"mistral_window"};
  InferenceCore core_ = make_core(fixture_);

  [[nodiscard]] std::string refused_ids(const std::vector<int32_t>& ids) const {
    const std::vector<SequenceInput> inputs{{ids, nullptr}};
    return refusal([&] { (void)core_.hidden_states(inputs, AttentionKind::kCausal); });
  }
  [[nodiscard]] std::string refused_request(const HeadRequest& request) const {
    return refusal([&] {
      HeadResult result;
      core_.score(fixture_.inputs(), AttentionKind::kCausal, request, result);
    });
  }
};

TEST_F(InferenceErrors, TokenIdBeyondTheVocabulary) {
  EXPECT_THAT(refused_ids({3, 97}),
              HasSubstr("token 1 of sequence 0 is 97, outside this model's vocabulary of 97"));
}

TEST_F(InferenceErrors, NegativeTokenId) {
  EXPECT_THAT(refused_ids({-1}), HasSubstr("token 0 of sequence 0 is -1"));
}

TEST_F(InferenceErrors, EmptySequence) {
  EXPECT_THAT(refused_ids({}), HasSubstr("sequence 0 is empty"));
}

TEST_F(InferenceErrors, NoSequence) {
  EXPECT_THAT(refusal([&] { (void)core_.hidden_states({}, AttentionKind::kCausal); }),
              HasSubstr("at least one sequence"));
}

TEST_F(InferenceErrors, BeyondTheRotaryContext) {
  EXPECT_EQ(refused_ids(std::vector<int32_t>(64, 5)), "accepted");
  EXPECT_THAT(refused_ids(std::vector<int32_t>(65, 5)),
              HasSubstr("sequence 0 has 65 tokens where this model's context is 64"));
}

TEST_F(InferenceErrors, BeyondTheLearnedPositions) {
  const InferenceCore roberta = make_core(Fixture("roberta"));  // 42 rows, the first two for pads
  const std::vector<int32_t> ids(41, 5);
  const std::vector<SequenceInput> inputs{{ids, nullptr}};
  EXPECT_THAT(refusal([&] { (void)roberta.hidden_states(inputs, AttentionKind::kFull); }),
              HasSubstr("has 41 tokens where this model's context is 40"));
}

TEST_F(InferenceErrors, AttentionThatTheModelLacks) {
  EXPECT_THAT(
      refusal([&] { (void)core_.hidden_states(fixture_.inputs(), AttentionKind::kBlockCausal); }),
      HasSubstr("this mistral model does not run with block-causal attention; it runs with: causal "
                "full"));
}

TEST_F(InferenceErrors, ScoresOfAModelWithoutAHead) {
  const Fixture fixture("bert_hidden_states");
  const InferenceCore bert = make_core(fixture);
  EXPECT_THAT(refusal([&] {
                HeadResult result;
                bert.score(fixture.inputs(), AttentionKind::kFull, {}, result);
              }),
              HasSubstr("has no scores of the vocabulary: it encodes"));
}

TEST_F(InferenceErrors, RowThatIsNotThere) {
  const std::vector<int32_t> rows{31};
  HeadRequest request;
  request.rows = rows;
  EXPECT_THAT(refused_request(request), HasSubstr("row 31 is asked for where there are 31"));
}

TEST_F(InferenceErrors, SuppressedIdBeyondTheVocabulary) {
  const std::vector<int32_t> ids{2, 4000};
  HeadRequest request;
  request.suppressed_token_ids = ids;
  EXPECT_THAT(refused_request(request), HasSubstr("token id 4000 is outside"));
}

TEST_F(InferenceErrors, CacheTooSmall) {
  const auto cache = core_.make_cache(2);
  const std::vector<int32_t> ids{1, 2, 3};
  const std::vector<SequenceInput> inputs{{ids, cache.get()}};
  EXPECT_THAT(refusal([&] { (void)core_.hidden_states(inputs, AttentionKind::kCausal); }),
              HasSubstr("has 3 tokens where its cache holds 2"));
}

TEST_F(InferenceErrors, CacheSharedByTwoSequences) {
  const auto cache = core_.make_cache(8);
  const std::vector<int32_t> ids{1, 2};
  const std::vector<SequenceInput> inputs{{ids, cache.get()}, {ids, cache.get()}};
  EXPECT_THAT(refusal([&] { (void)core_.hidden_states(inputs, AttentionKind::kCausal); }),
              HasSubstr("sequence 1 shares its cache with another"));
}

TEST_F(InferenceErrors, CacheBeyondTheContext) {
  EXPECT_THAT(refusal([&] { (void)core_.make_cache(65); }), HasSubstr("a cache of 65 tokens"));
  EXPECT_THAT(refusal([&] { (void)core_.make_cache(-1); }), HasSubstr("a cache of -1 tokens"));
}

TEST_F(InferenceErrors, CacheCutToMoreThanItHolds) {
  const auto cache = core_.make_cache(8);
  EXPECT_THAT(refusal([&] { cache->truncate(1); }),
              HasSubstr("a cache of 0 tokens cannot be cut to 1"));
  const std::vector<int32_t> ids{1, 2};
  const std::vector<SequenceInput> behind{{ids, cache.get(), 1}};
  EXPECT_THAT(refusal([&] { (void)core_.hidden_states(behind, AttentionKind::kFull); }),
              HasSubstr("replaces tokens from 1 on where its cache holds 0"));
}

class WeightErrors : public testing::Test {
 protected:
  using Views = std::map<std::string, TensorView>;
  Fixture fixture_{"llama3_scaling"};

  [[nodiscard]] std::string refused_edit(const std::function<void(Views&)>& change) const {
    EditedWeights weights(*fixture_.weights);
    weights.edit(change);
    return refusal([&] { const InferenceCore core(fixture_.spec(), weights, make_backend()); });
  }
};

TEST_F(WeightErrors, MissingTensor) {
  EXPECT_THAT(refused_edit([](Views& views) { views.erase("model.layers.1.mlp.up_proj.weight"); }),
              HasSubstr("tensor 'model.layers.1.mlp.up_proj.weight' of shape [88, 32] is missing"));
}

TEST_F(WeightErrors, MissingEmbeddingOfAnotherModel) {
  EXPECT_THAT(refused_edit([](Views& views) { views.erase("model.embed_tokens.weight"); }),
              HasSubstr("tensor 'model.embed_tokens.weight' is missing"));
}

TEST_F(WeightErrors, ExtraTensor) {
  EXPECT_THAT(
      refused_edit([](Views& views) { views["model.layers.2.x"] = views["model.norm.weight"]; }),
      HasSubstr("tensor 'model.layers.2.x' of shape [32] has no place in this network"));
}

TEST_F(WeightErrors, MisshapenTensor) {
  EXPECT_THAT(refused_edit([](Views& views) {
                std::swap(views["model.layers.0.mlp.up_proj.weight"].shape[0],
                          views["model.layers.0.mlp.up_proj.weight"].shape[1]);
              }),
              HasSubstr("tensor 'model.layers.0.mlp.up_proj.weight' has shape [32, 88] where "
                        "config.json asks for [88, 32]"));
}

TEST_F(WeightErrors, TensorOfIntegers) {
  EXPECT_THAT(refused_edit([](Views& views) {
                views["model.layers.0.mlp.up_proj.weight"].dtype = DType::kI16;
              }),
              HasSubstr("holds i16 where weights must be f32, bf16 or f16"));
}

TEST_F(WeightErrors, HeadMissingWhereNothingIsTied) {
  nlohmann::json config = nlohmann::json::parse(fixture_.config);
  config["tie_word_embeddings"] = false;
  EXPECT_THAT(refusal([&] {
                const InferenceCore core(parse_model_spec(config.dump()), *fixture_.weights,
                                         make_backend());
              }),
              HasSubstr("tensor 'lm_head.weight' of shape [97, 32] is missing"));
}

TEST_F(WeightErrors, AnOwnHeadGoesBeforeATiedOne) {
  // As transformers 5 does when the file has a matrix of its own with other values.
  EditedWeights weights(*fixture_.weights);
  weights.edit([](Views& views) {
    TensorView zeros = views["model.embed_tokens.weight"];
    const auto memory = std::make_shared<std::vector<std::byte>>(zeros.num_bytes);
    zeros.data = memory->data();
    zeros.owner = memory;
    views["lm_head.weight"] = zeros;
  });
  const InferenceCore core(fixture_.spec(), weights, make_backend());
  const std::vector<float> logits = all_rows(core, fixture_.inputs(), AttentionKind::kCausal);
  EXPECT_TRUE(std::all_of(logits.begin(), logits.end(), [](float value) { return value == 0; }));
}

TEST_F(WeightErrors, SpecThatContradictsItself) {
  ModelSpec spec = fixture_.spec();
  spec.num_key_value_heads = 3;
  EXPECT_THAT(refusal([&] { const InferenceCore core(spec, *fixture_.weights, make_backend()); }),
              HasSubstr("cannot share 3 key-value heads among 4"));
}

}  // namespace
}  // namespace aios
