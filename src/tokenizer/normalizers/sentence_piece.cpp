/// The normalizer of a SentencePiece model: its character map, its care for spaces, and its
/// user-defined pieces, which come through as they are.
///
/// Source: normalizer.cc of SentencePiece (`Normalizer::Normalize`, `NormalizePrefix`). Each text
/// between special tokens counts as a text of its own.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tokenizer/character_map.h"
#include "tokenizer/json_node.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/prefix_trie.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

class SentencePieceNormalizer final : public Normalizer {
 public:
  struct Options {
    bool add_dummy_prefix;
    bool remove_extra_whitespaces;
    bool treat_whitespace_as_suffix;  ///< the dummy goes to the end
    std::string space;                ///< what a space is written as
  };

  SentencePieceNormalizer(Options options, std::optional<CharacterMap> map, PrefixTrie symbols)
      : options_(std::move(options)), map_(std::move(map)), symbols_(std::move(symbols)) {}

  [[nodiscard]] bool keeps(std::string_view text) const override { return text.empty(); }

  void normalize(const AlignedView& input, AlignedText& output) const override {
    const std::string_view text = input.text();
    const uint32_t start = output.size();
    std::size_t at = options_.remove_extra_whitespaces ? skip_spaces(text) : 0;
    if (at == text.size()) return;
    const bool prefix = options_.add_dummy_prefix && !options_.treat_whitespace_as_suffix;
    if (prefix) output.append(options_.space, input.origin(at) | kNoWidth);
    bool after_space = options_.remove_extra_whitespaces;
    while (at < text.size()) {
      const Match match = next(text.substr(at));
      std::string_view replacement = match.text;
      while (after_space && replacement.starts_with(' ')) replacement.remove_prefix(1);
      append(replacement, input.origin(at), output);
      if (!replacement.empty()) after_space = replacement.ends_with(' ');
      after_space = after_space && options_.remove_extra_whitespaces;
      at += match.size;
    }
    if (options_.remove_extra_whitespaces) drop_last_spaces(start, output);
    if (options_.add_dummy_prefix && options_.treat_whitespace_as_suffix) {
      output.append(options_.space, input.origin(text.size() - 1) | kNoWidth);
    }
  }

 private:
  using Match = CharacterMap::Match;

  /// How `text` begins once it is normalized.
  [[nodiscard]] Match next(std::string_view text) const {
    std::size_t symbol_size = 0;
    uint32_t node = PrefixTrie::kRoot;
    for (std::size_t at = 0; at < text.size() && symbols_.step(node, text[at]); ++at) {
      if (symbols_.value(node) != PrefixTrie::kNone) symbol_size = at + 1;
    }
    if (symbol_size > 0) return {symbol_size, text.substr(0, symbol_size)};
    if (map_) {
      if (const auto match = map_->find_longest(text)) return *match;
    }
    const std::size_t size = utf8_size(text[0]);
    return {size, text.substr(0, size)};
  }

  [[nodiscard]] std::size_t skip_spaces(std::string_view text) const {
    std::size_t at = 0;
    while (at < text.size()) {
      const Match match = next(text.substr(at));
      if (match.text != " ") break;
      at += match.size;
    }
    return at;
  }

  void append(std::string_view text, Origin origin, AlignedText& output) const {
    while (!text.empty()) {
      const std::size_t space = std::min(text.find(' '), text.size());
      if (space > 0) output.append(text.substr(0, space), origin);
      if (space < text.size()) output.append(options_.space, origin);
      text.remove_prefix(std::min(space + 1, text.size()));
    }
  }

  void drop_last_spaces(uint32_t start, AlignedText& output) const {
    const std::string_view text = output.view().text().substr(start);
    std::size_t size = text.size();
    while (text.substr(0, size).ends_with(options_.space)) size -= options_.space.size();
    output.truncate(start + static_cast<uint32_t>(size));
  }

  Options options_;
  std::optional<CharacterMap> map_;
  PrefixTrie symbols_;
};

}  // namespace

std::unique_ptr<Normalizer> make_sentence_piece_normalizer(const JsonNode& json, int) {
  std::optional<CharacterMap> map;
  if (const auto stored = json.find("precompiled_charsmap")) map.emplace(*stored);
  std::vector<PrefixTrie::Entry> symbols;
  if (const auto list = json.find("user_defined_symbols")) {
    for (const JsonNode& symbol : list->elements()) {
      if (!symbol.as_string().empty()) symbols.push_back({symbol.as_string(), 0});
    }
  }
  SentencePieceNormalizer::Options options{
      json.bool_or("add_dummy_prefix", true), json.bool_or("remove_extra_whitespaces", true),
      json.bool_or("treat_whitespace_as_suffix", false),
      json.bool_or("escape_whitespaces", true) ? "\u2581" : " "};
  return std::make_unique<SentencePieceNormalizer>(std::move(options), std::move(map),
                                                   PrefixTrie(std::move(symbols)));
}

}  // namespace aios::tokenizer
