#include "diffusion/step_quota.h"

#include <numeric>
#include <sstream>

#include "diffusion/testing/golden_file.h"

namespace aios {
namespace {

using Quotas = std::vector<int32_t>;

std::vector<std::string> split(const std::string& key) {
  std::vector<std::string> parts;
  std::istringstream stream(key);
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

TEST(StepQuota, EvenQuotaMatchesLlada) {
  const auto golden = test::read_golden("schedules/llada_num_transfer_tokens.json");
  for (const auto& [key, quotas] : golden.at("table").items()) {
    const auto parts = split(key);
    EXPECT_EQ(even_quota(std::stoi(parts[0]), std::stoi(parts[1])), quotas.get<Quotas>()) << key;
  }
}

TEST(StepQuota, EpsQuotaMatchesDream) {
  const auto golden = test::read_golden("schedules/dream_k.json");
  ASSERT_EQ(golden.at("table").size(), 338U);
  for (const auto& [key, quotas] : golden.at("table").items()) {
    const auto parts = split(key);
    EXPECT_EQ(eps_quota(std::stoi(parts[0]), std::stoi(parts[1]), std::stof(parts[2])),
              quotas.get<Quotas>())
        << key;
  }
}

TEST(StepQuota, ScheduleQuotaMatchesDllm) {
  const auto golden = test::read_golden("schedules/dllm_num_transfer_tokens.json");
  ASSERT_EQ(golden.at("table").size(), 630U);
  for (const auto& [key, quotas] : golden.at("table").items()) {
    const auto parts = split(key);
    const NoiseScheduler scheduler(parts[0] == "Cosine" ? ScheduleKind::kCosineDllm
                                                        : ScheduleKind::kLinear);
    EXPECT_EQ(schedule_quota(std::stoi(parts[1]), std::stoi(parts[2]), scheduler),
              quotas.get<Quotas>())
        << key;
  }
}

// Also where m(0) > 0, so that the schedule by itself would leave masks.
TEST(StepQuota, EveryQuotaRevealsAllMasks) {
  for (const ScheduleKind kind :
       {ScheduleKind::kLogLinear, ScheduleKind::kCosineMdlm, ScheduleKind::kCosineSquared,
        ScheduleKind::kLinearMdlm, ScheduleKind::kGeometric, ScheduleKind::kPolynomialSquare,
        ScheduleKind::kPolynomialSquareRoot, ScheduleKind::kLogarithmic, ScheduleKind::kCosineBd3lm,
        ScheduleKind::kLogLinearBd3lm, ScheduleKind::kLinear, ScheduleKind::kCosineDllm}) {
    for (const int32_t num_masks : {0, 1, 7, 64}) {
      for (const int32_t num_steps : {1, 3, 64, 100}) {
        const Quotas quotas = schedule_quota(num_masks, num_steps, NoiseScheduler(kind));
        EXPECT_EQ(std::accumulate(quotas.begin(), quotas.end(), 0), num_masks);
        EXPECT_LE(quotas.size(), static_cast<std::size_t>(num_steps));
        for (const int32_t quota : quotas) EXPECT_GT(quota, 0);
      }
    }
  }
  const Quotas quotas = eps_quota(64, 10, 0.9F);
  EXPECT_EQ(std::accumulate(quotas.begin(), quotas.end(), 0), 64);
}

}  // namespace
}  // namespace aios
