#include "engine/sentence_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "aios/error.h"

namespace aios {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;
namespace fs = std::filesystem;

class SentenceSettings : public testing::Test {
 protected:
  SentenceSettings() {
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "1_Pooling");
  }
  void write(const char* name, const char* text) const { std::ofstream(folder_ / name) << text; }
  void write_modules(const std::string& third) const {
    const std::string text = R"([{"path": "", "type": "sentence_transformers.models.Transformer"},
        {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"})" +
                             third + "]";
    write("modules.json", text.c_str());
  }
  [[nodiscard]] auto reading() const {
    return [this] { (void)read_sentence_settings(folder_); };
  }

  fs::path folder_ = fs::path(testing::TempDir()) / "sentence_settings_test";
};

TEST_F(SentenceSettings, AreEmptyWithoutFiles) {
  const auto settings = read_sentence_settings(folder_);
  EXPECT_FALSE(settings.pooling);
  EXPECT_EQ(settings.max_length, 0);
  EXPECT_EQ(prompt_named(settings, ""), "");
}

TEST_F(SentenceSettings, AreReadFromEveryFile) {
  write_modules(R"(, {"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"})");
  write("1_Pooling/config.json",
        R"({"word_embedding_dimension": 4, "pooling_mode_cls_token": true,
            "pooling_mode_mean_tokens": false})");
  write("sentence_bert_config.json", R"({"max_seq_length": 256, "do_lower_case": false})");
  write("config_sentence_transformers.json",
        R"({"prompts": {"query": "query: ", "passage": "passage: "},
            "default_prompt_name": "passage"})");
  const auto settings = read_sentence_settings(folder_);
  EXPECT_EQ(settings.pooling, PoolKind::kCls);
  EXPECT_EQ(settings.max_length, 256);
  EXPECT_EQ(prompt_named(settings, ""), "passage: ");
  EXPECT_EQ(prompt_named(settings, "query"), "query: ");
  EXPECT_THAT([&] { (void)prompt_named(settings, "qeury"); },
              ThrowsMessage<ConfigError>(HasSubstr("did you mean 'query'?")));
}

TEST_F(SentenceSettings, NameTheModuleThatIsNotSupported) {
  write("1_Pooling/config.json", R"({"pooling_mode_mean_tokens": true})");
  write_modules(R"(, {"path": "2_Dense", "type": "sentence_transformers.models.Dense"})");
  EXPECT_THAT(reading(), ThrowsMessage<InferenceError>(
                             AllOf(HasSubstr("modules.json"), HasSubstr("module 'Dense'"))));
}

TEST_F(SentenceSettings, RefuseOtherPooling) {
  write_modules("");
  EXPECT_THAT(reading(), ThrowsMessage<FormatError>(HasSubstr("it is not there")));
  write("1_Pooling/config.json", R"({"pooling_mode_max_tokens": true})");
  EXPECT_THAT(reading(), ThrowsMessage<InferenceError>(HasSubstr("pooling 'max_tokens'")));
  write("1_Pooling/config.json",
        R"({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true})");
  EXPECT_THAT(reading(), ThrowsMessage<InferenceError>(HasSubstr("exactly one kind")));
  write("1_Pooling/config.json", R"({"pooling_mode_cls_token": true, "include_prompt": false})");
  EXPECT_THAT(reading(), ThrowsMessage<InferenceError>(HasSubstr("include_prompt")));
}

TEST_F(SentenceSettings, RefuseMalformedFiles) {
  write("modules.json", "[{");
  EXPECT_THAT(reading(), ThrowsMessage<FormatError>(HasSubstr("no valid JSON")));
  write("modules.json", "{}");
  EXPECT_THAT(reading(), ThrowsMessage<FormatError>(HasSubstr("list of modules")));
  write("modules.json", R"([{"type": "x.Pooling", "path": "../elsewhere"}])");
  EXPECT_THAT(reading(), ThrowsMessage<FormatError>(HasSubstr("leads out")));
  write("modules.json", "[]");
  write("sentence_bert_config.json", R"({"max_seq_length": "long"})");
  EXPECT_THAT(reading(), ThrowsMessage<FormatError>(HasSubstr("'max_seq_length' is \"long\"")));
  write("sentence_bert_config.json", R"({"max_seq_length": -1})");
  EXPECT_THAT(reading(), ThrowsMessage<FormatError>(HasSubstr("-1 is out of range")));
  write("sentence_bert_config.json", R"({"do_lower_case": true})");
  EXPECT_THAT(reading(), ThrowsMessage<InferenceError>(HasSubstr("do_lower_case")));
}

}  // namespace
}  // namespace aios
