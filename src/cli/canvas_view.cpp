#include "cli/canvas_view.h"

#include <algorithm>
#include <chrono>
#include <span>
#include <string_view>
#include <thread>

#include "cli/output.h"

namespace aios {
namespace {

constexpr std::string_view kMaskGlyph = "\xe2\x96\x91";  // light shade
constexpr std::string_view kReset = "\x1b[0m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kEraseRestOfLine = "\x1b[K";
constexpr std::string_view kEraseBelow = "\x1b[J";
constexpr auto kFrameTime = std::chrono::milliseconds(40);

std::string cursor_to_first_line(std::size_t lines_drawn) {
  std::string text = "\r";
  if (lines_drawn > 1) text += "\x1b[" + std::to_string(lines_drawn - 1) + "A";
  return text;
}

}  // namespace

std::vector<CanvasView::Style> CanvasView::styles_of(const StepView& view) {
  const std::size_t length = view.token_ids.size();
  if (holes_.size() != length) {  // the first frame, or a canvas of another length
    holes_.assign(length, 0);
    before_.assign(view.token_ids.begin(), view.token_ids.end());
  }
  std::vector<Style> styles(length, Style::kGiven);
  for (std::size_t i = 0; i < length; ++i) {
    const bool masked = view.masked[i] != 0;
    const int32_t id = masked ? -1 : view.token_ids[i];
    if (masked) {
      holes_[i] = 1;
      styles[i] = Style::kMask;
    } else if (id != before_[i]) {
      holes_[i] = 1;
      styles[i] = Style::kNew;
    } else if (holes_[i] != 0) {
      styles[i] = Style::kRevealed;
    }
    before_[i] = id;
  }
  return styles;
}

/// Tokens between masks are decoded together, as spaces may hang on their neighbours; the text that
/// each run of one style adds gets that style.
std::vector<CanvasView::Cell> CanvasView::cells_of(const StepView& view) const {
  std::vector<Cell> cells;
  const auto add = [&cells](std::string_view text, Style style) {
    for (Glyph& glyph : to_glyphs(text)) cells.push_back({std::move(glyph), style});
  };
  const std::size_t length = view.token_ids.size();
  std::size_t at = 0;
  while (at < length) {
    if (styles_[at] == Style::kMask) {
      add(kMaskGlyph, Style::kMask);
      ++at;
      continue;
    }
    const std::size_t start = at;
    std::string shown;
    while (at < length && styles_[at] != Style::kMask) {
      const Style style = styles_[at];
      while (at < length && styles_[at] == style) ++at;
      const std::string text = tokenizer_.decode(view.token_ids.subspan(start, at - start));
      const bool grows = text.starts_with(shown);
      add(grows ? std::string_view(text).substr(shown.size()) : std::string_view(text), style);
      shown = text;
    }
  }
  return cells;
}

/// Lines break after the last space that fits, or within a word that is longer than a line; masks
/// break anywhere.
std::vector<std::vector<CanvasView::Cell>> CanvasView::wrap(const std::vector<Cell>& cells,
                                                            std::size_t columns) {
  std::vector<std::vector<Cell>> lines(1);
  std::size_t width = 0;
  std::size_t breakable = 0;  // cells of the line that may stay when it breaks
  for (const Cell& cell : cells) {
    if (cell.glyph.text == "\n") {
      lines.emplace_back();
      width = breakable = 0;
      continue;
    }
    if (width + cell.glyph.width > columns && !lines.back().empty()) {
      std::vector<Cell> rest;
      if (breakable > 0 && cell.glyph.text != " ") {
        const auto first = lines.back().begin() + static_cast<std::ptrdiff_t>(breakable);
        rest.assign(first, lines.back().end());
        lines.back().erase(first, lines.back().end());
      }
      lines.push_back(std::move(rest));
      breakable = width = 0;
      for (const Cell& kept : lines.back()) width += kept.glyph.width;
      if (cell.glyph.text == " " && lines.back().empty()) continue;
    }
    lines.back().push_back(cell);
    width += cell.glyph.width;
    if (cell.glyph.text == " " || cell.style == Style::kMask) breakable = lines.back().size();
  }
  return lines;
}

std::string CanvasView::frame(const StepView& view, const TerminalSize& size) {
  constexpr std::string_view kCodes[] = {"", "\x1b[2m", "\x1b[32m", "\x1b[1;92m"};
  styles_ = styles_of(view);
  const std::size_t columns = std::max<std::size_t>(size.columns, 2) - 1;
  const std::vector<std::vector<Cell>> lines = wrap(cells_of(view), columns);
  const std::size_t room = std::max<std::size_t>(size.rows, 3) - 2;  // status line, cursor
  const std::size_t first = lines.size() > room ? lines.size() - room : 0;

  std::string frame = cursor_to_first_line(lines_drawn_);
  for (std::size_t i = first; i < lines.size(); ++i) {
    Style style = Style::kGiven;
    for (const Cell& cell : lines[i]) {
      if (cell.style != style) {
        frame += kReset;
        frame += kCodes[static_cast<std::size_t>(cell.style)];
        style = cell.style;
      }
      frame += cell.glyph.text;
    }
    frame += kReset;
    frame += kEraseRestOfLine;
    frame += "\r\n";
  }
  const auto masks = std::count(styles_.begin(), styles_.end(), Style::kMask);
  std::string status = "step " + std::to_string(view.step) + " of " +
                       std::to_string(view.num_steps) + ", " + std::to_string(masks) + " masked";
  status.resize(std::min(status.size(), columns));
  frame.append(kDim).append(status).append(kReset).append(kEraseRestOfLine).append(kEraseBelow);
  lines_drawn_ = lines.size() - first + 1;
  return frame;
}

void CanvasView::show(const StepView& view) {
  if (view.sample != 0) return;
  write_terminal(frame(view, terminal_size()));
  std::this_thread::sleep_for(kFrameTime);
}

std::string CanvasView::erase() const {
  return cursor_to_first_line(lines_drawn_) + std::string(kEraseBelow);
}

}  // namespace aios
