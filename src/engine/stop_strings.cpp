#include "engine/stop_strings.h"

#include <algorithm>
#include <utility>

namespace aios {
namespace {

/// Bytes of the longest stop string that ends where `text` ends, or 0.
std::size_t stop_at_end(std::string_view text, const std::vector<std::string>& stop) {
  std::size_t longest = 0;
  for (const std::string& string : stop) {
    if (text.ends_with(string)) longest = std::max(longest, string.size());
  }
  return longest;
}

/// Bytes of the longest end of `text` that a stop string begins with.
std::size_t possible_start(std::string_view text, const std::vector<std::string>& stop) {
  std::size_t longest = 0;
  for (const std::string& string : stop) {
    std::size_t size = std::min(string.size() - 1, text.size());
    while (size > longest && !text.ends_with(std::string_view(string).substr(0, size))) --size;
    longest = std::max(longest, size);
  }
  return longest;
}

}  // namespace

std::string StopStringFilter::push(std::string_view piece) {
  if (stopped_) return {};
  const std::size_t known = held_.size();
  std::string text = std::exchange(held_, {});
  text += piece;
  for (std::size_t end = known + 1; end <= text.size(); ++end) {
    const std::size_t size = stop_at_end(std::string_view(text).substr(0, end), stop_);
    if (size == 0) continue;
    stopped_ = true;
    text.resize(end - size);
    return text;
  }
  const std::size_t size = possible_start(text, stop_);
  held_ = text.substr(text.size() - size);
  text.resize(text.size() - size);
  return text;
}

std::string StopStringFilter::finish() { return std::exchange(held_, {}); }

std::string_view before_stop(std::string_view text, const std::vector<std::string>& stop) {
  for (std::size_t end = 1; end <= text.size(); ++end) {
    const std::size_t size = stop_at_end(text.substr(0, end), stop);
    if (size > 0) return text.substr(0, end - size);
  }
  return text;
}

}  // namespace aios
