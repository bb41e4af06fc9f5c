#include "cli/canvas_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "aios/tokenizer.h"

namespace aios {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// Words of ids 1 to 4: "one", " two", " three", a wide character.
FastTokenizer tiny_tokenizer() {
  return FastTokenizer::from_json(R"({"version": "1.0", "added_tokens": [],
    "normalizer": null, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
    "post_processor": null, "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE", "merges": [], "vocab":
      {"[MASK]": 0, "one": 1, "Ġtwo": 2, "Ġthree": 3, "æ¼¢": 4, "Ċ": 5}}})");
}

/// What a terminal of that size shows: a tiny emulator of the sequences that the view may write.
class Screen {
 public:
  Screen(std::size_t columns, std::size_t rows) : columns_(columns), lines_(rows) {}

  void write(const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
      if (text[at] == '\x1b') {
        at = escape(text, at + 2);
      } else if (text[at] == '\r') {
        column_ = 0;
        ++at;
      } else if (text[at] == '\n') {
        ASSERT_LT(++row_, lines_.size()) << "scrolled";
        ++at;
      } else {
        at = put(text, at);
      }
    }
  }

  /// Lines without the empty ones at the end.
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> shown;
    for (const auto& line : lines_) {
      std::string text;
      for (const std::string& cell : line) text += cell;
      shown.push_back(text);
    }
    while (!shown.empty() && shown.back().empty()) shown.pop_back();
    return shown;
  }

 private:
  std::size_t escape(const std::string& text, std::size_t at) {
    std::size_t number = 0;
    while (text[at] >= '0' && text[at] <= ';') {
      number = text[at] == ';' ? 0 : number * 10 + static_cast<std::size_t>(text[at] - '0');
      ++at;
    }
    if (text[at] == 'A') row_ -= number;
    if (text[at] == 'K') lines_[row_].resize(std::min(column_, lines_[row_].size()));
    if (text[at] == 'J') {
      lines_[row_].resize(std::min(column_, lines_[row_].size()));
      for (std::size_t row = row_ + 1; row < lines_.size(); ++row) lines_[row].clear();
    }
    return at + 1;
  }

  std::size_t put(const std::string& text, std::size_t at) {
    std::size_t end = at + 1;
    while (end < text.size() && (text[end] & 0xC0) == 0x80) ++end;
    auto& line = lines_[row_];
    if (line.size() <= column_) line.resize(column_ + 1, " ");
    line[column_++] = text.substr(at, end - at);
    EXPECT_LT(column_, columns_) << "a terminal would wrap this line itself";
    return end;
  }

  std::size_t columns_;
  std::vector<std::vector<std::string>> lines_;
  std::size_t row_ = 0;
  std::size_t column_ = 0;
};

StepView step_view(const std::vector<int32_t>& ids, const std::vector<uint8_t>& masked, int step) {
  return {.sample = 0, .step = step, .num_steps = 3, .token_ids = ids, .masked = masked};
}

TEST(CanvasView, ReplacesMasksByTextInPlace) {
  const FastTokenizer tokenizer = tiny_tokenizer();
  CanvasView view(tokenizer);
  const TerminalSize size{20, 10};
  Screen screen(size.columns, size.rows);
  screen.write(view.frame(step_view({1, 0, 0}, {0, 1, 1}, 0), size));
  EXPECT_THAT(screen.lines(), ElementsAre("one░░", "step 0 of 3, 2 mask"));
  screen.write(view.frame(step_view({1, 0, 3}, {0, 1, 0}, 1), size));
  EXPECT_THAT(screen.lines(), ElementsAre("one░ three", "step 1 of 3, 1 mask"));
  screen.write(view.frame(step_view({1, 2, 3}, {0, 0, 0}, 2), size));
  EXPECT_THAT(screen.lines(), ElementsAre("one two three", "step 2 of 3, 0 mask"));
  screen.write(view.erase());
  EXPECT_THAT(screen.lines(), ElementsAre());
}

TEST(CanvasView, WrapsAtSpacesWithinTheWidth) {
  const FastTokenizer tokenizer = tiny_tokenizer();
  CanvasView view(tokenizer);
  const TerminalSize size{12, 10};
  Screen screen(size.columns, size.rows);
  screen.write(view.frame(step_view({1, 2, 3, 2, 5, 3}, {0, 0, 0, 0, 0, 0}, 0), size));
  EXPECT_THAT(screen.lines(), ElementsAre("one two ", "three two", " three", "step 0 of 3"));
  // A canvas that became shorter leaves nothing of the longer one.
  screen.write(view.frame(step_view({1, 1, 1, 1, 1, 1}, {0, 0, 0, 0, 0, 0}, 1), size));
  EXPECT_THAT(screen.lines(), ElementsAre("oneoneoneon", "eoneone", "step 1 of 3"));
}

TEST(CanvasView, CountsWideCharactersTwice) {
  const FastTokenizer tokenizer = tiny_tokenizer();
  CanvasView view(tokenizer);
  const std::string frame =
      view.frame(step_view({4, 4, 4, 4}, {0, 0, 0, 0}, 0), {.columns = 6, .rows = 10});
  EXPECT_THAT(frame, HasSubstr("漢漢\x1b"));  // 5 usable columns hold two
  EXPECT_THAT(frame, Not(HasSubstr("漢漢漢")));
}

TEST(CanvasView, ShowsTheEndOfWhatIsTooTall) {
  const FastTokenizer tokenizer = tiny_tokenizer();
  CanvasView view(tokenizer);
  const TerminalSize size{20, 5};
  Screen screen(size.columns, size.rows);
  const std::vector<int32_t> ids = {1, 5, 1, 5, 1, 5, 1, 5, 2};
  const std::vector<uint8_t> masked(ids.size(), 0);
  for (int step = 0; step < 3; ++step) screen.write(view.frame(step_view(ids, masked, step), size));
  EXPECT_THAT(screen.lines(), ElementsAre("one", "one", " two", "step 2 of 3, 0 mask"));
}

TEST(Glyphs, NothingInAModelsTextCommandsTheTerminal) {
  std::string shown;
  for (const Glyph& glyph : to_glyphs("a\x1b[2J\tb\x07\xff")) shown += glyph.text;
  EXPECT_EQ(shown, "a\xef\xbf\xbd[2J b\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(Glyphs, CombiningMarksTakeNoColumn) {
  const std::vector<Glyph> glyphs = to_glyphs("e\xcc\x81x");
  ASSERT_EQ(glyphs.size(), 2U);
  EXPECT_EQ(glyphs[0].text, "e\xcc\x81");
  EXPECT_EQ(glyphs[0].width, 1U);
}

}  // namespace
}  // namespace aios
