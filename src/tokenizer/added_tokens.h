/// Added tokens: texts that become one token before the model sees them.
///
/// Source: tokenizer/added_vocabulary.rs of Hugging Face's tokenizers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "tokenizer/model.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/text_trie.h"
#include "tokenizer/working_text.h"

namespace aios::tokenizer {

class JsonNode;

struct AddedToken {
  std::string content;
  bool single_word = false;  ///< not next to a word character
  bool lstrip = false;       ///< takes the white space before it along
  bool rstrip = false;       ///< and after it
  bool normalized = true;    ///< is looked for in the normalized text
  bool special = false;      ///< may be left out of decoded text
};

class AddedTokens {
 public:
  /// From the array "added_tokens". Ids are given as Hugging Face gives them: that of the model's
  /// vocabulary if the text is in there, else the next free one, whatever the file says; a
  /// difference is logged. @throws FormatError naming the entry
  AddedTokens(const std::optional<JsonNode>& json, const Model& model,
              const Normalizer* normalizer);

  /// Cuts out the tokens with or without the flag `normalized`.
  void extract(WorkingText& text, bool normalized) const;

  [[nodiscard]] std::optional<int32_t> find(std::string_view content) const;
  /// What decoding shows: the normalized form where normalization changes the text.
  [[nodiscard]] std::optional<std::string_view> text(int32_t id) const;
  /// Whether decoding leaves the token of this text out.
  [[nodiscard]] bool is_special(std::string_view text) const;
  [[nodiscard]] const std::unordered_set<std::string>& special() const noexcept { return special_; }
  [[nodiscard]] std::vector<int32_t> ids() const;
  [[nodiscard]] int32_t id_bound() const noexcept { return id_bound_; }
  [[nodiscard]] bool has_any(bool normalized) const noexcept { return !trie(normalized).empty(); }

 private:
  struct Entry {
    AddedToken token;
    std::string shown;
  };

  void add(const JsonNode& json, const Model& model, const Normalizer* normalizer,
           int32_t& next_id);
  void build_tries();
  [[nodiscard]] const TextTrie& trie(bool normalized) const noexcept {
    return normalized ? normalized_trie_ : verbatim_trie_;
  }

  std::unordered_map<int32_t, Entry> by_id_;
  std::unordered_map<std::string, int32_t> by_content_;
  std::unordered_set<std::string> special_;
  TextTrie verbatim_trie_, normalized_trie_;
  int32_t id_bound_ = 0;
};

}  // namespace aios::tokenizer
