/// The canvas of a diffusion, redrawn in place while it clears.
///
/// Given text is plain, masks are a dim glyph, revealed text is coloured, brightest in the step
/// that reveals it. Each frame is one write: the cursor goes up, every line is overwritten and its
/// rest erased, so nothing flickers. Only the end of a canvas longer than the screen is shown.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "aios/results.h"
#include "aios/tokenizer.h"
#include "cli/terminal.h"

namespace aios {

class CanvasView {
 public:
  explicit CanvasView(const FastTokenizer& tokenizer) : tokenizer_(tokenizer) {}

  /// The frame of a step, as it is written to a terminal of that size. Remembers what it drew.
  [[nodiscard]] std::string frame(const StepView& view, const TerminalSize& size);

  /// Draws the frame of the first sample, and holds it long enough for an eye to follow.
  void show(const StepView& view);

  /// What takes the view off the screen again.
  [[nodiscard]] std::string erase() const;

 private:
  enum class Style : uint8_t { kGiven, kMask, kRevealed, kNew };
  struct Cell {
    Glyph glyph;
    Style style = Style::kGiven;
  };

  [[nodiscard]] std::vector<Style> styles_of(const StepView& view);
  [[nodiscard]] std::vector<Cell> cells_of(const StepView& view) const;
  [[nodiscard]] static std::vector<std::vector<Cell>> wrap(const std::vector<Cell>& cells,
                                                           std::size_t columns);

  const FastTokenizer& tokenizer_;
  std::vector<uint8_t> holes_;   // per position: was it ever a mask?
  std::vector<int32_t> before_;  // ids of the frame before, -1 where it had a mask
  std::vector<Style> styles_;    // per position of the present frame
  std::size_t lines_drawn_ = 0;
};

}  // namespace aios
