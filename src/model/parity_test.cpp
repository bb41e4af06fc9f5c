// Every fixture against transformers, and one result however it is computed.
#include <gtest/gtest.h>

#include <thread>

#include "model/parity_fixture.h"

namespace aios::parity {
namespace {

class Parity : public testing::TestWithParam<std::string> {
 protected:
  Fixture fixture_{GetParam()};
  [[nodiscard]] InferenceCore core(int num_threads, ComputeType compute) const {
    return {fixture_.spec(), *fixture_.weights, make_backend(num_threads, compute)};
  }
};

TEST_P(Parity, LogitsHiddenStatesAndGreedyTextAreThoseOfTransformers) {
  EXPECT_EQ(first_difference(fixture_, fixture_.spec(), *fixture_.weights, make_backend()),
            std::nullopt);
}

TEST_P(Parity, OneAndTwoThreadsGiveTheSameBits) {
  for (const ComputeType compute : {ComputeType::kF32, ComputeType::kAuto}) {
    const InferenceCore one = core(1, compute);
    const InferenceCore two = core(2, compute);
    for (const AttentionKind kind : one.spec().attention_kinds) {
      EXPECT_EQ(all_rows(one, fixture_.inputs(), kind), all_rows(two, fixture_.inputs(), kind));
    }
  }
}

TEST_P(Parity, AloneAndInABatchGiveTheSameBits) {
  for (const ComputeType compute : {ComputeType::kF32, ComputeType::kAuto}) {
    const InferenceCore core = this->core(2, compute);
    for (const AttentionKind kind : core.spec().attention_kinds) {
      std::vector<float> alone;
      for (const SequenceInput& input : fixture_.inputs()) {
        const std::vector<float> rows = all_rows(core, {input}, kind);
        alone.insert(alone.end(), rows.begin(), rows.end());
      }
      EXPECT_EQ(all_rows(core, fixture_.inputs(), kind), alone);
    }
  }
}

/// All sequences at once, each through its own cache, in pieces of `piece_length` tokens.
std::vector<float> rows_through_caches(const Fixture& fixture, const InferenceCore& core,
                                       AttentionKind kind, std::size_t piece_length) {
  const std::size_t num_sequences = fixture.sequences.size();
  std::vector<std::unique_ptr<KVCache>> caches;
  std::vector<std::vector<float>> rows(num_sequences);
  for (const auto& sequence : fixture.sequences) {
    caches.push_back(core.make_cache(std::ssize(sequence)));
  }
  for (std::size_t begin = 0; begin < fixture.sequences[0].size(); begin += piece_length) {
    std::vector<SequenceInput> inputs;
    std::vector<std::size_t> owners;
    for (std::size_t s = 0; s < num_sequences; ++s) {
      const std::span<const int32_t> ids = fixture.sequences[s];
      if (begin >= ids.size()) continue;
      inputs.push_back(
          {ids.subspan(begin, std::min(piece_length, ids.size() - begin)), caches[s].get()});
      owners.push_back(s);
    }
    const std::vector<float> piece = all_rows(core, inputs, kind);
    std::size_t num_tokens = 0;
    for (const SequenceInput& input : inputs) num_tokens += input.token_ids.size();
    const std::size_t width = piece.size() / num_tokens;
    auto next = piece.begin();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto end = next + std::ssize(inputs[i].token_ids) * static_cast<int64_t>(width);
      rows[owners[i]].insert(rows[owners[i]].end(), next, end);
      next = end;
    }
  }
  std::vector<float> all;
  for (const auto& sequence : rows) all.insert(all.end(), sequence.begin(), sequence.end());
  return all;
}

TEST_P(Parity, CachedAndUncachedGiveTheSameBits) {
  for (const ComputeType compute : {ComputeType::kF32, ComputeType::kAuto}) {
    const InferenceCore core = this->core(2, compute);
    for (const AttentionKind kind : {AttentionKind::kCausal, AttentionKind::kBlockCausal}) {
      if (!core.spec().allows(kind)) continue;
      const std::vector<float> uncached = all_rows(core, fixture_.inputs(), kind);
      const int32_t block = kind == AttentionKind::kCausal ? 1 : core.spec().block_length;
      for (const int32_t num_blocks : {1, 3}) {
        const auto piece_length = static_cast<std::size_t>(block * num_blocks);
        EXPECT_EQ(rows_through_caches(fixture_, core, kind, piece_length), uncached)
            << "pieces of " << piece_length;
      }
    }
  }
}

TEST_P(Parity, SeveralCallersAtOnceGetTheSameBits) {
  const InferenceCore core = this->core(2, ComputeType::kAuto);
  const AttentionKind kind = core.spec().attention_kinds.front();
  const std::vector<float> expected = all_rows(core, fixture_.inputs(), kind);
  std::vector<std::vector<float>> results(3);
  std::vector<std::thread> callers;
  for (auto& result : results) {
    callers.emplace_back([&] { result = all_rows(core, fixture_.inputs(), kind); });
  }
  for (std::thread& caller : callers) caller.join();
  for (const auto& result : results) EXPECT_EQ(result, expected);
}

TEST_P(Parity, ATruncatedCacheGoesOnFromThere) {
  const InferenceCore core = this->core(1, ComputeType::kF32);
  if (!core.spec().allows(AttentionKind::kCausal)) return;  // full attention keeps no past
  const std::span<const int32_t> ids = fixture_.sequences[0];
  const auto cache = core.make_cache(std::ssize(ids));
  (void)all_rows(core, {{ids, cache.get()}}, AttentionKind::kCausal);
  cache->truncate(4);
  std::vector<float> rows = all_rows(core, {{ids.first(4), nullptr}}, AttentionKind::kCausal);
  const auto rest = all_rows(core, {{ids.subspan(4), cache.get()}}, AttentionKind::kCausal);
  rows.insert(rows.end(), rest.begin(), rest.end());
  EXPECT_EQ(rows, all_rows(core, {{ids, nullptr}}, AttentionKind::kCausal));
}

/// Under full attention kept tokens stay as they were computed, so that tokens put back see again
/// what they saw.
TEST_P(Parity, TokensPutBackIntoACacheGiveTheSameBits) {
  for (const ComputeType compute : {ComputeType::kF32, ComputeType::kAuto}) {
    const InferenceCore core = this->core(2, compute);
    if (!core.spec().allows(AttentionKind::kFull)) return;
    if (core.spec().skip_pad_positions) return;  // positions depend on pads before the cached ones
    const std::span<const int32_t> ids = fixture_.sequences[0];
    const auto cache = core.make_cache(std::ssize(ids));
    const std::vector<float> all = all_rows(core, {{ids, cache.get()}}, AttentionKind::kFull);
    const std::size_t begin = ids.size() / 3;
    const std::size_t size = ids.size() / 3 + 1;
    const std::vector<int32_t> others(size, ids[0]);
    const auto at = static_cast<int64_t>(begin);
    (void)all_rows(core, {{others, cache.get(), at}}, AttentionKind::kFull);
    EXPECT_EQ(cache->length(), std::ssize(ids));
    const std::vector<float> rows =
        all_rows(core, {{ids.subspan(begin, size), cache.get(), at}}, AttentionKind::kFull);
    const std::size_t width = rows.size() / size;
    const auto expected = std::span(all).subspan(begin * width, size * width);
    EXPECT_EQ(rows, std::vector<float>(expected.begin(), expected.end()));
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, Parity, testing::ValuesIn(fixture_names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace aios::parity
