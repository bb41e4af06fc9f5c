#include "cli/progress_bar.h"

#include <algorithm>
#include <utility>

#include "cli/output.h"
#include "cli/terminal.h"

namespace aios {
namespace {

constexpr auto kPatience = std::chrono::milliseconds(500);
constexpr auto kInterval = std::chrono::milliseconds(50);

}  // namespace

ProgressBar::ProgressBar(std::string title)
    : title_(std::move(title)), next_(std::chrono::steady_clock::now() + kPatience) {}

ProgressBar::~ProgressBar() {
  if (hidden_cursor_) write_terminal("\r\x1b[K");
}

ProgressCallback ProgressBar::callback() {
  if (!stderr_is_terminal()) return {};
  return [this](int64_t done, int64_t total) { update(done, total); };
}

std::string ProgressBar::render(const std::string& title, int64_t done, int64_t total,
                                std::size_t columns) {
  constexpr std::size_t kMaxBar = 40;
  constexpr std::size_t kPercent = 5;  // " 100%"
  const double share = total > 0 ? static_cast<double>(std::clamp<int64_t>(done, 0, total)) /
                                       static_cast<double>(total)
                                 : 0.0;
  std::string percent = std::to_string(static_cast<int>(share * 100)) + "%";
  percent.insert(0, kPercent - percent.size(), ' ');
  std::string line = title.substr(0, columns > kPercent ? columns - kPercent : 0);
  const std::size_t used = line.size() + kPercent + 3;  // " [" and "]"
  if (used < columns) {
    const std::size_t bar = std::min(columns - used, kMaxBar);
    const auto filled = static_cast<std::size_t>(share * static_cast<double>(bar));
    line += " [" + std::string(filled, '#') + std::string(bar - filled, '.') + "]";
  }
  return line + percent;
}

void ProgressBar::update(int64_t done, int64_t total) {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + kInterval;
  if (!hidden_cursor_) hidden_cursor_.emplace();
  write_terminal("\r" + render(title_, done, total, terminal_size().columns - 1) + "\x1b[K");
}

}  // namespace aios
