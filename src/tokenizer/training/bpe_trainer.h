/// Learns the merges of byte pair encoding (Sennrich 2016, https://aclanthology.org/P16-1162) from
/// counted words.
///
/// The vocabulary and its order are those of Hugging Face's BpeTrainer (models/bpe/trainer.rs,
/// 0.23), ties included: of the pairs that are most frequent, the one with the smallest ids merges
/// first.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aios::tokenizer {

struct CountedWord {
  std::string text;  ///< valid UTF-8: each character is a symbol
  int64_t count;
};

struct BpeTrainerOptions {
  int32_t vocab_size = 30000;
  int64_t min_frequency = 0;                ///< of a pair that merges
  int32_t limit_alphabet = 0;               ///< characters kept, the most frequent ones; 0: all
  int32_t max_token_length = 0;             ///< in characters; 0: any
  std::vector<std::string> special_tokens;  ///< take the first ids
  std::vector<char32_t> initial_alphabet;   ///< kept even where no word has them
  std::string continuing_subword_prefix;    ///< of symbols that begin no word
};

struct BpeVocabulary {
  std::vector<std::string> tokens;  ///< by id
  std::vector<std::pair<int32_t, int32_t>> merges;
};

/// Words in any order: equal ones must have been counted together. The ids are special tokens, the
/// alphabet by code point, with a prefix its prefixed forms by code point (Hugging Face's come in
/// the order of a hash table, another in every run), then merges.
[[nodiscard]] BpeVocabulary train_bpe(const std::vector<CountedWord>& words,
                                      const BpeTrainerOptions& options);

}  // namespace aios::tokenizer
