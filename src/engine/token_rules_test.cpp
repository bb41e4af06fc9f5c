#include "engine/token_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "aios/error.h"

namespace aios {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Optional;
using testing::ThrowsMessage;

/// Ids 0 to 4 are special: pad, end, mask, begin, chat; 5, 6 and 8 are letters; 7 has no token.
FastTokenizer tokenizer_with(const std::string& post_processor) {
  std::string added;
  int id = 0;
  for (const char* name : {"<pad>", "<end>", "<mask>", "<begin>", "<chat>"}) {
    added += std::string(added.empty() ? "" : ",") + R"({"id": )" + std::to_string(id++) +
             R"(, "content": ")" + name +
             R"(", "special": true, "single_word": false, "lstrip": false, "rstrip": false,
                 "normalized": false})";
  }
  return FastTokenizer::from_json(R"({"version": "1.0", "added_tokens": [)" + added +
                                  R"(], "normalizer": null,
      "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
      "post_processor": )" + post_processor +
                                  R"(, "decoder": {"type": "ByteLevel"},
      "model": {"type": "BPE", "merges": [], "vocab": {"<pad>": 0, "<end>": 1,
      "<mask>": 2, "<begin>": 3, "<chat>": 4, "a": 5, "b": 6, "c": 8}}})");
}

const std::string kTemplate = R"({"type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "<begin>", "type_id": 0}},
               {"Sequence": {"id": "A", "type_id": 0}},
               {"SpecialToken": {"id": "<end>", "type_id": 0}}], "pair": [],
    "special_tokens": {"<begin>": {"id": "<begin>", "ids": [3], "tokens": ["<begin>"]},
                       "<end>": {"id": "<end>", "ids": [1], "tokens": ["<end>"]}}})";

ModelSpec spec() {
  ModelSpec spec;
  spec.family = "tiny";
  spec.vocab_size = 10;
  spec.tokens.end = {1};
  spec.tokens.pad = 0;
  spec.tokens.mask = 2;
  return spec;
}

TEST(TokenRules, TheTemplateIsSplitAroundTheText) {
  const TokenRules rules = make_token_rules(spec(), tokenizer_with(kTemplate));
  EXPECT_THAT(rules.prefix, ElementsAre(3));
  EXPECT_THAT(rules.suffix, ElementsAre(1));
  EXPECT_THAT(rules.begin, Optional(3));
  const TokenRules bare = make_token_rules(spec(), tokenizer_with("null"));
  EXPECT_THAT(bare.prefix, IsEmpty());
  EXPECT_THAT(bare.suffix, IsEmpty());
  EXPECT_EQ(bare.begin, std::nullopt);
}

TEST(TokenRules, OnlyWordsAndEndsAreSampled) {
  const TokenRules rules = make_token_rules(spec(), tokenizer_with("null"));
  EXPECT_THAT(rules.end, ElementsAre(1));
  EXPECT_THAT(rules.suppressed, ElementsAre(0, 2, 3, 4, 7, 9));
}

TEST(TokenRules, TheConfigurationDecidesWhereItSpeaks) {
  ModelSpec other = spec();
  other.tokens.begin = 4;
  other.tokens.mask = 6;
  other.tokens.end = {4, 1};
  other.tokens.suppressed = {1, 5};
  const TokenRules rules = make_token_rules(other, tokenizer_with("null"));
  EXPECT_THAT(rules.begin, Optional(4));
  EXPECT_THAT(rules.mask, Optional(6));
  EXPECT_THAT(rules.end, ElementsAre(1, 4));
  EXPECT_THAT(rules.suppressed, ElementsAre(0, 1, 2, 3, 5, 6, 7, 9));
}

TEST(TokenRules, RefuseATokenizerWithMoreIdsThanTheNetwork) {
  ModelSpec small = spec();
  small.vocab_size = 8;
  EXPECT_THAT([&] { (void)make_token_rules(small, tokenizer_with("null")); },
              ThrowsMessage<InferenceError>(HasSubstr("ids up to 8, but config.json says "
                                                      "vocab_size 8")));
}

}  // namespace
}  // namespace aios
