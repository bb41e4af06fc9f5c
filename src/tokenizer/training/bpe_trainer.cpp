#include "tokenizer/training/bpe_trainer.h"

#include <algorithm>
#include <limits>
#include <map>
#include <unordered_map>

#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

/// Two neighbouring ids; orders as the pair of them does.
using Pair = uint64_t;

constexpr Pair pair_of(int32_t left, int32_t right) noexcept {
  return Pair{static_cast<uint32_t>(left)} << 32U | static_cast<uint32_t>(right);
}

struct Symbol {
  int32_t id;
  int32_t length;  // in symbols of the alphabet
};

/// A pair that may merge, with the words that had it when it was counted.
struct Candidate {
  int64_t count;
  Pair pair;
  std::vector<uint32_t> words;
};

bool merges_later(const Candidate& left, const Candidate& right) {
  return left.count != right.count ? left.count < right.count : left.pair > right.pair;
}

class Trainer {
 public:
  explicit Trainer(const BpeTrainerOptions& options)
      : options_(options),
        max_length_(options.max_token_length > 0 ? options.max_token_length
                                                 : std::numeric_limits<int32_t>::max()) {}

  BpeVocabulary run(const std::vector<CountedWord>& words) {
    for (const std::string& token : options_.special_tokens) add_token(token);
    add_alphabet(words);
    read_words(words);
    count_pairs();
    while (static_cast<int64_t>(ids_.size()) < options_.vocab_size && !heap_.empty()) {
      Candidate top = pop();
      const int64_t count = pair_counts_[top.pair];
      if (top.count != count) {  // merges since then have changed it
        top.count = count;
        push(std::move(top));
        continue;
      }
      if (top.count < 1 || top.count < options_.min_frequency) break;
      merge(top);
    }
    return std::move(result_);
  }

 private:
  int32_t add_token(const std::string& text) {
    const auto [entry, added] = ids_.emplace(text, static_cast<int32_t>(result_.tokens.size()));
    if (added) result_.tokens.push_back(text);
    return entry->second;
  }

  void add_alphabet(const std::vector<CountedWord>& words) {
    std::map<char32_t, int64_t> counts;
    for (const CountedWord& word : words) {
      for_each_character(word.text, [&](char32_t c) { counts[c] += word.count; });
    }
    for (const char32_t c : options_.initial_alphabet) {
      counts[c] = std::numeric_limits<int64_t>::max();
    }
    std::vector<std::pair<char32_t, int64_t>> kept(counts.begin(), counts.end());
    const auto limit = static_cast<std::size_t>(options_.limit_alphabet);
    if (limit > 0 && kept.size() > limit) {
      std::stable_sort(kept.begin(), kept.end(),
                       [](const auto& a, const auto& b) { return a.second > b.second; });
      kept.resize(limit);
      std::sort(kept.begin(), kept.end());
    }
    for (const auto& [c, count] : kept) first_ids_[c] = add_token(text_of(c));
  }

  static std::string text_of(char32_t c) {
    std::string text;
    append_utf8(c, text);
    return text;
  }

  /// Characters outside the alphabet are left out.
  void read_words(const std::vector<CountedWord>& words) {
    const bool has_prefix = !options_.continuing_subword_prefix.empty();
    std::unordered_map<char32_t, int32_t> later_ids;
    if (has_prefix) {
      for (const char32_t c : continuing_characters(words)) {
        later_ids[c] = add_token(options_.continuing_subword_prefix + text_of(c));
      }
    }
    for (const CountedWord& word : words) {
      std::vector<Symbol> symbols;
      bool is_first = true;
      for_each_character(word.text, [&](char32_t c) {
        const auto& ids = is_first || !has_prefix ? first_ids_ : later_ids;
        if (const auto id = ids.find(c); id != ids.end()) symbols.push_back({id->second, 1});
        is_first = false;
      });
      words_.push_back(std::move(symbols));
      counts_.push_back(word.count);
    }
  }

