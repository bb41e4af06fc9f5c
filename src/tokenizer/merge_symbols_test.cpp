// All ways to merge give what merging one pair after the other gives.
#include "tokenizer/merge_symbols.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

namespace aios::tokenizer {
namespace {

using Ids = std::vector<int32_t>;

constexpr int32_t kNumLetters = 4;
constexpr int32_t kNumTokens = 60;

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

ModelScratch scratch_of(const Ids& word) {
  ModelScratch scratch;
  for (const int32_t id : word) scratch.symbols.push_back({id, 1});
  return scratch;
}

Ids merged(const MergeTable& merges, const Ids& word) {
  ModelScratch scratch = scratch_of(word);
  std::vector<WordToken> tokens;
  merge_symbols(merges, scratch, tokens);
  Ids ids;
  uint32_t end = 0;
  for (const WordToken& token : tokens) {
    EXPECT_EQ(token.begin, end);
    end = token.end;
    ids.push_back(token.id);
  }
  EXPECT_EQ(end, word.size());
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

/// Letters 0, 1, 2, …, of which later neighbours merge first: how the first letters merge depends
/// on whether the number of all that follow is even.
MergeTable chain_table(int32_t num_letters) {
  MergeTableBuilder builder(static_cast<std::size_t>(num_letters));
  for (int32_t letter = 0; letter + 1 < num_letters; ++letter) {
    builder.insert(letter, letter + 1,
                   {static_cast<uint32_t>(num_letters - letter), num_letters + letter});
  }
  return std::move(builder).finish();
}

TEST(MergeSymbols, ShortAndMiddleWordsMergeOneByOne) {
  std::mt19937 random(2);
  for (int i = 0; i < 300; ++i) {
    const MergeTable merges = table_of(random_rules(random));
    for (const std::size_t size : {1U, 2U, 5U, 63U, 64U, 65U, 200U}) {
      const Ids word = random_word(random, size, 1 + i % kNumLetters);
      ASSERT_EQ(merged(merges, word), merged_one_by_one(merges, word)) << size;
    }
  }
}

TEST(MergeSymbols, RanksThatFallFromMergeToMergeDoNotMatter) {
  std::mt19937 random(3);
  for (int i = 0; i < 100; ++i) {
    std::vector<Rule> rules = random_rules(random);
    std::vector<uint32_t> ranks(rules.size());
    std::iota(ranks.begin(), ranks.end(), 0U);
    std::shuffle(ranks.begin(), ranks.end(), random);
    for (std::size_t rule = 0; rule < rules.size(); ++rule) rules[rule].merge.rank = ranks[rule];
    const MergeTable merges = table_of(rules);
    const Ids word = random_word(random, 1000, 1 + i % kNumLetters);
    ASSERT_EQ(merged(merges, word), merged_one_by_one(merges, word)) << i;
  }
}

TEST(MergeSymbols, LongWordsMergeOneByOne) {
  std::mt19937 random(4);
  for (int i = 0; i < 40; ++i) {
    const MergeTable merges = table_of(random_rules(random));
    const Ids word = random_word(random, 5'001, 1 + i % kNumLetters);
    ASSERT_EQ(merged(merges, word), merged_one_by_one(merges, word)) << i;
  }
}

TEST(MergeSymbols, WhatLiesFarBehindMayDecide) {
  for (const int32_t size : {66, 127, 300, 301, 1'000, 1'001}) {
    Ids word(static_cast<std::size_t>(size));
    std::iota(word.begin(), word.end(), 0);
    const MergeTable merges = chain_table(size);
    const Ids expected = merged_one_by_one(merges, word);
    EXPECT_EQ(expected.front(), size % 2 == 0 ? size : 0);
    EXPECT_EQ(merged(merges, word), expected) << size;
  }
}

TEST(MergeSymbols, MemoryDoesNotGrowWithTheWord) {
  // Windows that stay small are what makes the time linear.
  std::mt19937 random(5);
  const MergeTable merges = table_of(random_rules(random));
  for (const int32_t num_letters : {1, kNumLetters}) {
    ModelScratch scratch = scratch_of(random_word(random, 1'000'000, num_letters));
    const std::size_t word = scratch.capacity();
    std::vector<WordToken> tokens;
    merge_symbols(merges, scratch, tokens);
    EXPECT_LT(scratch.capacity() - word, 64U << 10U) << num_letters;
  }
}

}  // namespace
}  // namespace aios::tokenizer
