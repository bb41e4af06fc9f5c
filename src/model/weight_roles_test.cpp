#include "model/weight_roles.h"

#include <gtest/gtest.h>

#include <set>

#include "model/parity_fixture.h"
#include "model/recorder.h"

namespace aios::parity {
namespace {

/// Keeps the names of the weights that linear maps used.
class Names final : public Recorder {
 public:
  std::set<std::string> names;
  void record(std::string_view tensor_name, std::span<const float> /*input*/,
              int64_t /*columns*/) override {
    names.emplace(tensor_name);
  }
};

class WeightRoles : public testing::TestWithParam<std::string> {
 protected:
  Fixture fixture_{GetParam()};
  ModelSpec spec_ = fixture_.spec();
  std::map<std::string, WeightRole> roles_ = weight_roles(spec_, *fixture_.weights);
};

/// The forward pass itself tells which matrices its linear maps multiply by.
TEST_P(WeightRoles, AreOfTheMatricesThatANetworkMultipliesByAndOfTheTokenEmbedding) {
  const InferenceCore core(spec_, *fixture_.weights, make_backend());
  Names used;
  const AttentionKind kind = spec_.attention_kinds.front();
  if (spec_.head == HeadKind::kNone) {
    (void)core.hidden_states(fixture_.inputs(), kind, &used);
  } else {
    const std::vector<int32_t> rows{0};
    HeadRequest request;
    request.rows = rows;
    HeadResult result;
    core.score(fixture_.inputs(), kind, request, result, &used);
  }
  std::set<std::string> names;
  for (const auto& [name, role] : roles_) {
    names.insert(name);
    EXPECT_EQ(fixture_.weights->tensor(name).shape.size(), 2U) << name;
    if (role.kind == WeightKind::kTokenEmbedding) used.names.insert(name);
  }
  // A tied head is recorded under its own name, which the file does not have.
  std::erase_if(used.names, [&](const auto& name) { return !fixture_.weights->contains(name); });
  EXPECT_EQ(names, used.names);
}

TEST_P(WeightRoles, LayersAndKindsAreThoseOfTheShapes) {
  std::map<WeightKind, int64_t> counts;
  for (const auto& [name, role] : roles_) {
    const std::vector<int64_t> shape = fixture_.weights->tensor(name).shape;
    ++counts[role.kind];
    const bool in_layer =
        role.kind != WeightKind::kTokenEmbedding && role.kind != WeightKind::kHead;
    EXPECT_EQ(role.layer >= 0, in_layer) << name;
    EXPECT_LT(role.layer, spec_.num_hidden_layers) << name;
    switch (role.kind) {
      case WeightKind::kTokenEmbedding:
        EXPECT_EQ(shape, (std::vector<int64_t>{spec_.vocab_size, spec_.hidden_size})) << name;
        break;
      case WeightKind::kDown:
      case WeightKind::kAttentionOutput:
        EXPECT_EQ(shape[0], spec_.hidden_size) << name;
        break;
      default:
        EXPECT_EQ(shape[1], spec_.hidden_size) << name;
    }
    if (in_layer) {
      EXPECT_NE(name.find("." + std::to_string(role.layer) + "."), std::string::npos) << name;
    }
  }
  EXPECT_EQ(counts[WeightKind::kTokenEmbedding], 1);
  for (const WeightKind kind : {WeightKind::kQuery, WeightKind::kKey, WeightKind::kValue,
                                WeightKind::kAttentionOutput, WeightKind::kUp, WeightKind::kDown}) {
    EXPECT_EQ(counts[kind], spec_.num_hidden_layers);
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, WeightRoles, testing::ValuesIn(fixture_names()),
                         [](const auto& fixture) { return fixture.param; });

}  // namespace
}  // namespace aios::parity
