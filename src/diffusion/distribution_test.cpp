// What is random about the samplers, against closed forms.
#include <cmath>
#include <functional>

#include "diffusion/diffusion_core.h"
#include "diffusion/noise_scheduler.h"
#include "diffusion/testing/chi_square.h"
#include "diffusion/testing/exact_denoiser.h"
#include "diffusion/testing/table_denoiser.h"

namespace aios::test {
namespace {

constexpr int kNumCanvases = 10000;

using Ids = std::vector<int32_t>;
using Trace = std::vector<Ids>;

/// The canvases after every step, for many canvases of masks alone.
std::vector<Trace> sample(Denoiser& denoiser, const DiffusionConfig& config, int32_t length,
                          std::vector<int32_t> begin = {}, uint64_t seed = 42) {
  const auto mask = static_cast<int32_t>(denoiser.vocab_size()) - 1;
  Canvas canvas;
  canvas.append_given(begin);
  canvas.append_hole(length, false);
  std::vector<Trace> traces(kNumCanvases);
  DiffusionCore core(denoiser, {mask, {}, {}});
  core.fill(std::vector<Canvas>(kNumCanvases, canvas), config, false, PhiloxUniformSource(seed),
            [&](const StepView& view) {
              traces[static_cast<std::size_t>(view.sample)].emplace_back(view.token_ids.begin(),
                                                                         view.token_ids.end());
            });
  return traces;
}

DiffusionConfig config_of(Remasking remasking, float temperature = 1, int32_t num_steps = 0) {
  DiffusionConfig config;
  config.remasking = remasking;
  config.temperature = temperature;
  config.num_steps = num_steps;
  return config;
}

std::map<int32_t, double> as_map(const std::vector<double>& probabilities) {
  std::map<int32_t, double> map;
  for (std::size_t id = 0; id < probabilities.size(); ++id) {
    map[static_cast<int32_t>(id)] = probabilities[id];
  }
  return map;
}

const std::vector<std::vector<double>> kTwoPositions = {{1.0, 0.2, -0.5, -1.2, 3.0},
                                                        {-0.3, 0.9, 0.4, -2.0, 3.0}};

// One token at a time, in an order that does not hang on the tokens drawn, is exact.
TEST(Distribution, ExactConditionalsGiveTheJointDistribution) {
  for (const Remasking remasking :
       {Remasking::kRandom, Remasking::kFirstHitting, Remasking::kSequential, Remasking::kEntropy,
        Remasking::kTopkMargin, Remasking::kEntropyBound}) {
    SCOPED_TRACE(static_cast<int>(remasking));
    ExactDenoiser denoiser;
    DiffusionConfig config = config_of(remasking);
    config.entropy_bound = 0;
    // Dream's quotas reveal one token a step only with many steps.
    if (remasking == Remasking::kEntropy || remasking == Remasking::kTopkMargin) {
      config.block_length = 1;
    }
    std::map<Text, int> counts;
    for (const Trace& trace : sample(denoiser, config, 3, {0})) {
      ++counts[{trace.back()[1], trace.back()[2], trace.back()[3]}];
    }
    EXPECT_LT(chi_square_ratio(counts, denoiser.joint()), 1);
  }
}

// LLaDA's draw argmax l + T g and the others' argmax l / T + g are both softmax(l / T); fused
// candidates and whole rows (a filter that removes nothing forces them) alike.
TEST(Distribution, TemperatureTempers) {
  for (const Remasking remasking : {Remasking::kLowConfidence, Remasking::kMaskgitPlus}) {
    for (const int32_t top_k : {0, 5}) {
      SCOPED_TRACE(top_k);
      TableDenoiser denoiser(kTwoPositions);
      DiffusionConfig config = config_of(remasking, 0.6F, 1);  // one step: no choice of positions
      config.top_k = top_k;
      const auto traces = sample(denoiser, config, 2);
      for (std::size_t position = 0; position < 2; ++position) {
        std::map<int32_t, int> counts;
        for (const Trace& trace : traces) ++counts[trace.back()[position]];
        const auto expected = as_map(denoiser.softmax(position, static_cast<double>(0.6F)));
        EXPECT_LT(chi_square_ratio(counts, expected), 1);
      }
    }
  }
}

TEST(Distribution, TopKAndTopPTruncate) {
  const std::vector<double> full = TableDenoiser(kTwoPositions).softmax(0, 1);  // ids 0, 1, 2, 3
  const double first_two = full[0] + full[1];
  const std::map<int32_t, double> expected = {{0, full[0] / first_two}, {1, full[1] / first_two}};
  DiffusionConfig by_count = config_of(Remasking::kLowConfidenceStatic);
  by_count.top_k = 2;
  DiffusionConfig by_probability = config_of(Remasking::kFirstHitting);
  by_probability.top_p = static_cast<float>(full[0] + full[1] / 2);
  for (const DiffusionConfig& config : {by_count, by_probability}) {
    TableDenoiser denoiser(kTwoPositions);
    std::map<int32_t, int> counts;
    for (const Trace& trace : sample(denoiser, config, 1)) ++counts[trace.back()[0]];
    EXPECT_LT(chi_square_ratio(counts, expected), 1);
  }
}

// With two masks, the one whose drawn token has the larger untempered p goes first.
TEST(Distribution, LowConfidenceOrdersByTheTokensDrawn) {
  TableDenoiser denoiser(kTwoPositions);
  const auto tempered_0 = denoiser.softmax(0, 2);
  const auto tempered_1 = denoiser.softmax(1, 2);
  const auto plain_0 = denoiser.softmax(0, 1);
  const auto plain_1 = denoiser.softmax(1, 1);
  std::map<std::pair<int, int32_t>, double> expected;  // position, token
  for (std::size_t a = 0; a < 4; ++a) {
    for (std::size_t b = 0; b < 4; ++b) {
      const bool first = plain_0[a] >= plain_1[b];
      expected[{first ? 0 : 1, static_cast<int32_t>(first ? a : b)}] +=
          tempered_0[a] * tempered_1[b];
    }
  }
  std::map<std::pair<int, int32_t>, int> counts;
  for (const Trace& trace : sample(denoiser, config_of(Remasking::kLowConfidence, 2), 2)) {
    const int position = trace[1][0] != 4 ? 0 : 1;
    ++counts[{position, trace[1][static_cast<std::size_t>(position)]}];
  }
  EXPECT_LT(chi_square_ratio(counts, expected), 1);
}

/// Flat rows, for tests of positions alone.
std::vector<std::vector<double>> flat(std::size_t length) { return {length, {0, 0, 0}}; }

/// Which of `length` positions hold a token, as a bit set.
int revealed_set(const Ids& ids) {
  int set = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) set |= (ids[i] != 2 ? 1 : 0) << i;
  return set;
}

TEST(Distribution, RandomRevealsEverySetAlike) {
  TableDenoiser denoiser(flat(4));
  std::map<int, int> counts;
  for (const Trace& trace : sample(denoiser, config_of(Remasking::kRandom, 0, 2), 4)) {
    ++counts[revealed_set(trace[1])];
  }
  std::map<int, double> expected;
  for (int set = 0; set < 16; ++set) {
    if (__builtin_popcount(static_cast<unsigned>(set)) == 2) expected[set] = 1.0 / 6;
  }
  EXPECT_LT(chi_square_ratio(counts, expected), 1);
}

TEST(Distribution, FirstHittingVisitsInEveryOrderAlike) {
  TableDenoiser denoiser(flat(3));
  std::map<std::vector<int>, int> counts;
  for (const Trace& trace : sample(denoiser, config_of(Remasking::kFirstHitting, 0), 3)) {
    ++counts[{revealed_set(trace[1]), revealed_set(trace[2])}];
  }
  std::map<std::vector<int>, double> expected;
  for (const int first : {1, 2, 4}) {
    for (const int second : {1, 2, 4}) {
      if (first != second) expected[{first, first | second}] = 1.0 / 6;
    }
  }
  EXPECT_LT(chi_square_ratio(counts, expected), 1);
}

/// Of n masks, each revealed with probability p: how many?
std::map<int, double> binomial(int n, double p) {
  std::map<int, double> probabilities;
  for (int k = 0; k <= n; ++k) {
    probabilities[k] = std::tgamma(n + 1) / (std::tgamma(k + 1) * std::tgamma(n - k + 1)) *
                       std::pow(p, k) * std::pow(1 - p, n - k);
  }
  return probabilities;
}

// Four steps from t = 1 to eps: the first reveals each mask with probability 1 - s = (1 - eps) / 4.
// A step that reveals nothing asks nothing of the network.
TEST(Distribution, OriginRevealsEachMaskOnItsOwn) {
  TableDenoiser denoiser(flat(3));
  std::map<int, int> counts;
  for (const Trace& trace : sample(denoiser, config_of(Remasking::kOrigin, 0, 4), 3)) {
    ++counts[__builtin_popcount(static_cast<unsigned>(revealed_set(trace[1])))];
    EXPECT_EQ(revealed_set(trace.back()), 7);
  }
  EXPECT_LT(chi_square_ratio(counts, binomial(3, (1 - 1e-3) / 4)), 1);
}

// One step of ancestral sampling from t = 1 to s: the mask stays with m(s) / m(1), else p(v).
TEST(Distribution, DdpmStepIsTheReverseProcess) {
  for (const Remasking remasking : {Remasking::kDdpm, Remasking::kDdpmCache}) {
    for (const ScheduleKind schedule : {ScheduleKind::kLogLinear, ScheduleKind::kCosineMdlm}) {
      for (const float temperature : {0.0F, 0.8F}) {
        TableDenoiser denoiser(kTwoPositions);
        DiffusionConfig config = config_of(remasking, temperature, 3);
        config.schedule = schedule;
        const NoiseScheduler scheduler(schedule);
        const double s = 1 - (1 - 1e-3) / 3;
        const double stays = scheduler.mask_prob_t(s) / scheduler.mask_prob_t(1);
        auto expected = as_map(denoiser.softmax(0, temperature > 0 ? 0.8 : 1e-3));  // 1e-3: argmax
        for (auto& [id, probability] : expected) probability *= 1 - stays;
        expected[4] = stays;
        std::map<int32_t, int> counts;
        for (const Trace& trace : sample(denoiser, config, 1)) ++counts[trace[1][0]];
        EXPECT_LT(chi_square_ratio(counts, expected), 1);
      }
    }
  }
}

// The step at which a mask goes: step k of N with probability (m(t) - m(s)) / m(1), the rest at the
// end; whether or not rows were reused in between.
TEST(Distribution, DdpmTimesFollowTheSchedule) {
  for (const Remasking remasking : {Remasking::kDdpm, Remasking::kDdpmCache}) {
    TableDenoiser denoiser(flat(1));
    DiffusionConfig config = config_of(remasking, 1, 5);
    config.schedule = ScheduleKind::kCosineSquared;
    const NoiseScheduler scheduler(config.schedule);
    std::map<std::size_t, double> expected;
    double time = 1;
    for (std::size_t step = 1; step <= 5; ++step) {
      const double next = 1 - (1 - 1e-3) / 5 * static_cast<double>(step);
      expected[step] =
          (scheduler.mask_prob_t(time) - scheduler.mask_prob_t(next)) / scheduler.mask_prob_t(1);
      time = next;
    }
    expected[5] += scheduler.mask_prob_t(time) / scheduler.mask_prob_t(1);  // 2.5e-6, sixth step
    std::map<std::size_t, int> counts;
    for (const Trace& trace : sample(denoiser, config, 1)) {
      ++counts[std::min(trace.size() - 1, std::size_t{5})];
    }
    EXPECT_LT(chi_square_ratio(counts, expected), 1);
  }
}

// Positions drawn without replacement with probabilities softmax(confidence / alg_temp). Two steps
// on four masks reveal one first with eps 1e-3 (4 (1 - s) = 1.998), and two with eps 1e-9.
TEST(Distribution, AlgTempDrawsPositions) {
  TableDenoiser denoiser({{2, 0, 0}, {1, 0, 0}, {0.5, 0, 0}, {0, 0, 0}});
  std::vector<double> weights;
  double sum = 0;
  for (std::size_t position = 0; position < 4; ++position) {
    weights.push_back(std::exp(denoiser.softmax(position, 1)[0] / 0.25));
    sum += weights.back();
  }
  std::map<int, double> one;
  std::map<int, double> two;
  for (std::size_t a = 0; a < 4; ++a) {
    one[1 << a] = weights[a] / sum;
    for (std::size_t b = 0; b < 4; ++b) {
      if (a != b) two[1 << a | 1 << b] += weights[a] / sum * weights[b] / (sum - weights[a]);
    }
  }
  DiffusionConfig config = config_of(Remasking::kMaskgitPlus, 0, 2);
  config.alg_temp = 0.25F;
  for (const auto& [eps, expected] : {std::pair(1e-3F, one), std::pair(1e-9F, two)}) {
    config.eps = eps;
    std::map<int, int> counts;
    for (const Trace& trace : sample(denoiser, config, 4)) ++counts[revealed_set(trace[1])];
    EXPECT_LT(chi_square_ratio(counts, expected), 1);
  }
}

// Entropies in order 0.06, 0.33, 0.50 and 0.69 nats: those before sum to 0, 0.06, 0.38, 0.88.
TEST(Distribution, EntropyBoundRevealsWhileTheSumBeforeStaysBelow) {
  const auto row_of = [](double p) { return std::vector<double>{std::log(p), std::log(1 - p), 0}; };
  const auto entropy = [](double p) { return -p * std::log(p) - (1 - p) * std::log(1 - p); };
  const std::vector<double> p = {0.5, 0.9, 0.99, 0.8};
  ASSERT_LT(entropy(p[2]) + entropy(p[1]), 0.4);
  ASSERT_GT(entropy(p[2]) + entropy(p[1]) + entropy(p[3]), 0.4);
  TableDenoiser denoiser({row_of(p[0]), row_of(p[1]), row_of(p[2]), row_of(p[3])});
  DiffusionConfig config = config_of(Remasking::kEntropyBound);
  config.entropy_bound = 0.4F;
  std::map<Ids, int> counts;
  std::map<Ids, double> expected;
  for (const Trace& trace : sample(denoiser, config, 4)) {
    EXPECT_EQ(trace.size(), 3U);
    EXPECT_EQ(revealed_set(trace[1]), 0b1110);
    ++counts[trace.back()];
  }
  for (int set = 0; set < 16; ++set) {
    Ids ids;
    double probability = 1;
    for (int i = 0; i < 4; ++i) {
      ids.push_back(set >> i & 1);
      const double first = p[static_cast<std::size_t>(i)];
      probability *= ids.back() == 0 ? first : 1 - first;
    }
    expected[ids] = probability;
  }
  EXPECT_LT(chi_square_ratio(counts, expected), 1);
}

}  // namespace
}  // namespace aios::test
