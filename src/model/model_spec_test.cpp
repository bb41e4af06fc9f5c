#include "model/model_spec.h"

#include <nlohmann/json.hpp>

#include "aios/error.h"
#include "model/rotary.h"

namespace aios {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

json llama_config() {
  return json::parse(R"({
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 100,
    "hidden_size": 32, "intermediate_size": 88, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "hidden_act": "silu", "max_position_embeddings": 64,
    "rms_norm_eps": 1e-5, "bos_token_id": 1, "eos_token_id": 2})");
}

json with(json config, const std::string& key, const json& value) {
  config[key] = value;
  return config;
}

json without(json config, const std::string& key) {
  config.erase(key);
  return config;
}

std::string refusal(const std::string& config, const std::string& generation_config = {}) {
  try {
    (void)parse_model_spec(config, generation_config);
  } catch (const FormatError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ModelSpec, ReadsSizesAndDerivesWhatIsLeftOut) {
  const ModelSpec spec = parse_model_spec(without(llama_config(), "num_key_value_heads").dump());
  EXPECT_EQ(spec.family, "llama");
  EXPECT_EQ(spec.num_key_value_heads, 4);
  EXPECT_EQ(spec.head_dim, 8);
  EXPECT_EQ(spec.context_length(), 64);
  EXPECT_FALSE(spec.tie_word_embeddings);
  EXPECT_TRUE(spec.allows(AttentionKind::kCausal));
  EXPECT_TRUE(spec.allows(AttentionKind::kFull));
  EXPECT_FALSE(spec.allows(AttentionKind::kBlockCausal));
  EXPECT_TRUE(spec.has_mode(Mode::kGenerate));
  EXPECT_FALSE(spec.has_mode(Mode::kDiffuse));
}

TEST(ModelSpec, ArchitectureGoesBeforeModelType) {
  const json mixed = with(llama_config(), "model_type", "qwen2");
  EXPECT_EQ(parse_model_spec(mixed.dump()).family, "llama");
  EXPECT_EQ(parse_model_spec(without(mixed, "architectures").dump()).family, "qwen2");
  EXPECT_EQ(parse_model_spec(with(mixed, "architectures", nullptr).dump()).family, "qwen2");
}

TEST(ModelSpec, ABaseModelHasNoHead) {
  const json config = with(llama_config(), "architectures", {"LlamaModel"});
  const ModelSpec spec = parse_model_spec(config.dump());
  EXPECT_EQ(spec.head, HeadKind::kNone);
  EXPECT_THAT(spec.modes, ElementsAre(Mode::kEncode));
}

TEST(ModelSpec, AMaskTokenOrDualModeMakesACausalModelADenoiserToo) {
  EXPECT_TRUE(
      parse_model_spec(with(llama_config(), "mask_token_id", 5).dump()).has_mode(Mode::kDiffuse));
  EXPECT_TRUE(
      parse_model_spec(with(llama_config(), "dual_mode", true).dump()).has_mode(Mode::kDiffuse));
}

TEST(ModelSpec, BothStylesOfRotarySettingsAreTheSame) {
  const json scaling = {{"rope_type", "llama3"},
                        {"factor", 8.0},
                        {"low_freq_factor", 1.0},
                        {"high_freq_factor", 4.0},
                        {"original_max_position_embeddings", 16}};
  json old_style = with(llama_config(), "rope_theta", 500000.0);
  old_style["rope_scaling"] = scaling;
  json new_style = with(llama_config(), "rope_parameters", scaling);
  new_style["rope_parameters"]["rope_theta"] = 500000.0;
  for (const json& config : {old_style, new_style}) {
    const RopeSpec rope = parse_model_spec(config.dump()).rope;
    EXPECT_EQ(rope.scaling, RopeScaling::kLlama3);
    EXPECT_EQ(rope.theta, 500000.0);
    EXPECT_EQ(rope.factor, 8.0);
    EXPECT_EQ(rope.original_max_position_embeddings, 16);
  }
  json oldest_style = llama_config();
  oldest_style["rope_scaling"] = {{"type", "linear"}, {"factor", 2.0}};
  EXPECT_EQ(parse_model_spec(oldest_style.dump()).rope.scaling, RopeScaling::kLinear);
}

TEST(ModelSpec, GenerationConfigGoesBeforeConfig) {
  const TokenIds tokens =
      parse_model_spec(llama_config().dump(),
                       R"({"eos_token_id": [7, 3], "pad_token_id": 0, "suppress_tokens": [9, 4]})")
          .tokens;
  EXPECT_EQ(tokens.begin, 1);
  EXPECT_THAT(tokens.end, ElementsAre(7, 3));
  EXPECT_EQ(tokens.pad, 0);
  EXPECT_EQ(tokens.mask, std::nullopt);
  EXPECT_THAT(tokens.suppressed, ElementsAre(4, 9));
}

TEST(ModelSpec, MinusOneIsNoToken) {
  const json config = with(llama_config(), "pad_token_id", -1);
  EXPECT_EQ(parse_model_spec(config.dump()).tokens.pad, std::nullopt);
}

TEST(ModelSpec, MistralSlidesUnlessToldNotTo) {
  json config = with(llama_config(), "architectures", {"MistralForCausalLM"});
  EXPECT_THAT(parse_model_spec(config.dump()).sliding_windows, ElementsAre(4096, 4096));
  config["sliding_window"] = 5;
  EXPECT_THAT(parse_model_spec(config.dump()).sliding_windows, ElementsAre(5, 5));
  config["sliding_window"] = nullptr;
  EXPECT_TRUE(parse_model_spec(config.dump()).sliding_windows.empty());
}

TEST(ModelSpec, QwenSlidesFromMaxWindowLayersOnOrWhereLayerTypesSay) {
  json config = with(llama_config(), "architectures", {"Qwen2ForCausalLM"});
  config.update({{"use_sliding_window", true}, {"sliding_window", 5}, {"max_window_layers", 1}});
  EXPECT_THAT(parse_model_spec(config.dump()).sliding_windows, ElementsAre(0, 5));
  config["layer_types"] = {"sliding_attention", "full_attention"};
  EXPECT_THAT(parse_model_spec(config.dump()).sliding_windows, ElementsAre(5, 0));
  config["use_sliding_window"] = false;
  EXPECT_TRUE(parse_model_spec(config.dump()).sliding_windows.empty());
}

TEST(Rotary, Llama3ScalingKeepsShortStretchesLongAndBlendsBetween) {
  RopeSpec rope;
  rope.theta = 10000.0;
  const Rotary plain = make_rotary(rope, 16);
  rope.scaling = RopeScaling::kLlama3;
  rope.factor = 8.0;
  rope.low_freq_factor = 1.0;
  rope.high_freq_factor = 4.0;
  rope.original_max_position_embeddings = 64;
  const Rotary scaled = make_rotary(rope, 16);
  ASSERT_EQ(scaled.inverse_frequencies.size(), 8U);
  // Wavelengths 2 pi 10^(i/2): 6.28 is below 64 / 4; 19.9 and 62.8 lie between; the rest above 64.
  EXPECT_EQ(scaled.inverse_frequencies[0], plain.inverse_frequencies[0]);
  for (std::size_t i : {1U, 2U}) {
    const double wavelength = 2 * M_PI / plain.inverse_frequencies[i];
    const double smooth = (64 / wavelength - 1) / 3;
    const double expected = plain.inverse_frequencies[i] * ((1 - smooth) / 8 + smooth);
    EXPECT_NEAR(scaled.inverse_frequencies[i], expected, 1e-6 * expected) << i;
  }
  for (std::size_t i = 3; i < 8; ++i) {
    EXPECT_EQ(scaled.inverse_frequencies[i], plain.inverse_frequencies[i] / 8) << i;
  }
}

// Bad input: the rows of docs/errors.md, section Model.

TEST(ModelSpecErrors, NotJson) {
  EXPECT_THAT(refusal("{\"vocab_size\": "), HasSubstr("config.json: not valid JSON"));
}

TEST(ModelSpecErrors, NotAnObject) {
  EXPECT_THAT(refusal("[1, 2]"), HasSubstr("must hold a JSON object"));
}

TEST(ModelSpecErrors, NestedTooDeeply) {
  const std::string open(100000, '[');
  const std::string close(100000, ']');
  EXPECT_THAT(refusal("{\"architectures\": " + open + close + "}"), HasSubstr("nested too deeply"));
}

TEST(ModelSpecErrors, UnknownArchitectureNamesTheKnown) {
  const std::string message =
      refusal(with(llama_config(), "architectures", {"LLaDAMoEModelLM"}).dump());
  EXPECT_THAT(message, HasSubstr("\"architectures\" is [\"LLaDAMoEModelLM\"]"));
  EXPECT_THAT(message, HasSubstr(" LLaDAModelLM "));
  EXPECT_THAT(message, HasSubstr(" Qwen3ForCausalLM"));
}

TEST(ModelSpecErrors, NoArchitecture) {
  EXPECT_THAT(
      refusal("{}"),
      HasSubstr(
          "\"model_type\" is missing; it must be one that this engine knows: Dream a2d-llama "));
}

TEST(ModelSpecErrors, MissingSize) {
  EXPECT_THAT(refusal(without(llama_config(), "hidden_size").dump()),
              HasSubstr("\"hidden_size\" is missing; it must be a whole number from 1"));
}

TEST(ModelSpecErrors, NegativeSize) {
  EXPECT_THAT(refusal(with(llama_config(), "num_attention_heads", -4).dump()),
              HasSubstr("\"num_attention_heads\" is -4"));
}

TEST(ModelSpecErrors, HugeSize) {
  EXPECT_THAT(refusal(with(llama_config(), "vocab_size", 18446744073709551615ULL).dump()),
              HasSubstr("\"vocab_size\" is 18446744073709551615"));
}

TEST(ModelSpecErrors, TooManyLayers) {
  EXPECT_THAT(refusal(with(llama_config(), "num_hidden_layers", 1 << 20).dump()),
              HasSubstr("\"num_hidden_layers\" is 1048576"));
}

TEST(ModelSpecErrors, TextForASize) {
  EXPECT_THAT(refusal(with(llama_config(), "hidden_size", "32").dump()),
              HasSubstr("\"hidden_size\" is \"32\""));
}

TEST(ModelSpecErrors, NumberForASwitch) {
  EXPECT_THAT(refusal(with(llama_config(), "mlp_bias", 1).dump()),
              HasSubstr("\"mlp_bias\" is 1; it must be true or false"));
}

TEST(ModelSpecErrors, NormEpsilonOfZero) {
  EXPECT_THAT(refusal(with(llama_config(), "rms_norm_eps", 0).dump()),
              HasSubstr("\"rms_norm_eps\" is 0; it must be a finite number above 0"));
}

TEST(ModelSpecErrors, HeadsThatDoNotDivideTheHiddenSize) {
  EXPECT_THAT(refusal(with(llama_config(), "num_attention_heads", 5).dump()),
              HasSubstr("a divisor of hidden_size"));
}

TEST(ModelSpecErrors, KeyValueHeadsThatDoNotDivideTheHeads) {
  EXPECT_THAT(refusal(with(llama_config(), "num_key_value_heads", 3).dump()),
              HasSubstr("cannot share 3 key-value heads among 4 attention heads"));
}

TEST(ModelSpecErrors, OddHeadCannotRotate) {
  EXPECT_THAT(refusal(with(llama_config(), "head_dim", 7).dump()),
              HasSubstr("cannot rotate heads of 7 dimensions"));
}

TEST(ModelSpecErrors, UnknownRopeScaling) {
  json config = llama_config();
  config["rope_scaling"] = {{"rope_type", "yarn"}, {"factor", 4.0}};
  EXPECT_THAT(refusal(config.dump()), HasSubstr("\"rope_type\" is \"yarn\"; it must be one of"));
}

TEST(ModelSpecErrors, RopeScalingWithoutFactor) {
  json config = llama_config();
  config["rope_scaling"] = {{"rope_type", "linear"}};
  EXPECT_THAT(refusal(config.dump()), HasSubstr("rope_scaling: \"factor\" is missing"));
}

TEST(ModelSpecErrors, UnknownActivation) {
  EXPECT_THAT(refusal(with(llama_config(), "hidden_act", "mish").dump()),
              HasSubstr("\"hidden_act\" is \"mish\"; it must be one of silu"));
}

TEST(ModelSpecErrors, MaskIdOutsideTheVocabulary) {
  EXPECT_THAT(refusal(with(llama_config(), "mask_token_id", 100).dump()),
              HasSubstr("\"mask_token_id\" is 100; it must be below the vocabulary's size, 100"));
}

TEST(ModelSpecErrors, EndIdOutsideTheVocabulary) {
  EXPECT_THAT(refusal(llama_config().dump(), R"({"eos_token_id": [2, 500]})"),
              HasSubstr("generation_config.json: \"eos_token_id\" is [2,500]"));
}

TEST(ModelSpecErrors, TokenIdOfWrongType) {
  EXPECT_THAT(refusal(with(llama_config(), "eos_token_id", "</s>").dump()),
              HasSubstr("it must be a token id or a list of token ids"));
}

TEST(ModelSpecErrors, LayerTypesOfWrongLength) {
  json config = with(llama_config(), "architectures", {"Qwen3ForCausalLM"});
  config.update({{"use_sliding_window", true}, {"sliding_window", 5}, {"head_dim", 8}});
  config["layer_types"] = {"full_attention"};
  EXPECT_THAT(refusal(config.dump()), HasSubstr("\"layer_types\" is [\"full_attention\"]"));
}

TEST(ModelSpecErrors, RelativePositions) {
  json bert = with(llama_config(), "architectures", {"BertModel"});
  bert["position_embedding_type"] = "relative_key";
  EXPECT_THAT(refusal(bert.dump()), HasSubstr("\"position_embedding_type\" is \"relative_key\""));
}

TEST(ModelSpecErrors, LladaWithAlibi) {
  json llada = with(llama_config(), "architectures", {"LLaDAModelLM"});
  llada["alibi"] = true;
  EXPECT_THAT(refusal(llada.dump()), HasSubstr("\"alibi\" is true"));
}

TEST(ModelSpecErrors, RobertaWithoutPadId) {
  const json config = with(llama_config(), "architectures", {"RobertaModel"});
  EXPECT_THAT(refusal(config.dump()), HasSubstr("\"pad_token_id\" is missing"));
}

TEST(ModelSpecErrors, RobertaWithoutRoomForPositions) {
  json config = with(llama_config(), "architectures", {"RobertaModel"});
  config.update({{"pad_token_id", 1}, {"max_position_embeddings", 2}});
  EXPECT_THAT(refusal(config.dump()), HasSubstr("\"max_position_embeddings\" is 2"));
}

}  // namespace
}  // namespace aios
