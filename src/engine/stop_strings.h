/// Ends a text before the first stop string, however the text comes in pieces.
///
/// The first is the one that is complete first; of several that end at the same byte the longest.
/// So the result does not depend on where tokens begin and end. Not thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace aios {

class StopStringFilter {
 public:
  /// @param stop none of them empty
  explicit StopStringFilter(std::vector<std::string> stop) : stop_(std::move(stop)) {}

  /// Takes the next piece; gives what is final: no part of a stop string, nor may it become one.
  std::string push(std::string_view piece);
  /// What was held back, once no more text comes.
  std::string finish();
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }

 private:
  std::vector<std::string> stop_;
  std::string held_;  // may become a stop string
  bool stopped_ = false;
};

/// `text` up to the first stop string.
[[nodiscard]] std::string_view before_stop(std::string_view text,
                                           const std::vector<std::string>& stop);

}  // namespace aios
