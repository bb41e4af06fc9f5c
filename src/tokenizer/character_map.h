/// The character map of a SentencePiece model (its normalizer.cc): a Darts double array over UTF-8,
/// whose leaves are offsets into NUL-terminated texts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::tokenizer {

class JsonNode;

class CharacterMap {
 public:
  struct Match {
    std::size_t size;       ///< bytes of the key
    std::string_view text;  ///< what takes its place
  };

  /// From base64. @throws FormatError naming what does not fit
  explicit CharacterMap(const JsonNode& json);

  /// The text for the shortest key that `chunk` begins with.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view chunk) const noexcept;
  /// The longest key that `text` begins with.
  [[nodiscard]] std::optional<Match> find_longest(std::string_view text) const noexcept;
  /// Whether the map changes this character of ASCII, or what it makes with a line feed.
  [[nodiscard]] bool maps(char byte) const { return maps_[static_cast<unsigned char>(byte)]; }

 private:
  /// Calls `visit(size, text)` for each key that `chunk` begins with, shortest first, until it
  /// gives true.
  template <typename Visit>
  void for_each_key(std::string_view chunk, Visit visit) const noexcept;
  [[nodiscard]] std::optional<std::string_view> text(std::size_t at) const noexcept;

  std::vector<uint32_t> units_;
  std::string texts_;
  std::array<bool, 128> maps_{};
};

}  // namespace aios::tokenizer
