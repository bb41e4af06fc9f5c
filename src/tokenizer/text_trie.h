/// A set of byte strings that finds the longest of them at a place in a text.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace aios::tokenizer {

class TextTrie {
 public:
  static constexpr int32_t kNone = -1;

  struct Match {
    std::size_t begin, end;
    int32_t value;
  };

  /// @param text not empty @return false if the text is in the set already
  bool insert(std::string_view text, int32_t value);
  [[nodiscard]] bool empty() const noexcept { return nodes_.size() == 1; }
  /// The first place at `from` or later where a string of the set begins, and the longest such one;
  /// `value` is `kNone` if there is none.
  [[nodiscard]] Match find(std::string_view text, std::size_t from) const noexcept;

 private:
  struct Node {
    int32_t value = kNone;
    uint32_t first_child = 0;   // 0: none; children of a node are a list
    uint32_t next_sibling = 0;  // 0: the last
    char byte = 0;
  };

  [[nodiscard]] uint32_t child(uint32_t node, char byte) const noexcept;

  std::vector<Node> nodes_ = std::vector<Node>(1);
  std::array<bool, 256> begins_{};  // bytes that strings begin with
};

}  // namespace aios::tokenizer
