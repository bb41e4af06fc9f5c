// The three ways to merge give what merging one pair after the other gives.
#include "tokenizer/merge_symbols.h"

#include <gtest/gtest.h>

#include <random>
#include <utility>
#include <vector>

namespace aios::tokenizer {
namespace {

using Ids = std::vector<int32_t>;

constexpr int32_t kNumLetters = 4;
constexpr int32_t kNumTokens = 60;
constexpr int32_t kForeign = 1000;  // not in any word

struct Rule {
  int32_t left, right;
  MergeTable::Merge merge;
};

/// Every merge makes a new token out of earlier ones, as trainers do.
std::vector<Rule> random_rules(std::mt19937& random) {
  std::vector<Rule> rules;
  for (int32_t token = kNumLetters; token < kNumTokens; ++token) {
    const auto pick = [&] { return static_cast<int32_t>(random() % static_cast<unsigned>(token)); };
    rules.push_back({pick(), pick(), {static_cast<uint32_t>(rules.size()), token}});
  }
  return rules;
}

MergeTable table_of(const std::vector<Rule>& rules) {
  MergeTableBuilder builder(rules.size());
  for (const Rule& rule : rules) builder.insert(rule.left, rule.right, rule.merge);
  return std::move(builder).finish();
}

/// The same, and two merges that no word needs but that are out of order.
MergeTable unordered_table_of(std::vector<Rule> rules) {
  const auto rank = static_cast<uint32_t>(rules.size());
  rules.push_back({kForeign, kForeign, {rank, kForeign + 1}});
  rules.push_back({kForeign + 2, kForeign + 2, {rank + 1, kForeign}});
  return table_of(rules);
}

ModelScratch scratch_of(const Ids& word) {
  ModelScratch scratch;
  for (const int32_t id : word) {
    const auto index = static_cast<int32_t>(scratch.symbols.size());
    scratch.symbols.push_back({id, 1, index - 1, index + 1});
  }
  scratch.symbols.back().next = -1;
  return scratch;
}

Ids merged(const MergeTable& merges, const Ids& word) {
  ModelScratch scratch = scratch_of(word);
  merge_symbols(merges, scratch);
  Ids ids;
  for (const ModelScratch::Symbol& symbol : scratch.symbols) {
    if (symbol.size > 0) ids.push_back(symbol.id);
  }
  return ids;
}

Ids merged_one_by_one(const MergeTable& merges, Ids word) {
  while (true) {
    const MergeTable::Merge* best = nullptr;
    std::size_t place = 0;
    for (std::size_t i = 0; i + 1 < word.size(); ++i) {
      const MergeTable::Merge* const merge = merges.find(word[i], word[i + 1]);
      if (merge == nullptr || (best != nullptr && best->rank <= merge->rank)) continue;
      best = merge;
      place = i;
    }
    if (best == nullptr) return word;
    word[place] = best->merged;
    word.erase(word.begin() + static_cast<std::ptrdiff_t>(place) + 1);
  }
}

Ids random_word(std::mt19937& random, std::size_t size, int32_t num_letters) {
  Ids word(size);
  for (int32_t& id : word) {
    id = static_cast<int32_t>(random() % static_cast<unsigned>(num_letters));
  }
  return word;
}

TEST(MergeSymbols, KnowsWhetherMergesAreInOrder) {
  std::mt19937 random(1);
  const std::vector<Rule> rules = random_rules(random);
  EXPECT_TRUE(table_of(rules).is_ordered());
  EXPECT_FALSE(unordered_table_of(rules).is_ordered());
}

TEST(MergeSymbols, ShortAndMiddleWordsMergeOneByOne) {
  std::mt19937 random(2);
  for (int i = 0; i < 300; ++i) {
    const MergeTable merges = table_of(random_rules(random));
    for (const std::size_t size : {1U, 2U, 5U, 31U, 32U, 33U, 200U}) {
      const Ids word = random_word(random, size, 1 + i % kNumLetters);
      ASSERT_EQ(merged(merges, word), merged_one_by_one(merges, word)) << size;
    }
  }
}

TEST(MergeSymbols, VeryLongWordsMergeAsByTheHeap) {
  std::mt19937 random(3);
  for (int i = 0; i < 40; ++i) {
    const std::vector<Rule> rules = random_rules(random);
    const Ids word = random_word(random, 70'001, 1 + i % kNumLetters);
    ASSERT_TRUE(merged(table_of(rules), word) == merged(unordered_table_of(rules), word)) << i;
  }
}

}  // namespace
}  // namespace aios::tokenizer
