#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include "aios/config.h"
#include "aios/error.h"

namespace aios {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// Reads `yaml` as an option file.
Options load(const std::string& yaml) {
  const auto path = std::filesystem::path(testing::TempDir()) / "options_test.yaml";
  std::ofstream(path) << yaml;
  Options options;
  load_options(path.string(), options);
  return options;
}

auto loading(const std::string& yaml) {
  return [yaml] { load(yaml); };
}

template <typename Config>
auto setting(const char* name, const char* text) {
  return [=] {
    Config config;
    set_option(config, name, text, std::string("--") + name);
  };
}

template <typename Config>
auto checking(Config config) {
  return [config] { check_options(config); };
}

template <typename Config>
void expect_defaults_pass() {
  EXPECT_NO_THROW(check_options(Config{}));
  for (const OptionInfo& option : list_options<Config>()) {
    EXPECT_FALSE(option.description.empty()) << option.name;
    const bool unset = option.name == "num_steps" || option.name == "window";
    if (unset || option.default_value.empty()) continue;
    Config config;
    EXPECT_NO_THROW(set_option(config, option.name, option.default_value)) << option.name;
  }
}

TEST(Options, DefaultsAreInRange) {
  expect_defaults_pass<EngineConfig>();
  expect_defaults_pass<EncodeConfig>();
  expect_defaults_pass<GenerationConfig>();
  expect_defaults_pass<DiffusionConfig>();
  expect_defaults_pass<ScoreConfig>();
}

TEST(Options, ReadsEverySectionOfYaml) {
  const Options options = load(R"(
engine:     {num_threads: 2, compute: f32}
encode:     {pooling: cls, normalize: false}
generation:
  temperature: 0.5
  seed: 18446744073709551615
  stop: ["\n", END]
diffusion:
  remasking: topk_margin
  schedule: cosine_dllm
  num_steps: 7
  stop: only
score:      {mode: diffusion, num_draws: 3}
)");
  EXPECT_EQ(options.engine.num_threads, 2);
  EXPECT_EQ(options.engine.compute, ComputeType::kF32);
  EXPECT_EQ(options.encode.pooling, Pooling::kCls);
  EXPECT_FALSE(options.encode.normalize);
  EXPECT_FLOAT_EQ(options.generation.temperature, 0.5F);
  EXPECT_EQ(options.generation.seed, std::numeric_limits<uint64_t>::max());
  EXPECT_THAT(options.generation.stop, ElementsAre("\n", "END"));
  EXPECT_EQ(options.diffusion.remasking, Remasking::kTopkMargin);
  EXPECT_EQ(options.diffusion.schedule, ScheduleKind::kCosineDllm);
  EXPECT_EQ(options.diffusion.num_steps, 7);
  EXPECT_THAT(options.diffusion.stop, ElementsAre("only"));
  EXPECT_EQ(options.score.mode, ScoreMode::kDiffusion);
  EXPECT_EQ(options.score.num_draws, 3);
  EXPECT_EQ(load("").generation.max_new_tokens, GenerationConfig{}.max_new_tokens);
}

TEST(Options, UnknownKeysAreErrorsWithLineAndSuggestion) {
  EXPECT_THAT(loading("diffusion:\n  seed: 1\n  num_setps: 4\n"),
              ThrowsMessage<ConfigError>(AllOf(HasSubstr("options_test.yaml:3: "),
                                               HasSubstr("'diffusion.num_setps'"),
                                               HasSubstr("did you mean 'num_steps'?"))));
  EXPECT_THAT(loading("difusion: {seed: 1}"),
              ThrowsMessage<ConfigError>(HasSubstr("did you mean 'diffusion'?")));
  EXPECT_THAT(loading("diffusion: {remasking: low_confidense}"),
              ThrowsMessage<ConfigError>(HasSubstr("did you mean 'low_confidence'?")));
  // An option of another struct is unknown here.
  EXPECT_THAT(loading("score: {temperature: 1}"),
              ThrowsMessage<ConfigError>(HasSubstr("unknown option 'score.temperature'")));
}

TEST(Options, MalformedYamlIsAnErrorWithItsLine) {
  EXPECT_THAT(loading("diffusion:\n  seed: [1\n"),
              ThrowsMessage<ConfigError>(HasSubstr("no valid YAML")));
  EXPECT_THAT(loading("just text"), ThrowsMessage<ConfigError>(HasSubstr("map of sections")));
  EXPECT_THAT(loading("diffusion: 3"), ThrowsMessage<ConfigError>(HasSubstr("map of options")));
  EXPECT_THAT(loading("diffusion: {seed: [1, 2]}"),
              ThrowsMessage<ConfigError>(HasSubstr("diffusion.seed must have one value")));
  EXPECT_THAT(loading("diffusion: {seed: }"),
              ThrowsMessage<ConfigError>(HasSubstr("diffusion.seed must have one value")));
  EXPECT_THAT(loading("#" + std::string(1U << 20U, 'x')),
              ThrowsMessage<IoError>(HasSubstr("more than 1048576 bytes")));
  EXPECT_THAT(
      [] {
        Options options;
        load_options("/no/such/file.yaml", options);
      },
      ThrowsMessage<IoError>(HasSubstr("/no/such/file.yaml")));
}

TEST(Options, TextThatIsNoValueIsRefused) {
  EXPECT_THAT(
      setting<DiffusionConfig>("num_steps", "0"),
      ThrowsMessage<ConfigError>("--num_steps must be a whole number of at least 1, not '0'"));
  EXPECT_THAT(setting<DiffusionConfig>("num_steps", "-4"),
              ThrowsMessage<ConfigError>(HasSubstr("-4")));
  EXPECT_THAT(setting<DiffusionConfig>("num_steps", "4x"),
              ThrowsMessage<ConfigError>(HasSubstr("4x")));
  EXPECT_THAT(setting<DiffusionConfig>("num_steps", ""),
              ThrowsMessage<ConfigError>(HasSubstr("''")));
  EXPECT_THAT(setting<DiffusionConfig>("num_steps", "99999999999"),
              ThrowsMessage<ConfigError>(HasSubstr("99999999999")));
  EXPECT_THAT(
      setting<GenerationConfig>("temperature", "nan"),
      ThrowsMessage<ConfigError>("--temperature must be a number of at least 0, not 'nan'"));
  EXPECT_THAT(setting<GenerationConfig>("temperature", "inf"),
              ThrowsMessage<ConfigError>(HasSubstr("inf")));
  EXPECT_THAT(
      setting<GenerationConfig>("top_p", "1.5"),
      ThrowsMessage<ConfigError>("--top_p must be a number above 0 and up to 1, not '1.5'"));
  EXPECT_THAT(setting<GenerationConfig>("repetition_penalty", "0"),
              ThrowsMessage<ConfigError>(HasSubstr("above 0")));
  EXPECT_THAT(setting<GenerationConfig>("seed", "-1"), ThrowsMessage<ConfigError>(HasSubstr("-1")));
  EXPECT_THAT(setting<GenerationConfig>("stop", ""),
              ThrowsMessage<ConfigError>(HasSubstr("a text")));
  EXPECT_THAT(setting<EncodeConfig>("normalize", "yes"),
              ThrowsMessage<ConfigError>("--normalize must be true or false, not 'yes'"));
  EXPECT_THAT(setting<EncodeConfig>("pooling", "max"),
              ThrowsMessage<ConfigError>(HasSubstr("one of default|mean|cls|last")));
}

TEST(Options, StructsAreCheckedToo) {
  GenerationConfig generation;
  generation.temperature = std::nanf("");
  EXPECT_THAT(checking(generation), ThrowsMessage<ConfigError>(HasSubstr("temperature must be")));
  generation = {};
  generation.stop = {""};
  EXPECT_THAT(checking(generation), ThrowsMessage<ConfigError>(HasSubstr("stop must be")));
  DiffusionConfig diffusion;
  diffusion.num_steps = -1;
  EXPECT_THAT(checking(diffusion), ThrowsMessage<ConfigError>(HasSubstr("num_steps must be")));
  diffusion = {};
  diffusion.remasking = static_cast<Remasking>(99);
  EXPECT_THAT(checking(diffusion), ThrowsMessage<ConfigError>(HasSubstr("remasking must be")));
  ScoreConfig score;
  score.window = 1;
  EXPECT_THAT(checking(score), ThrowsMessage<ConfigError>(HasSubstr("window must be")));
}

TEST(Options, AListIsAppendedToByTextAndReplacedByYaml) {
  GenerationConfig generation;
  set_option(generation, "stop", "a");
  set_option(generation, "stop", "b");
  EXPECT_THAT(generation.stop, ElementsAre("a", "b"));
}

TEST(Options, OnlyListsAreCleared) {
  GenerationConfig generation;
  generation.stop = {"a"};
  generation.top_k = 7;
  clear_list(generation, "stop");
  clear_list(generation, "top_k");
  EXPECT_TRUE(generation.stop.empty());
  EXPECT_EQ(generation.top_k, 7);
  ScoreConfig score;
  score.prefix = {"a", "b"};
  clear_list(score, "prefix");
  EXPECT_TRUE(score.prefix.empty());
  EXPECT_THROW(clear_list(score, "stop"), ConfigError);
}

}  // namespace
}  // namespace aios
