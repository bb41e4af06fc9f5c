// Whole networks with quantised weights: the tiny models of tests/parity/fixtures, quantised by the
// plan of `aios convert`.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "convert/quantization_policy.h"
#include "model/parity_fixture.h"
#include "quant/arrow_quant.h"
#include "storage/parquet_writer.h"

namespace aios::parity {
namespace {

namespace fs = std::filesystem;

/// What the plan makes of a fixture, in a file that the test removes.
class QuantizedModel : public testing::TestWithParam<std::string> {
 protected:
  QuantizedModel() { fs::create_directories(folder_); }
  ~QuantizedModel() override { fs::remove_all(folder_); }

  [[nodiscard]] std::unique_ptr<WeightLoader> quantized(QuantType type) const {
    const QuantizationPlan plan =
        plan_quantization(weight_roles(fixture_.spec(), *fixture_.weights),
                          QuantizedFormat{type, default_group_size(type)});
    ThreadPool pool(1);
    const std::string path = folder_ / (std::string(quant_type_name(type)) + ".parquet");
    ParquetModelWriter writer(path);
    for (const TensorInfo& info : fixture_.weights->tensors()) {
      const TensorView tensor = fixture_.weights->tensor(info.name);
      const auto planned = plan.find(info.name);
      writer.add(info.name,
                 planned == plan.end()
                     ? tensor
                     : make_view(ArrowQuant(pool).quantize(to_floats(tensor), tensor.shape[0],
                                                           tensor.shape[1], planned->second),
                                 tensor.dtype));
    }
    writer.finish();
    return WeightLoader::open(path);
  }

  [[nodiscard]] InferenceCore core(const WeightLoader& weights, int num_threads = 1,
                                   ComputeType compute = ComputeType::kAuto) const {
    return {fixture_.spec(), weights, make_backend(num_threads, compute)};
  }

  Fixture fixture_{GetParam()};
  const fs::path folder_ = fs::path(testing::TempDir()) / ("quantized_" + GetParam());
};

constexpr QuantType kTypes[] = {QuantType::kInt8, QuantType::kInt4, QuantType::kInt2};

/// |a - b| / |b|
double relative_distance(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    difference += std::pow(double{a[i]} - b[i], 2);
    norm += std::pow(double{b[i]}, 2);
  }
  return std::sqrt(difference / norm);
}

/// Rounded activations cost about what rounded weights do in 8 bits, as both have a scale for each
/// row here: together sqrt(2) times as much, in single models of these sizes less than 3 times.
/// More bits are nearer, and no type loses the scores.
TEST_P(QuantizedModel, ScoresAreNearThoseInF32) {
  const InferenceCore exact = core(*fixture_.weights, 1, ComputeType::kF32);
  for (const AttentionKind kind : exact.spec().attention_kinds) {
    const std::vector<float> expected = all_rows(exact, fixture_.inputs(), kind);
    const auto distance = [&](const WeightLoader& weights, ComputeType compute) {
      return relative_distance(all_rows(core(weights, 1, compute), fixture_.inputs(), kind),
                               expected);
    };
    const auto int8 = quantized(QuantType::kInt8);
    const double in_8_bits = distance(*int8, ComputeType::kAuto);
    EXPECT_LT(in_8_bits, 3 * distance(*int8, ComputeType::kF32));
    EXPECT_LT(in_8_bits, 0.2);
    const double in_4_bits = distance(*quantized(QuantType::kInt4), ComputeType::kAuto);
    const double in_2_bits = distance(*quantized(QuantType::kInt2), ComputeType::kAuto);
    EXPECT_LT(in_8_bits, in_4_bits);
    EXPECT_LT(in_4_bits, in_2_bits);
    EXPECT_LT(in_2_bits, 1);
  }
}

TEST_P(QuantizedModel, TheSameBitsAloneOrInABatchOnAnyNumberOfThreads) {
  for (const QuantType type : kTypes) {
    const auto weights = quantized(type);
    const InferenceCore one = core(*weights);
    const InferenceCore two = core(*weights, 2);
    for (const AttentionKind kind : one.spec().attention_kinds) {
      const std::vector<float> batch = all_rows(two, fixture_.inputs(), kind);
      std::vector<float> alone;
      for (const SequenceInput& input : fixture_.inputs()) {
        const std::vector<float> rows = all_rows(one, {input}, kind);
        alone.insert(alone.end(), rows.begin(), rows.end());
      }
      EXPECT_EQ(alone, batch) << quant_type_name(type);
    }
  }
}

TEST_P(QuantizedModel, ACacheChangesNoBit) {
  for (const QuantType type : kTypes) {
    const InferenceCore core = this->core(*quantized(type));
    if (!core.spec().allows(AttentionKind::kCausal)) return;  // full attention keeps no past
    const std::span<const int32_t> ids = fixture_.sequences[0];
    const auto whole = all_rows(core, {{ids, nullptr}}, AttentionKind::kCausal);
    const auto cache = core.make_cache(std::ssize(ids));
    std::vector<float> pieces;
    for (std::size_t begin = 0; begin < ids.size(); begin += 3) {
      const auto piece = ids.subspan(begin, std::min<std::size_t>(3, ids.size() - begin));
      const auto rows = all_rows(core, {{piece, cache.get()}}, AttentionKind::kCausal);
      pieces.insert(pieces.end(), rows.begin(), rows.end());
    }
    EXPECT_EQ(pieces, whole) << quant_type_name(type);
  }
}

/// In f32 the network computes with what the weights stand for: as a file that holds them in f32.
TEST_P(QuantizedModel, InF32ItIsTheModelThatItStandsFor) {
  for (const QuantType type : kTypes) {
    const auto weights = quantized(type);
    const std::string path = folder_ / "f32.parquet";
    ParquetModelWriter writer(path);
    for (const TensorInfo& info : weights->tensors()) {
      const TensorView tensor = weights->tensor(info.name);
      if (!tensor.is_quantized()) {
        writer.add(info.name, tensor);
        continue;
      }
      const std::vector<float> values = ArrowQuant::dequantize(tensor.quantized_matrix());
      const auto bytes = std::as_bytes(std::span(values));
      writer.add(info.name, {DType::kF32, tensor.shape, bytes.data(), bytes.size(), {}});
    }
    writer.finish();
    const InferenceCore quantised = core(*weights, 1, ComputeType::kF32);
    const InferenceCore widened = core(*WeightLoader::open(path), 1, ComputeType::kF32);
    for (const AttentionKind kind : quantised.spec().attention_kinds) {
      EXPECT_EQ(all_rows(quantised, fixture_.inputs(), kind),
                all_rows(widened, fixture_.inputs(), kind))
          << quant_type_name(type);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, QuantizedModel, testing::ValuesIn(fixture_names()),
                         [](const auto& fixture) { return fixture.param; });

}  // namespace
}  // namespace aios::parity
