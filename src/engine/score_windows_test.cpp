#include "engine/score_windows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "aios/error.h"

namespace aios {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// One token per byte, id = byte value: windows can be written down by hand.
FastTokenizer letters() {
  std::string vocabulary;
  for (char letter = 'a'; letter <= 'z'; ++letter) {
    vocabulary +=
        std::string(vocabulary.empty() ? "" : ",") + "\"" + letter + "\":" + std::to_string(letter);
  }
  return FastTokenizer::from_json(
      R"({"version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer":
        {"type": "ByteLevel", "add_prefix_space": false}, "post_processor": null,
        "decoder": {"type": "ByteLevel"}, "model": {"type": "BPE", "merges": [], "vocab": {)" +
      vocabulary + "}}}");
}

std::vector<std::string> texts_of(const std::vector<TextWindow>& windows) {
  std::vector<std::string> texts;
  for (const TextWindow& window : windows) {
    std::string text;
    for (const int32_t id : window.token_ids) text += id == 1 ? '^' : static_cast<char>(id);
    texts.push_back(text + ":" + std::to_string(window.num_bytes));
  }
  return texts;
}

std::vector<std::string> cut(const std::vector<std::string>& documents, int32_t window,
                             const ScoreConfig& config = {}) {
  return texts_of(cut_windows(documents, letters(), 1, window, config));
}

TEST(ScoreWindows, BeginWithTheBeginTokenAndDoNotOverlap) {
  EXPECT_THAT(cut({"abcdefg"}, 4), ElementsAre("^abc:3", "^def:3", "^g:1"));
  EXPECT_THAT(cut({"abcdef"}, 4), ElementsAre("^abc:3", "^def:3"));
  EXPECT_THAT(cut({"abc"}, 2), ElementsAre("^a:1", "^b:1", "^c:1"));
  EXPECT_THAT(cut({"abc"}, 100), ElementsAre("^abc:3"));
}

TEST(ScoreWindows, EachDocumentHasItsOwn) {
  EXPECT_THAT(cut({"abcd", "xy", ""}, 4), ElementsAre("^abc:3", "^d:1", "^xy:2"));
}

TEST(ScoreWindows, OfAStreamScoreTheBeginTokensBetweenDocuments) {
  ScoreConfig config;
  config.concatenate = true;
  EXPECT_THAT(cut({"abcd", "xy"}, 4, config), ElementsAre("^abc:3", "^d^x:2", "^y:1"));
}

TEST(ScoreWindows, CanBeLimited) {
  ScoreConfig config;
  config.max_windows = 2;
  EXPECT_THAT(cut({"abcd", "xyz"}, 3, config), ElementsAre("^ab:2", "^cd:2"));
  EXPECT_THAT(cut({"abc", "xyz"}, 5, config), ElementsAre("^abc:3", "^xyz:3"));
}

TEST(ScoreWindows, BeginWithThePrefixOfTheirDocument) {
  ScoreConfig config;
  config.prefix = {"pq"};
  EXPECT_THAT(cut({"abcd", "xyz"}, 5, config),
              ElementsAre("^pqab:2", "^pqcd:2", "^pqxy:2", "^pqz:1"));
  config.prefix = {"p", "qrs"};
  EXPECT_THAT(cut({"abcd", "xyz"}, 5, config),
              ElementsAre("^pabc:3", "^pd:1", "^qrsx:1", "^qrsy:1", "^qrsz:1"));
  const std::vector<std::string> documents = {"abcd", "xyz"};
  const auto windows = cut_windows(documents, letters(), 1, 5, config);
  EXPECT_EQ(windows.front().first_scored, 2);
  EXPECT_EQ(windows.back().first_scored, 4);
  config.prefix = {"p"};
  config.concatenate = true;
  EXPECT_THAT(cut({"abcd", "xyz"}, 6, config), ElementsAre("^pabcd:4", "^p^xyz:3"));
}

TEST(ScoreWindows, RefusePrefixesThatDoNotFit) {
  ScoreConfig config;
  config.prefix = {"pqrs"};
  EXPECT_THAT([&] { cut({"ab"}, 5, config); },
              ThrowsMessage<ConfigError>(HasSubstr("its 4 tokens leave no room for the text in a "
                                                   "window of 5; shorten it")));
  config.prefix = {"p", "q"};
  EXPECT_THAT(
      [&] {
        cut({"a", "b", "c"}, 5, config);
      },
      ThrowsMessage<ConfigError>(HasSubstr("there are 2 for 3 documents; give one, or")));
  config.concatenate = true;
  EXPECT_THAT(
      [&] {
        cut({"a", "b"}, 5, config);
      },
      ThrowsMessage<ConfigError>(HasSubstr("2 for one stream of text; give one")));
}

TEST(ScoreWindows, CountEveryByteOnceWhereCharactersAreSplit) {
  const auto books = FastTokenizer::from_file(std::string(AIOS_SOURCE_DIR) + "/models/books-6m");
  const std::string text = "naïve “漢字” \xF0\x9F\x99\x82 end ";
  for (int32_t window = 2; window < 9; ++window) {
    int64_t num_bytes = 0;
    std::size_t num_tokens = 0;
    for (const TextWindow& cut :
         cut_windows(std::vector<std::string>{text, text}, books, 0, window, {})) {
      EXPECT_GE(cut.num_bytes, 0);
      num_bytes += cut.num_bytes;
      num_tokens += cut.token_ids.size() - 1;
    }
    EXPECT_EQ(num_bytes, 2 * std::ssize(text));
    EXPECT_EQ(num_tokens, 2 * books.encode(text, {.add_special_tokens = false}).ids.size());
  }
}

}  // namespace
}  // namespace aios