  [[nodiscard]] std::vector<char32_t> continuing_characters(
      const std::vector<CountedWord>& words) const {
    std::map<char32_t, bool> seen;
    for (const CountedWord& word : words) {
      bool is_first = true;
      for_each_character(word.text, [&](char32_t c) {
        if (!is_first && first_ids_.contains(c)) seen[c] = true;
        is_first = false;
      });
    }
    std::vector<char32_t> characters;
    for (const auto& [c, ignored] : seen) characters.push_back(c);
    return characters;
  }

  void count_pairs() {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      const std::vector<Symbol>& word = words_[i];
      for (std::size_t at = 0; at + 1 < word.size(); ++at) {
        change_count(pair_of(word[at].id, word[at + 1].id), 1, static_cast<uint32_t>(i));
      }
    }
    queue_new_pairs();
  }

  /// A pair that becomes more frequent in a word is to be looked for there.
  void change_count(Pair pair, int change, uint32_t word) {
    pair_counts_[pair] += change * counts_[word];
    if (change < 0) return;
    std::vector<uint32_t>& words = new_places_[pair];
    if (words.empty() || words.back() != word) words.push_back(word);
  }

  void queue_new_pairs() {
    for (auto& [pair, words] : new_places_) {
      const int64_t count = pair_counts_[pair];
      if (count > 0) push({count, pair, std::move(words)});
    }
    new_places_.clear();
  }

  void merge(const Candidate& candidate) {
    const auto left = static_cast<int32_t>(candidate.pair >> 32U);
    const auto right = static_cast<int32_t>(candidate.pair & UINT32_MAX);
    std::string_view second = result_.tokens[static_cast<std::size_t>(right)];
    const std::string& prefix = options_.continuing_subword_prefix;
    if (!prefix.empty() && second.starts_with(prefix)) second.remove_prefix(prefix.size());
    const int32_t merged =
        add_token(result_.tokens[static_cast<std::size_t>(left)] + std::string(second));
    result_.merges.emplace_back(left, right);
    for (const uint32_t word : candidate.words) merge_in_word(left, right, merged, word);
    queue_new_pairs();
  }

  void merge_in_word(int32_t left, int32_t right, int32_t merged, uint32_t index) {
    std::vector<Symbol>& word = words_[index];
    std::size_t size = 0;  // of what is done
    for (std::size_t at = 0; at < word.size(); ++at) {
      if (at + 1 == word.size() || word[at].id != left || word[at + 1].id != right) {
        word[size++] = word[at];
        continue;
      }
      const Symbol joined{merged, word[at].length + word[at + 1].length};
      ++at;
      if (size > 0) {
        const Symbol& before = word[size - 1];
        change_count(pair_of(before.id, left), -1, index);
        if (before.length + joined.length < max_length_) {
          change_count(pair_of(before.id, merged), 1, index);
        }
      }
      if (at + 1 < word.size()) {
        const Symbol& after = word[at + 1];
        change_count(pair_of(right, after.id), -1, index);
        if (after.length + joined.length < max_length_) {
          change_count(pair_of(merged, after.id), 1, index);
        }
      }
      word[size++] = joined;
    }
    word.resize(size);
  }

  void push(Candidate candidate) {
    heap_.push_back(std::move(candidate));
    std::push_heap(heap_.begin(), heap_.end(), merges_later);
  }
  Candidate pop() {
    std::pop_heap(heap_.begin(), heap_.end(), merges_later);
    Candidate top = std::move(heap_.back());
    heap_.pop_back();
    return top;
  }

  const BpeTrainerOptions& options_;
  int32_t max_length_;
  BpeVocabulary result_;
  std::unordered_map<std::string, int32_t> ids_;
  std::unordered_map<char32_t, int32_t> first_ids_;
  std::vector<std::vector<Symbol>> words_;
  std::vector<int64_t> counts_;
  std::unordered_map<Pair, int64_t> pair_counts_;
  std::unordered_map<Pair, std::vector<uint32_t>> new_places_;
  std::vector<Candidate> heap_;
};

}  // namespace

BpeVocabulary train_bpe(const std::vector<CountedWord>& words, const BpeTrainerOptions& options) {
  return Trainer(options).run(words);
}

}  // namespace aios::tokenizer
