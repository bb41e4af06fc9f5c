/// Stages by the `type` that tokenizer.json calls them by.
///
/// Each family (normalizer, pre-tokenizer, model, post-processor, decoder) has one table in its
/// `*_registry.cpp`-like factory; adding a stage is one file that defines `make_…` and one row
/// there.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "tokenizer/json_node.h"

namespace aios::tokenizer {

/// Sequences may hold sequences; what nests deeper than this is an attack.
inline constexpr int kMaxNesting = 16;

template <typename Stage, typename... Arguments>
struct StageEntry {
  std::string_view type;
  std::unique_ptr<Stage> (*make)(const JsonNode& json, Arguments... arguments);
};

/// Builds the stage that `type` names. @throws FormatError naming an unknown type and the known
/// ones
template <typename Stage, typename... Arguments, std::size_t size>
std::unique_ptr<Stage> make_stage(const StageEntry<Stage, Arguments...> (&table)[size],
                                  std::string_view type, const JsonNode& json,
                                  std::type_identity_t<Arguments>... arguments) {
  std::string known;
  for (const auto& entry : table) {
    if (entry.type == type) return entry.make(json, arguments...);
    known.append(known.empty() ? "" : ", ").append(entry.type);
  }
  json.fail("type " + quote(type) + " is not supported; supported are " + known);
}

}  // namespace aios::tokenizer
