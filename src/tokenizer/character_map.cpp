#include "tokenizer/character_map.h"

#include <algorithm>
#include <cstring>

#include "base/utf8.h"
#include "tokenizer/base64.h"
#include "tokenizer/json_node.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

constexpr uint32_t kLabelMask = 1U << 31U | 0xFFU;
constexpr uint32_t kHasLeaf = 1U << 8U;
constexpr uint32_t kValueMask = (1U << 31U) - 1;

std::size_t offset(uint32_t unit) noexcept {
  return std::size_t{unit >> 10U} << ((unit & 1U << 9U) >> 6U);
}

}  // namespace

CharacterMap::CharacterMap(const JsonNode& json) {
  const std::optional<std::string> decoded = decode_base64(json.as_string());
  if (!decoded) json.fail("the character map is not base64");
  const std::string& bytes = *decoded;
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
    const std::array<char, 2> key = {static_cast<char>(byte), '\n'};
    maps_[byte] = find({key.data(), key.size()}).has_value();
  }
}

template <typename Visit>
void CharacterMap::for_each_key(std::string_view chunk, Visit visit) const noexcept {
  std::size_t at = offset(units_[0]);
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    const auto label = static_cast<unsigned char>(chunk[i]);
    at ^= label;
    if (label == 0 || at >= units_.size() || (units_[at] & kLabelMask) != label) return;
    const uint32_t unit = units_[at];
    at ^= offset(unit);
    if ((unit & kHasLeaf) == 0) continue;
    if (at >= units_.size() || visit(i + 1, text(units_[at] & kValueMask))) return;
  }
}

std::optional<std::string_view> CharacterMap::find(std::string_view chunk) const noexcept {
  std::optional<std::string_view> found;
  for_each_key(chunk, [&](std::size_t, std::optional<std::string_view> text) {
    found = text;
    return true;
  });
  return found;
}

std::optional<CharacterMap::Match> CharacterMap::find_longest(
    std::string_view text) const noexcept {
  std::optional<Match> found;
  for_each_key(text, [&](std::size_t size, std::optional<std::string_view> replacement) {
    if (replacement) found = Match{size, *replacement};
    return false;
  });
  return found;
}

std::optional<std::string_view> CharacterMap::text(std::size_t at) const noexcept {
  if (at > texts_.size() || (at < texts_.size() && is_continuation(texts_[at]))) {
    return std::nullopt;
  }
  const std::string_view rest = std::string_view(texts_).substr(at);
  return rest.substr(0, std::min(rest.find('\0'), rest.size()));
}

}  // namespace aios::tokenizer
