/// Precompiled: the character map of a SentencePiece model.
///
/// Source: normalizers/precompiled.rs of Hugging Face's tokenizers and its crate spm_precompiled;
/// the map is SentencePiece's (normalizer.cc): a Darts double array over UTF-8, whose leaves are
/// offsets into NUL-terminated texts.
#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "tokenizer/changes.h"
#include "tokenizer/graphemes.h"
#include "tokenizer/json_node.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

constexpr std::size_t kWholeGrapheme = 6;  // graphemes of fewer bytes are looked up as one

std::string decode_base64(const JsonNode& json) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t bits = 0;
  int num_bits = 0;
  for (const char digit : json.as_string()) {
    if (digit == '=') break;
    const std::size_t value = kDigits.find(digit);
    if (value == std::string_view::npos) json.fail("the character map is not base64");
    bits = bits << 6U | static_cast<uint32_t>(value);
    num_bits += 6;
    if (num_bits < 8) continue;
    num_bits -= 8;
    bytes.push_back(static_cast<char>(bits >> static_cast<unsigned>(num_bits) & 0xFFU));
  }
  return bytes;
}

class CharacterMap {
 public:
  /// @throws FormatError naming what does not fit
  explicit CharacterMap(const JsonNode& json) {
    const std::string bytes = decode_base64(json);
    uint32_t size = 0;
    if (bytes.size() < sizeof(size)) json.fail("the character map is cut off");
    std::memcpy(&size, bytes.data(), sizeof(size));
    if (size > bytes.size() - sizeof(size) || size % sizeof(uint32_t) != 0 || size == 0) {
      json.fail("the character map names a table of " + std::to_string(size) + " bytes, but has " +
                std::to_string(bytes.size() - sizeof(size)));
    }
    units_.resize(size / sizeof(uint32_t));
    std::memcpy(units_.data(), bytes.data() + sizeof(size), size);
    texts_ = bytes.substr(sizeof(size) + size);
    if (find_invalid_utf8(texts_) != texts_.size()) {
      json.fail("the character map's texts are not valid UTF-8");
    }
    for (unsigned byte = 0; byte < maps_.size(); ++byte) {
      const char key = static_cast<char>(byte);
      maps_[byte] = find({&key, 1}).has_value();
    }
  }

  /// The text for the shortest key that `chunk` begins with.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view chunk) const noexcept {
    std::size_t at = offset(units_[0]);
    for (const char byte : chunk) {
      const auto label = static_cast<unsigned char>(byte);
      at ^= label;
      if (label == 0 || at >= units_.size() || (units_[at] & kLabelMask) != label) break;
      const uint32_t unit = units_[at];
      at ^= offset(unit);
      if ((unit & kHasLeaf) == 0) continue;
      return at < units_.size() ? text(units_[at] & kValueMask) : std::nullopt;
    }
    return std::nullopt;
  }
  /// Whether the map changes this character of ASCII.
  [[nodiscard]] bool maps(char byte) const { return maps_[static_cast<unsigned char>(byte)]; }

 private:
  static constexpr uint32_t kLabelMask = 1U << 31U | 0xFFU;
  static constexpr uint32_t kHasLeaf = 1U << 8U;
  static constexpr uint32_t kValueMask = (1U << 31U) - 1;

  static std::size_t offset(uint32_t unit) noexcept {
    return std::size_t{unit >> 10U} << ((unit & 1U << 9U) >> 6U);
  }
  [[nodiscard]] std::optional<std::string_view> text(std::size_t at) const noexcept {
    if (at > texts_.size() || (at < texts_.size() && is_continuation(texts_[at]))) {
      return std::nullopt;
    }
    const std::string_view rest = std::string_view(texts_).substr(at);
    return rest.substr(0, std::min(rest.find('\0'), rest.size()));
  }

  std::vector<uint32_t> units_;
  std::string texts_;
  std::array<bool, 128> maps_{};
};

int32_t num_characters(std::string_view text) {
  return static_cast<int32_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return !is_continuation(byte); }));
}

class Precompiled final : public ChangingNormalizer {
 public:
  explicit Precompiled(CharacterMap map) : map_(std::move(map)) {}

  [[nodiscard]] bool keeps(std::string_view text) const override {
    return std::all_of(text.begin(), text.end(),
                       [&](char byte) { return is_ascii(byte) && !map_.maps(byte); });
  }

 private:
  std::size_t change(std::string_view text, std::vector<Change>& changes) const override {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = grapheme_end(text, at);
      const std::string_view grapheme = text.substr(at, end - at);
      at = end;
      if (grapheme.size() < kWholeGrapheme && replace(grapheme, changes)) continue;
      for (std::size_t i = 0; i < grapheme.size();) {
        const Character character = decode_utf8(grapheme.data() + i);
        if (!replace(grapheme.substr(i, character.size), changes)) {
          changes.push_back({character.code_point, 0});
        }
        i += character.size;
      }
    }
    return 0;
  }

  /// The shifts are the source's: what a character vanishes into is the one before it.
  bool replace(std::string_view part, std::vector<Change>& changes) const {
    const std::optional<std::string_view> text = map_.find(part);
    if (!text) return false;
    for_each_character(*text, [&](char32_t c) { changes.push_back({c, 0}); });
    const int32_t more = num_characters(*text) - num_characters(part);
    for (int32_t i = 1; i <= more; ++i) (changes.end() - i)->shift = 1;
    if (more < 0 && !changes.empty()) changes.back().shift += more;
    return true;
  }

  CharacterMap map_;
};

/// Without a map nothing changes.
class NoChange final : public Normalizer {
 public:
  [[nodiscard]] bool keeps(std::string_view) const override { return true; }
  void normalize(const AlignedView& input, AlignedText& output) const override {
    output.append(input);
  }
};

}  // namespace

std::unique_ptr<Normalizer> make_precompiled(const JsonNode& json, int) {
  const auto map = json.find("precompiled_charsmap");
  if (!map || map->as_string().empty()) return std::make_unique<NoChange>();
  return std::make_unique<Precompiled>(CharacterMap(*map));
}

}  // namespace aios::tokenizer
