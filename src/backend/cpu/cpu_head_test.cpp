#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "aios/error.h"
#include "backend/cpu/cpu_backend_test_support.h"

namespace aios {
namespace {

using backend_test::contents;
using backend_test::make_backend;
using backend_test::make_buffer;
using backend_test::make_view;
using backend_test::Random;
using backend_test::TestLinear;

constexpr int64_t kVocab = 1000;  // several vocabulary tiles and a tail
constexpr int64_t kHidden = 24;
constexpr int64_t kRows = 6;

struct Fixture {
  std::unique_ptr<Backend> backend;
  Random random{7};
  TestLinear head;
  BufferPtr hidden;

  explicit Fixture(int num_threads = 1)
      : backend(make_backend(choose_isa(), num_threads)),
        head(*backend, random, kHidden, kVocab),
        hidden(make_buffer(*backend, random.normal(kRows * kHidden, 3.0F), kRows)) {}

  HeadResult run(const HeadRequest& request) {
    HeadResult result;
    backend->head(head.linear, request, *hidden, result);
    return result;
  }
};

TEST(CpuHead, LogitsAreThoseOfTheRowsAskedFor) {
  Fixture fixture;
  const int32_t rows[] = {4, 0, 4};
  const int32_t suppressed[] = {0, 255, 256, 999};
  const HeadResult result = fixture.run(
      {.output = HeadOutput::kLogits, .rows = rows, .suppressed_token_ids = suppressed});
  const std::vector<float> hidden = contents(*fixture.backend, *fixture.hidden);
  ASSERT_EQ(result.vocab_size, kVocab);
  ASSERT_EQ(result.logits.size(), 3U * kVocab);
  for (std::size_t i = 0; i < 3; ++i) {
    for (int64_t id = 0; id < kVocab; ++id) {
      const float logit = result.logits[i * kVocab + static_cast<std::size_t>(id)];
      if (std::ranges::binary_search(suppressed, id)) {
        EXPECT_EQ(logit, -std::numeric_limits<float>::infinity());
      } else {
        EXPECT_NEAR(logit, fixture.head.apply(hidden.data() + rows[i] * kHidden, id), 1e-5);
      }
    }
  }
}

/// Softmax quantities of one row in double.
struct Reference {
  std::vector<double> log_probs;
  double log_sum_exp = 0;
  double entropy = 0;
  std::vector<int32_t> order;  // by logit, descending

  Reference(const float* logits, double temperature) : log_probs(kVocab), order(kVocab) {
    const double maximum = *std::max_element(logits, logits + kVocab) / temperature;
    double sum = 0;
    for (int64_t i = 0; i < kVocab; ++i) sum += std::exp(logits[i] / temperature - maximum);
    log_sum_exp = maximum + std::log(sum);
    for (std::size_t i = 0; i < kVocab; ++i) {
      log_probs[i] = logits[i] / temperature - log_sum_exp;
      const double p = std::exp(log_probs[i]);
      if (p > 0) entropy -= p * log_probs[i];
    }
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, [&](int32_t a, int32_t b) { return logits[a] > logits[b]; });
  }
};

TEST(CpuHead, CandidatesEqualDoubleSoftmaxOfTheLogits) {
  Fixture fixture;
  const std::vector<int32_t> rows = {0, 1, 2, 3, 4, 5};
  const std::vector<int32_t> suppressed = {3, 17, 800};
  const std::vector<int32_t> targets = {5, 999, 0, 256, 255, 512};
  for (const float temperature : {0.25F, 1.0F, 3.0F}) {
    HeadRequest request{
        .output = HeadOutput::kLogits, .rows = rows, .suppressed_token_ids = suppressed};
    const HeadResult logits = fixture.run(request);
    request.output = HeadOutput::kCandidates;
    request.softmax_temperature = temperature;
    request.target_ids = targets;
    const HeadResult result = fixture.run(request);
    ASSERT_EQ(result.candidates.size(), rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const RowCandidates& found = result.candidates[row];
      const Reference expected(logits.logits.data() + row * kVocab, temperature);
      for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(found.top_ids[i], expected.order[i]);
        EXPECT_NEAR(found.top_log_probs[i],
                    expected.log_probs[static_cast<std::size_t>(expected.order[i])], 1e-5);
      }
      EXPECT_EQ(found.sampled_id, found.top_ids[0]);
      EXPECT_EQ(found.sampled_log_prob, found.top_log_probs[0]);
      EXPECT_NEAR(found.target_log_prob, expected.log_probs[static_cast<std::size_t>(targets[row])],
                  1e-5);
      EXPECT_NEAR(found.log_sum_exp, expected.log_sum_exp, 1e-5);
      EXPECT_NEAR(found.entropy, expected.entropy, 2e-6);
    }
  }
}

TEST(CpuHead, TiesGoToTheSmallerId) {
  Fixture fixture;
  fixture.head.linear.weight = fixture.backend->load(
      make_view(std::vector<float>(kVocab * kHidden, 0.0F), {kVocab, kHidden}));
  std::vector<float> bias(kVocab, 1.0F);
  bias[700] = bias[300] = bias[301] = 2.0F;
  fixture.head.linear.bias = fixture.backend->load(make_view(bias, {kVocab}));
  const int32_t rows[] = {0};
  const HeadResult result = fixture.run({.rows = rows});
  EXPECT_EQ(result.candidates[0].top_ids, (std::array<int32_t, 2>{300, 301}));
}

