/// Normalizers that treat each character by itself: Lowercase, Nmt, StripAccents, Strip, ByteLevel.
#include <algorithm>

#include "tokenizer/byte_alphabet.h"
#include "tokenizer/changes.h"
#include "tokenizer/json_node.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/unicode_tables.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

template <typename Accept>
bool all_bytes(std::string_view text, Accept accept) {
  return std::all_of(text.begin(), text.end(),
                     [&](char byte) { return accept(static_cast<unsigned char>(byte)); });
}

class Lowercase final : public ChangingNormalizer {
 public:
  Lowercase()
      : ChangingNormalizer(inert_bytes([](unsigned byte) { return byte < 'A' || byte > 'Z'; })) {}

 private:
  std::size_t change(std::string_view text, std::vector<Change>& changes) const override {
    for_each_character(text, [&](char32_t c) {
      const LowerCase lowered = to_lower(c);
      changes.push_back({lowered.first, 0});
      if (lowered.second != 0) changes.push_back({lowered.second, 1});
    });
    return 0;
  }
};

/// SentencePiece's "nmt" rules: controls vanish, other white space becomes a space.
/// Source: normalizers/unicode.rs of Hugging Face's tokenizers.
class Nmt final : public ChangingNormalizer {
 public:
  Nmt()
      : ChangingNormalizer(inert_bytes([](unsigned byte) { return byte >= 0x20 && byte < 0x7F; })) {
  }

 private:
  static bool is_dropped(char32_t c) {
    return (c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F ||
           c == 0x8F || c == 0x9F;
  }
  static bool is_space(char32_t c) {
    constexpr std::u32string_view kSpaces =
        U"\t\n\f\r\u1680\u200B\u200C\u200D\u200E\u200F\u2028\u2029\u2581\uFEFF\uFFFD";
    return kSpaces.find(c) != std::u32string_view::npos;
  }

  std::size_t change(std::string_view text, std::vector<Change>& changes) const override {
    const std::size_t dropped = filter_changes(text, changes, is_dropped);
    for (Change& entry : changes) {
      if (is_space(entry.code_point)) entry.code_point = U' ';
    }
    return dropped;
  }
};

class StripAccents final : public ChangingNormalizer {
 public:
  StripAccents() : ChangingNormalizer(inert_bytes([](unsigned) { return true; })) {}
  [[nodiscard]] bool keeps(std::string_view text) const override {
    return all_bytes(text, [](unsigned byte) { return byte < 0xCC; });  // U+0300 is the first mark
  }

 private:
  std::size_t change(std::string_view text, std::vector<Change>& changes) const override {
    return filter_changes(text, changes,
                          [](char32_t c) { return has_flag(c, kCombiningMarkFlag); });
  }
};

/// White space at the ends.
class Strip final : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}

  [[nodiscard]] bool keeps(std::string_view text) const override {
    const Span kept = keep(text);
    return kept.end - kept.begin == text.size();
  }
  void normalize(const AlignedView& input, AlignedText& output) const override {
    output.append(input.part(keep(input.text())));
  }

 private:
  [[nodiscard]] Span keep(std::string_view text) const {
    const auto is_space = [&](std::size_t at) {
      return has_flag(decode_utf8(text.data() + at).code_point, kWhiteSpaceFlag);
    };
    std::size_t begin = 0;
    std::size_t end = text.size();
    while (left_ && begin < end && is_space(begin)) begin += utf8_size(text[begin]);
    while (right_ && begin < end) {
      std::size_t last = end - 1;
      while (is_continuation(text[last])) --last;
      if (!is_space(last)) break;
      end = last;
    }
    return {static_cast<uint32_t>(begin), static_cast<uint32_t>(end)};
  }

  bool left_, right_;
};

class ByteLevelNormalizer final : public Normalizer {
 public:
  [[nodiscard]] bool keeps(std::string_view text) const override {
    return all_bytes(text, [](unsigned byte) { return byte > 0x20 && byte < 0x7F; });
  }
  void normalize(const AlignedView& input, AlignedText& output) const override {
    append_letters(input, output);
  }
};

}  // namespace

std::unique_ptr<Normalizer> make_lowercase(const JsonNode&, int) {
  return std::make_unique<Lowercase>();
}
std::unique_ptr<Normalizer> make_nmt(const JsonNode&, int) { return std::make_unique<Nmt>(); }
std::unique_ptr<Normalizer> make_strip_accents(const JsonNode&, int) {
  return std::make_unique<StripAccents>();
}
std::unique_ptr<Normalizer> make_strip(const JsonNode& json, int) {
  return std::make_unique<Strip>(json.at("strip_left").as_bool(), json.at("strip_right").as_bool());
}
std::unique_ptr<Normalizer> make_byte_level_normalizer(const JsonNode&, int) {
  return std::make_unique<ByteLevelNormalizer>();
}

}  // namespace aios::tokenizer
