#include "engine/stop_strings.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"

namespace aios {
namespace {

std::string stream(const std::vector<std::string>& pieces, const std::vector<std::string>& stop) {
  StopStringFilter filter(stop);
  std::string text;
  for (const std::string& piece : pieces) text += filter.push(piece);
  return text + filter.finish();
}

TEST(StopStrings, EndTheTextBeforeThemselves) {
  EXPECT_EQ(stream({"one two three"}, {"two"}), "one ");
  EXPECT_EQ(stream({"one ", "t", "w", "o three"}, {"two"}), "one ");
  EXPECT_EQ(stream({"one two three"}, {}), "one two three");
  EXPECT_EQ(stream({"aab"}, {"ab"}), "a");
  EXPECT_EQ(stream({"a", "a", "b"}, {"ab"}), "a");
  EXPECT_EQ(stream({"ends in tw"}, {"two"}), "ends in tw");
}

TEST(StopStrings, TheFirstCompleteOneCounts) {
  EXPECT_EQ(stream({"abc"}, {"abc", "b"}), "a");
  EXPECT_EQ(stream({"a", "b", "c"}, {"abc", "b"}), "a");
  EXPECT_EQ(stream({"abc"}, {"c", "bc"}), "a");  // both end at c: the longer
}

TEST(StopStrings, HoldBackOnlyWhatMayBecomeOne) {
  StopStringFilter filter({"###"});
  EXPECT_EQ(filter.push("text #"), "text ");
  EXPECT_EQ(filter.push("#"), "");
  EXPECT_EQ(filter.push(" no"), "## no");
  EXPECT_FALSE(filter.stopped());
  EXPECT_EQ(filter.push("###more"), "");
  EXPECT_TRUE(filter.stopped());
  EXPECT_EQ(filter.push("more"), "");
  EXPECT_EQ(filter.finish(), "");
}

/// Property: however a text is cut into pieces, the result is that of the whole text, and equals a
/// search that knows nothing of pieces.
TEST(StopStrings, DoNotDependOnThePieces) {
  const PhiloxUniformSource random(7);
  int32_t draw = 0;
  const auto below = [&](std::size_t bound) {
    return static_cast<std::size_t>(random.uniform(0, 0, 0, draw++) * static_cast<double>(bound));
  };
  const auto word = [&](std::size_t size) {
    std::string text;
    while (text.size() < size) text += static_cast<char>('a' + below(2));
    return text;
  };
  for (int trial = 0; trial < 2000; ++trial) {
    const std::string text = word(below(12));
    const std::vector<std::string> stop = {word(1 + below(4)), word(1 + below(4))};
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < text.size(); at += pieces.back().size()) {
      pieces.push_back(text.substr(at, 1 + below(4)));
    }
    std::size_t best_end = std::string::npos;
    std::size_t best_start = text.size();
    for (const std::string& string : stop) {
      const std::size_t start = text.find(string);
      if (start == std::string::npos) continue;
      const std::size_t end = start + string.size();
      if (end < best_end || (end == best_end && start < best_start)) {
        best_end = end;
        best_start = start;
      }
    }
    const std::string expected = text.substr(0, best_start);
    EXPECT_EQ(stream(pieces, stop), expected) << text << " " << stop[0] << " " << stop[1];
    EXPECT_EQ(before_stop(text, stop), expected) << text << " " << stop[0] << " " << stop[1];
  }
}

}  // namespace
}  // namespace aios
