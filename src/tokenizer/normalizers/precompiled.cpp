/// Precompiled: the character map of a SentencePiece model.
///
/// Source: normalizers/precompiled.rs of Hugging Face's tokenizers and its crate spm_precompiled.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "tokenizer/changes.h"
#include "tokenizer/character_map.h"
#include "tokenizer/graphemes.h"
#include "tokenizer/json_node.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

constexpr std::size_t kWholeGrapheme = 6;  // graphemes of fewer bytes are looked up as one

int32_t num_characters(std::string_view text) {
  return static_cast<int32_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return !is_continuation(byte); }));
}

class Precompiled final : public ChangingNormalizer {
 public:
  explicit Precompiled(CharacterMap map)
      : ChangingNormalizer(
            inert_bytes([&](unsigned byte) { return !map.maps(static_cast<char>(byte)); })),
        map_(std::move(map)) {}

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
