// What is wrong in a tokenizer's files is a FormatError that names the place (docs/errors.md).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "aios/error.h"
#include "aios/tokenizer.h"

namespace aios {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// A small tokenizer in which everything is right.
json good() {
  return json::parse(R"({
    "version": "1.0",
    "added_tokens": [{"id": 3, "content": "<x>", "special": true}],
    "normalizer": {"type": "NFC"},
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
    "post_processor": {"type": "TemplateProcessing",
      "single": [{"SpecialToken": {"id": "<x>", "type_id": 0}}, {"Sequence": {"id": "A"}}],
      "pair": [{"Sequence": {"id": "A"}}, {"Sequence": {"id": "B", "type_id": 1}}],
      "special_tokens": {"<x>": {"id": "<x>", "ids": [3], "tokens": ["<x>"]}}},
    "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}})");
}

/// The message that `text` is refused with.
std::string refusal_of(const std::string& text) {
  try {
    FastTokenizer::from_json(text);
  } catch (const FormatError& error) {
    EXPECT_THAT(error.what(), Not(HasSubstr("\n"))) << "a message is one line";
    return error.what();
  }
  ADD_FAILURE() << "accepted: " << text.substr(0, 2000);
  return {};
}

/// … when one place of the good file is replaced.
std::string refusal(const char* place, const json& value) {
  json document = good();
  document[json::json_pointer(place)] = value;
  return refusal_of(document.dump());
}

TEST(BadTokenizer, TheGoodOneLoads) {
  const FastTokenizer tokenizer = FastTokenizer::from_json(good().dump());
  EXPECT_THAT(tokenizer.encode("ab").ids, ::testing::ElementsAre(3, 2));
}

TEST(BadTokenizer, MalformedJson) {
  EXPECT_THAT(refusal_of("{\"model\": {"),
              AllOf(HasSubstr("'tokenizer.json' is not valid JSON"), HasSubstr("column")));
}
TEST(BadTokenizer, EmptyFile) { EXPECT_THAT(refusal_of(""), HasSubstr("not valid JSON")); }
TEST(BadTokenizer, BytesThatAreNoUtf8) {
  EXPECT_THAT(refusal_of("{\"a\": \"\xFF\"}"), HasSubstr("ill-formed UTF-8"));
}
TEST(BadTokenizer, DeeplyNestedArrays) {
  EXPECT_THAT(refusal_of(std::string(1'000'000, '[') + std::string(1'000'000, ']')),
              HasSubstr("expected an object, found array"));
}
TEST(BadTokenizer, DeeplyNestedStages) {
  json stage = {{"type", "NFC"}};
  for (int i = 0; i < 50; ++i) {
    stage = {{"type", "Sequence"}, {"normalizers", json::array({stage})}};
  }
  EXPECT_THAT(refusal("/normalizer", stage), HasSubstr("nested too deeply"));
}
TEST(BadTokenizer, OtherVersion) {
  EXPECT_THAT(refusal("/version", "2.0"), HasSubstr("at version: version \"2.0\""));
}
TEST(BadTokenizer, NoModel) {
  EXPECT_THAT(refusal("/model", nullptr), HasSubstr("'model' is missing"));
}
TEST(BadTokenizer, ModelWithoutType) {
  EXPECT_THAT(refusal("/model", json::object()), HasSubstr("at model: 'type' is missing"));
}

TEST(BadTokenizer, NoVocabulary) {
  EXPECT_THAT(refusal("/model/vocab", nullptr), HasSubstr("at model: 'vocab' is missing"));
}
TEST(BadTokenizer, VocabularyOfAnotherType) {
  EXPECT_THAT(refusal("/model/vocab", json::array({"a"})), HasSubstr("expected an object"));
}
TEST(BadTokenizer, EmptyVocabulary) {
  EXPECT_THAT(refusal("/model/vocab", json::object()), HasSubstr("the vocabulary is empty"));
}
TEST(BadTokenizer, IdThatIsNoInteger) {
  EXPECT_THAT(refusal("/model/vocab/ab", 2.5),
              AllOf(HasSubstr("model.vocab[\"ab\"]"), HasSubstr("expected an integer")));
}
TEST(BadTokenizer, NegativeId) {
  EXPECT_THAT(refusal("/model/vocab/ab", -2), HasSubstr("-2 is not in 0…2147483647"));
}
TEST(BadTokenizer, IdBeyond32Bits) {
  EXPECT_THAT(refusal("/model/vocab/ab", uint64_t{1} << 63U), HasSubstr("is not in 0…"));
}
TEST(BadTokenizer, IdThatWouldNeedGigabytes) {
  EXPECT_THAT(refusal("/model/vocab/ab", 2147483647),
              HasSubstr("id 2147483647 is too large for a vocabulary of 3 tokens"));
}
TEST(BadTokenizer, IdGivenTwice) {
  EXPECT_THAT(refusal("/model/vocab/ab", 1), HasSubstr("have the same id 1"));
}

TEST(BadTokenizer, NoMerges) {
  EXPECT_THAT(refusal("/model/merges", nullptr), HasSubstr("'merges' is missing"));
}
TEST(BadTokenizer, MergeOfThreeTokens) {
  EXPECT_THAT(refusal("/model/merges/0", "a b a"),
              AllOf(HasSubstr("model.merges[0]"), HasSubstr("one space")));
}
TEST(BadTokenizer, MergeOfAnotherType) {
  EXPECT_THAT(refusal("/model/merges/0", json::array({"a", 1})), HasSubstr("expected \"a b\""));
}
TEST(BadTokenizer, MergeOfAnUnknownToken) {
  EXPECT_THAT(refusal("/model/merges/0", "a c"), HasSubstr("the vocabulary lacks \"c\""));
}
TEST(BadTokenizer, MergeIntoAnUnknownToken) {
  EXPECT_THAT(refusal("/model/merges/0", "b a"), HasSubstr("the vocabulary lacks \"ba\""));
}
TEST(BadTokenizer, MergesThatLeadBackToTheirSidesEnd) {
  json document = good();
  document["model"] = {{"type", "BPE"},
                       {"unk_token", "##"},
                       {"continuing_subword_prefix", "##"},
                       {"vocab", {{"a", 0}, {"##", 1}, {"##a", 2}}},
                       {"merges", {"a ##", "##a ##"}}};  // make "a" and "##a"
  const FastTokenizer tokenizer = FastTokenizer::from_json(document.dump());
  EXPECT_THAT(tokenizer.encode("a" + std::string(1000, 'x')).ids, ::testing::ElementsAre(3, 0));
}

TEST(BadTokenizer, ATokenOfMegabytesLoads) {
  json document = good();
  document["added_tokens"] = json::array();
  document.erase("post_processor");
  const std::string token(std::size_t{16} << 20U, 'a');
  document["model"]["vocab"][token] = 3;
  const FastTokenizer tokenizer = FastTokenizer::from_json(document.dump());
  EXPECT_THAT(tokenizer.encode("ab").ids, ::testing::ElementsAre(2));
  EXPECT_EQ(tokenizer.id_to_token(3), token);
}

TEST(BadTokenizer, Dropout) {
  EXPECT_THAT(refusal("/model/dropout", 0.1), HasSubstr("dropout is not supported"));
}
TEST(BadTokenizer, ByteFallbackOfAnotherType) {
  EXPECT_THAT(refusal("/model/byte_fallback", "yes"),
              HasSubstr("model.byte_fallback: expected true or false"));
}
TEST(BadTokenizer, MergeWithoutTheContinuingPrefix) {
  EXPECT_THAT(refusal("/model/continuing_subword_prefix", "##"),
              HasSubstr("\"b\" lacks the continuing_subword_prefix"));
}
TEST(BadTokenizer, ContinuingSubwordPrefix) {
  EXPECT_THAT(refusal("/model/continuing_subword_prefix", 3),
              HasSubstr("expected a string, found number"));
}

TEST(BadTokenizer, UnsupportedNormalizer) {
  EXPECT_THAT(refusal("/normalizer/type", "Custom"),
              AllOf(HasSubstr("at normalizer: type \"Custom\" is not supported"),
                    HasSubstr("BertNormalizer, ByteLevel")));
}
TEST(BadTokenizer, UnsupportedPreTokenizer) {
  EXPECT_THAT(refusal("/pre_tokenizer/type", "Custom"), HasSubstr("\"Custom\""));
}
TEST(BadTokenizer, UnsupportedModel) {
  EXPECT_THAT(refusal("/model/type", "Custom"), HasSubstr("\"Custom\" is not supported"));
}
TEST(BadTokenizer, UnsupportedPostProcessor) {
  EXPECT_THAT(refusal("/post_processor/type", "Custom"), HasSubstr("\"Custom\""));
}
TEST(BadTokenizer, UnsupportedDecoder) {
  EXPECT_THAT(refusal("/decoder/type", "Custom"), HasSubstr("at decoder: type \"Custom\""));
}
TEST(BadTokenizer, StageOfAnotherType) {
  EXPECT_THAT(refusal("/normalizer", "NFC"), HasSubstr("expected an object, found string"));
}
TEST(BadTokenizer, OptionOfAnotherType) {
  EXPECT_THAT(refusal("/pre_tokenizer/add_prefix_space", "yes"),
              HasSubstr("pre_tokenizer.add_prefix_space: expected true or false, found string"));
}

json split(const char* pattern, const char* behavior = "Isolated") {
  return {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", behavior}};
}

TEST(BadTokenizer, UnknownBehavior) {
  EXPECT_THAT(refusal("/pre_tokenizer", split("a", "Dropped")), HasSubstr("\"Dropped\""));
}
TEST(BadTokenizer, SplitWithoutPattern) {
  EXPECT_THAT(refusal("/pre_tokenizer", {{"type", "Split"}}), HasSubstr("'pattern' is missing"));
}
TEST(BadTokenizer, RegexThatDoesNotCompile) {
  EXPECT_THAT(refusal("/pre_tokenizer", split("a)")),
              AllOf(HasSubstr("pre_tokenizer.pattern"), HasSubstr("does not compile")));
}
TEST(BadTokenizer, RegexConstructsWithoutAnEqual) {
  for (const char* pattern : {R"(\b)", R"(\1)", R"([[:alpha:]])", R"(\p{Klingon})", R"((?<name>a))",
                              R"((?m:.))", R"(a{,3})", R"(a{2}+)", R"([[\P{Q}]])", R"(\x41)",
                              R"([])", R"([a)", R"([[z-a]])", R"(\)"}) {
    EXPECT_THAT(refusal("/pre_tokenizer", split(pattern)), HasSubstr("is not supported"))
        << pattern;
  }
}

TEST(BadTokenizer, UnigramVocabularyOfAnotherType) {
  EXPECT_THAT(refusal("/model", {{"type", "Unigram"}, {"vocab", {{"a", 0}}}}),
              HasSubstr("model.vocab: expected an array of [token, score]"));
}
TEST(BadTokenizer, UnigramTokenWithoutScore) {
  EXPECT_THAT(refusal("/model",
                      {{"type", "Unigram"},
                       {"vocab", json::array({json::array({"a", 0.5}), json::array({"b", "c"})})}}),
              HasSubstr("model.vocab[1]: expected [token, score]"));
}
TEST(BadTokenizer, UnigramWithoutTokens) {
  EXPECT_THAT(refusal("/model", {{"type", "Unigram"}, {"vocab", json::array()}}),
              HasSubstr("the vocabulary is empty"));
}
TEST(BadTokenizer, UnknownIdOutsideTheVocabulary) {
  EXPECT_THAT(refusal("/model", {{"type", "Unigram"},
                                 {"unk_id", 2},
                                 {"vocab", json::array({{"a", 0.5}, {"b", 0.5}})}}),
              HasSubstr("model.unk_id: 2 is not in 0…1"));
}
json precompiled(const char* map) {
  return {{"type", "Precompiled"}, {"precompiled_charsmap", map}};
}
TEST(BadTokenizer, CharacterMapThatIsNoBase64) {
  EXPECT_THAT(refusal("/normalizer", precompiled("a?b")), HasSubstr("is not base64"));
}
TEST(BadTokenizer, CharacterMapCutOff) {
  EXPECT_THAT(refusal("/normalizer", precompiled("AAA=")), HasSubstr("is cut off"));
  EXPECT_THAT(refusal("/normalizer", precompiled("/////w==")), HasSubstr("names a table of"));
}
TEST(BadTokenizer, CharacterMapWithInvalidText) {
  EXPECT_THAT(refusal("/normalizer", precompiled("BAAAAAAAAAD/")), HasSubstr("not valid UTF-8"));
}
TEST(BadTokenizer, DelimiterOfTwoCharacters) {
  EXPECT_THAT(refusal("/pre_tokenizer", {{"type", "CharDelimiterSplit"}, {"delimiter", "ab"}}),
              HasSubstr("expected one character, found \"ab\""));
}
TEST(BadTokenizer, UnknownPrependScheme) {
  EXPECT_THAT(refusal("/pre_tokenizer",
                      {{"type", "Metaspace"}, {"replacement", "_"}, {"prepend_scheme", "last"}}),
              HasSubstr("prepend_scheme \"last\" is not supported"));
}
TEST(BadTokenizer, PrependSchemesThatContradict) {
  EXPECT_THAT(refusal("/pre_tokenizer", {{"type", "Metaspace"},
                                         {"replacement", "_"},
                                         {"prepend_scheme", "first"},
                                         {"add_prefix_space", false}}),
              HasSubstr("contradicts prepend_scheme \"first\""));
}
TEST(BadTokenizer, FixedLengthOfZero) {
  EXPECT_THAT(refusal("/pre_tokenizer", {{"type", "FixedLength"}, {"length", 0}}),
              HasSubstr("0 is not in 1…"));
}

TEST(BadTokenizer, TemplateWithAnUnknownSpecialToken) {
  EXPECT_THAT(refusal("/post_processor/single/0/SpecialToken/id", "<y>"),
              HasSubstr("post_processor.special_tokens: '<y>' is missing"));
}
TEST(BadTokenizer, TemplateWithAnIdOutsideTheVocabulary) {
  EXPECT_THAT(refusal("/post_processor/special_tokens/<x>/ids/0", 4), HasSubstr("4 is not in 0…3"));
}
TEST(BadTokenizer, TemplateWithASequenceThatItDoesNotGet) {
  EXPECT_THAT(refusal("/post_processor/single/1/Sequence/id", "B"),
              HasSubstr("sequence \"B\" is not one of the 1"));
}
TEST(BadTokenizer, BertProcessingWithoutSeparator) {
  EXPECT_THAT(refusal("/post_processor", {{"type", "BertProcessing"}, {"cls", {"<x>", 3}}}),
              HasSubstr("'sep' is missing"));
}
TEST(BadTokenizer, BertProcessingWithAnIdOutsideTheVocabulary) {
  EXPECT_THAT(refusal("/post_processor",
                      {{"type", "BertProcessing"}, {"cls", {"<x>", 3}}, {"sep", {"<y>", 9}}}),
              HasSubstr("9 is not in 0…3"));
}

TEST(BadTokenizer, AddedTokenWithoutContent) {
  EXPECT_THAT(refusal("/added_tokens/0", {{"id", 3}}),
              HasSubstr("added_tokens[0]: 'content' is missing"));
}
TEST(BadTokenizer, AddedTokenWithANegativeId) {
  EXPECT_THAT(refusal("/added_tokens/0/id", -1), HasSubstr("added_tokens[0].id: -1"));
}
TEST(BadTokenizer, AddedTokenWhoseIdIsTaken) {
  // Three tokens, so the next id is 3; but there is a hole below.
  EXPECT_THAT(refusal("/model/vocab", {{"a", 0}, {"b", 1}, {"ab", 3}}),
              HasSubstr("\"<x>\" gets id 3, which the vocabulary gives to \"ab\""));
}
TEST(BadTokenizer, PaddingIdOutsideTheVocabulary) {
  EXPECT_THAT(refusal("/padding", {{"pad_id", 7}}), HasSubstr("padding.pad_id: 7 is not in 0…3"));
}

/// A folder that goes when the test ends.
class BadTokenizerFolder : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  [[nodiscard]] std::string refusal() const {
    try {
      FastTokenizer::from_file(folder_.string());
    } catch (const FormatError& error) {
      return error.what();
    }
    ADD_FAILURE() << "accepted";
    return {};
  }

  std::filesystem::path folder_ = std::filesystem::path(::testing::TempDir()) /
                                  (std::string("bad_tokenizer_") +
                                   ::testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(BadTokenizerFolder, IsEmpty) {
  EXPECT_THROW(FastTokenizer::from_file(folder_.string()), IoError);
  EXPECT_THROW(FastTokenizer::from_file((folder_ / "absent.json").string()), IoError);
}
TEST_F(BadTokenizerFolder, NamesTheFile) {
  write("tokenizer.json", "[");
  EXPECT_THAT(refusal(), HasSubstr((folder_ / "tokenizer.json").string()));
}
TEST_F(BadTokenizerFolder, HasAConfigThatIsNoJson) {
  write("tokenizer.json", good().dump());
  write("tokenizer_config.json", "{");
  EXPECT_THAT(refusal(), HasSubstr("tokenizer_config.json' is not valid JSON"));
}
TEST_F(BadTokenizerFolder, NamesASpecialTokenByNumber) {
  write("tokenizer.json", good().dump());
  write("tokenizer_config.json", R"({"mask_token": 3})");
  EXPECT_THAT(refusal(), HasSubstr("at mask_token: expected a string, found number"));
}
TEST_F(BadTokenizerFolder, HasAVocabularyButNoMerges) {
  write("vocab.json", R"({"a": 0})");
  EXPECT_THROW(FastTokenizer::from_file(folder_.string()), IoError);
}
TEST_F(BadTokenizerFolder, HasAVocabularyOfAnUnknownModelType) {
  write("vocab.json", R"({"a": 0})");
  write("config.json", R"({"model_type": "xlm"})");
  EXPECT_THAT(refusal(), HasSubstr("no tokenizer_class, and model_type \"xlm\" is not supported"));
}
TEST_F(BadTokenizerFolder, HasAVocabularyThatIsAnArray) {
  write("vocab.json", "[1]");
  write("merges.txt", "");
  EXPECT_THAT(refusal(), HasSubstr("vocab.json': expected an object of token: id"));
}
TEST_F(BadTokenizerFolder, HasMergesThatAreNoUtf8) {
  write("vocab.json", R"({"a": 0})");
  write("merges.txt", "a \xff\n");
  EXPECT_THAT(refusal(), HasSubstr("merges.txt': byte 2 is not UTF-8"));
}
TEST_F(BadTokenizerFolder, HasAWordListThatIsNoUtf8) {
  write("vocab.txt", "[UNK]\n\x80\n");
  EXPECT_THAT(refusal(), HasSubstr("vocab.txt': byte 6 is not UTF-8"));
}
TEST_F(BadTokenizerFolder, HasAWordListWithoutTheSeparator) {
  write("vocab.txt", "[UNK]\n[CLS]\n");
  EXPECT_THAT(refusal(), HasSubstr("vocab.txt' lacks \"[SEP]\""));
}
TEST_F(BadTokenizerFolder, HasAConfigThatIsAnArray) {
  write("vocab.txt", "[UNK]\n[CLS]\n[SEP]\n");
  write("config.json", "[]");
  EXPECT_THAT(refusal(), HasSubstr("config.json': expected an object"));
}
TEST_F(BadTokenizerFolder, HasAVocabularyOfAnUnknownClass) {
  write("vocab.json", R"({"a": 0})");
  write("tokenizer_config.json", R"({"tokenizer_class": "ByT5Tokenizer"})");
  EXPECT_THAT(refusal(), HasSubstr("\"ByT5Tokenizer\" is not supported without tokenizer.json"));
}
TEST_F(BadTokenizerFolder, HasABadAddedTokensDecoder) {
  write("vocab.json", R"({"a": 0})");
  write("merges.txt", "");
  write("tokenizer_config.json",
        R"({"tokenizer_class": "GPT2Tokenizer", "added_tokens_decoder": {"one": {}}})");
  EXPECT_THAT(refusal(), HasSubstr("\"one\" is no token id"));
}

}  // namespace
}  // namespace aios