/// Uniforms from a table, and 0 where the table ends.
class TableSource final : public UniformSource {
 public:
  explicit TableSource(std::vector<double> values) : values_(std::move(values)) {}
  [[nodiscard]] double uniform(int32_t canvas, int32_t step, int32_t position,
                               int32_t token) const noexcept override {
    const auto index = static_cast<std::size_t>(canvas + step + position + token);
    return index < values_.size() ? values_[index] : 0;
  }

 private:
  std::vector<double> values_;
};

TEST(CpuHead, GumbelSampleIsTheArgmaxOfNoisyLogits) {
  Fixture fixture;
  const std::vector<int32_t> rows = {0, 1, 2, 3, 4, 5};
  const HeadResult logits = fixture.run({.output = HeadOutput::kLogits, .rows = rows});
  std::mt19937_64 engine(1);
  std::uniform_real_distribution<double> distribution;
  std::vector<double> uniforms(2 * kVocab);
  for (double& u : uniforms) u = distribution(engine);
  uniforms[3] = 0;  // -ln 0 is infinite
  const TableSource noise(uniforms);
  for (const float scale : {0.05F, 1.0F, 10.0F}) {
    std::vector<NoiseKey> keys;
    for (int32_t row = 0; row < kRows; ++row) keys.push_back({row, 2 * row, 100 * row});
    const HeadResult result = fixture.run({.rows = rows,
                                           .softmax_temperature = 2.0F,
                                           .gumbel_scale = scale,
                                           .noise = &noise,
                                           .noise_keys = keys});
    for (std::size_t row = 0; row < rows.size(); ++row) {
      double best = -std::numeric_limits<double>::infinity();
      int32_t best_id = -1;
      for (int32_t id = 0; id < kVocab; ++id) {
        const NoiseKey& key = keys[row];
        const double u = noise.uniform(key.canvas, key.step, key.position, id);
        const double score = logits.logits[row * kVocab + static_cast<std::size_t>(id)] / 2.0 -
                             scale * std::log(-std::log(u));
        if (score > best) {
          best = score;
          best_id = id;
        }
      }
      EXPECT_EQ(result.candidates[row].sampled_id, best_id) << scale;
    }
  }
}

TEST(CpuHead, AllUniformsZeroStillSamples) {
  Fixture fixture;
  const int32_t rows[] = {2};
  const NoiseKey keys[] = {{0, 0, 0}};
  const TableSource noise({});
  const HeadResult result =
      fixture.run({.rows = rows, .gumbel_scale = 1.0F, .noise = &noise, .noise_keys = keys});
  EXPECT_EQ(result.candidates[0].sampled_id, result.candidates[0].top_ids[0]);
}

TEST(CpuHead, ResultsDoNotDependOnThreadsOrOtherRows) {
  const std::vector<int32_t> rows = {0, 1, 2, 3, 4, 5};
  const PhiloxUniformSource noise(42);
  const std::vector<NoiseKey> keys(rows.size(), NoiseKey{1, 2, 3});
  HeadRequest request{.rows = rows, .gumbel_scale = 1.0F, .noise = &noise, .noise_keys = keys};
  Fixture one(1);
  const HeadResult expected = one.run(request);
  for (const int num_threads : {2, 3}) {
    Fixture many(num_threads);
    const HeadResult result = many.run(request);
    for (std::size_t row = 0; row < rows.size(); ++row) {
      EXPECT_EQ(
          std::memcmp(&result.candidates[row], &expected.candidates[row], sizeof(RowCandidates)),
          0);
      HeadRequest alone = request;
      alone.rows = request.rows.subspan(row, 1);
      alone.noise_keys = request.noise_keys.subspan(row, 1);
      const HeadResult single = many.run(alone);
      EXPECT_EQ(
          std::memcmp(&single.candidates[0], &expected.candidates[row], sizeof(RowCandidates)), 0);
    }
  }
}

TEST(CpuHead, RefusesRequestsThatContradictThemselves) {
  Fixture fixture;
  const int32_t rows[] = {0};
  const int32_t bad_rows[] = {static_cast<int32_t>(kRows)};
  const int32_t bad_ids[] = {static_cast<int32_t>(kVocab)};
  const NoiseKey keys[] = {{}};
  EXPECT_THROW(fixture.run({.rows = bad_rows}), InferenceError);
  EXPECT_THROW(fixture.run({.rows = rows, .suppressed_token_ids = bad_ids}), InferenceError);
  EXPECT_THROW(fixture.run({.rows = rows, .softmax_temperature = 0}), InferenceError);
  EXPECT_THROW(fixture.run({.rows = rows, .target_ids = bad_ids}), InferenceError);
  EXPECT_THROW(fixture.run({.rows = rows, .gumbel_scale = 1}), InferenceError);
  EXPECT_THROW(fixture.run({.rows = rows, .gumbel_scale = 1, .noise_keys = keys}), InferenceError);
}

TEST(CpuHead, RefusesScoresThatAreNotFinite) {
  Fixture fixture;
  std::vector<float> bias(kVocab, std::numeric_limits<float>::quiet_NaN());
  fixture.head.linear.bias = fixture.backend->load(make_view(bias, {kVocab}));
  const int32_t rows[] = {0};
  EXPECT_THROW(fixture.run({.rows = rows}), InferenceError);
}

}  // namespace
}  // namespace aios
