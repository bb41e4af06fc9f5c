// Switching off or altering any one field of ModelSpec breaks parity with transformers.
//
// Each mutant is a spec with one field changed after parsing; it is broken if at least one fixture
// that the original passes no longer does. tools/mutate_spec.py prints the table.
#include <gtest/gtest.h>

#include <functional>
#include <type_traits>

#include "model/edited_weights.h"
#include "model/parity_fixture.h"

namespace aios::parity {
namespace {

/// Calls `visit(name, field)` for every field, those of nested structs one by one. The structured
/// bindings do not compile when a field is added and not listed here.
template <typename Visitor>
void for_each_field(ModelSpec& spec, const Visitor& visit) {
  auto& [family, modes, attention_kinds, logit_shift, tokens, vocab_size, hidden_size,
         intermediate_size, num_hidden_layers, num_attention_heads, num_key_value_heads, head_dim,
         position_kind, max_position_embeddings, position_offset, skip_pad_positions,
         type_vocab_size, rope, norm_kind, norm_placement, norm_epsilon, query_key_norm,
         query_key_value_bias, attention_output_bias, mlp_bias, gated_mlp, activation,
         sliding_windows, block_length, head, head_bias, head_activation, tie_word_embeddings,
         names] = spec;
#define VISIT(field) visit(#field, field)
  VISIT(family), VISIT(modes), VISIT(attention_kinds), VISIT(logit_shift), VISIT(vocab_size);
  VISIT(hidden_size), VISIT(intermediate_size), VISIT(num_hidden_layers);
  VISIT(num_attention_heads), VISIT(num_key_value_heads), VISIT(head_dim), VISIT(position_kind);
  VISIT(max_position_embeddings), VISIT(position_offset), VISIT(skip_pad_positions);
  VISIT(type_vocab_size), VISIT(norm_kind), VISIT(norm_placement), VISIT(norm_epsilon);
  VISIT(query_key_norm), VISIT(query_key_value_bias), VISIT(attention_output_bias);
  VISIT(mlp_bias), VISIT(gated_mlp), VISIT(activation), VISIT(sliding_windows);
  VISIT(block_length), VISIT(head), VISIT(head_bias), VISIT(head_activation);
  VISIT(tie_word_embeddings);
  {
    auto& [begin, end, pad, mask, suppressed] = tokens;
    VISIT(begin), VISIT(end), VISIT(pad), VISIT(mask), VISIT(suppressed);
  }
  {
    auto& [theta, scaling, factor, low_freq_factor, high_freq_factor,
           original_max_position_embeddings] = rope;
    VISIT(theta), VISIT(scaling), VISIT(factor), VISIT(low_freq_factor), VISIT(high_freq_factor);
    VISIT(original_max_position_embeddings);
  }
  auto& [prefixes, token_embedding, position_embedding, type_embedding, embedding_norm,
         attention_norm, query, key, value, query_norm, key_norm, attention_output, mlp_norm, gate,
         up, down, final_norm, head_name, head_transform, head_norm, head_bias_names, ignored] =
      names;
  VISIT(prefixes), VISIT(token_embedding), VISIT(position_embedding), VISIT(type_embedding);
  VISIT(embedding_norm), VISIT(attention_norm), VISIT(query), VISIT(key), VISIT(value);
  VISIT(query_norm), VISIT(key_norm), VISIT(attention_output), VISIT(mlp_norm), VISIT(gate);
  VISIT(up), VISIT(down), VISIT(final_norm), VISIT(head_name), VISIT(head_transform);
  VISIT(head_norm), VISIT(head_bias_names), VISIT(ignored);
#undef VISIT
}

/// To the value that stands for absence.
template <typename T>
void switch_off(T& field) {
  field = T{};
}

/// To another value of the same kind.
template <typename T>
void alter(T& field) {
  if constexpr (std::is_same_v<T, bool>) {
    field = !field;
  } else if constexpr (std::is_integral_v<T>) {
    field += field > 1 ? -1 : 1;
  } else if constexpr (std::is_floating_point_v<T>) {
    field *= 1.5;
  } else if constexpr (std::is_enum_v<T>) {
    field = static_cast<T>(static_cast<int>(field) == 0 ? 1 : static_cast<int>(field) - 1);
  } else if constexpr (std::is_same_v<T, std::string>) {
    field += "x";
  } else if constexpr (std::is_same_v<T, std::optional<int32_t>>) {
    field = field ? *field + 1 : 0;
  } else {
    for (auto& element : field) alter(element);
  }
}

template <typename Change>
void change_field(ModelSpec& spec, const std::string& field, const Change& change) {
  for_each_field(spec, [&](const char* name, auto& value) {
    if (field == name) change(value);
  });
}

struct Mutation {
  std::string name;
  std::function<void(ModelSpec&, const std::string& field)> apply;
};

std::vector<Mutation> mutations() {
  return {{"off",
           [](ModelSpec& spec, const std::string& field) {
             change_field(spec, field, [](auto& value) { switch_off(value); });
           }},
          {"altered", [](ModelSpec& spec, const std::string& field) {
             change_field(spec, field, [](auto& value) { alter(value); });
           }}};
}

std::vector<std::string> field_names() {
  ModelSpec spec;
  std::vector<std::string> names;
  for_each_field(spec, [&](const char* name, auto&) { names.emplace_back(name); });
  return names;
}

/// How the first fixture that the mutant breaks is broken: by its numbers if there is one such,
/// else because it does not load.
std::optional<std::string> broken_fixture(const Mutation& mutation, const std::string& field,
                                          const std::vector<Fixture>& fixtures) {
  const std::shared_ptr<Backend> backend = make_backend();
  std::optional<std::string> refused;
  for (const Fixture& fixture : fixtures) {
    ModelSpec mutant = fixture.spec();
    mutation.apply(mutant, field);
    EditedWeights lenient(*fixture.weights);
    lenient.hide_list();
    const auto difference = first_difference(fixture, mutant, lenient, backend);
    if (difference && !difference->starts_with("refused")) return fixture.name + ": " + *difference;
    if (refused) continue;
    const auto strict = first_difference(fixture, mutant, *fixture.weights, backend);
    if (strict) refused = fixture.name + ": " + *strict;
  }
  return refused;
}

class SpecMutation : public testing::TestWithParam<std::string> {};

TEST_P(SpecMutation, BreaksAParityTest) {
  static const std::vector<Fixture> fixtures = [] {
    std::vector<Fixture> all;
    for (const std::string& name : fixture_names()) all.emplace_back(name);
    return all;
  }();
  for (const Mutation& mutation : mutations()) {
    const auto broken = broken_fixture(mutation, GetParam(), fixtures);
    EXPECT_TRUE(broken.has_value()) << GetParam() << " " << mutation.name << " breaks nothing";
    RecordProperty(mutation.name, broken.value_or("breaks nothing"));
  }
}

INSTANTIATE_TEST_SUITE_P(Fields, SpecMutation, testing::ValuesIn(field_names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace aios::parity
