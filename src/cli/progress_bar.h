/// A bar on the terminal for long work; nothing at all in a pipe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "aios/config.h"
#include "cli/interrupt.h"

namespace aios {

/// Drawn at most 20 times a second, and only from half a second on: short work shows no bar. Taken
/// off the screen when destroyed.
class ProgressBar {
 public:
  explicit ProgressBar(std::string title);
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar();

  /// What the engine's calls report to. Borrows the bar.
  [[nodiscard]] ProgressCallback callback();

  /// The bar as text of at most `columns` columns.
  [[nodiscard]] static std::string render(const std::string& title, int64_t done, int64_t total,
                                          std::size_t columns);

 private:
  void update(int64_t done, int64_t total);

  std::string title_;
  std::chrono::steady_clock::time_point next_;
  std::optional<HiddenCursor> hidden_cursor_;  // engaged once the bar is drawn
};

}  // namespace aios
