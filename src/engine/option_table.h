/// One table of fields per option struct: name, member, range, description. From it come the YAML
/// reader, the checks, and the flags of the command line.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "aios/config.h"

namespace aios {

template <typename Config>
struct OptionField {
  OptionInfo info;
  /// Sets the field from text. @throws ConfigError that begins with `shown_as`
  std::function<void(Config&, std::string_view text, std::string_view shown_as)> set;
  /// Checks the field's value. @throws ConfigError that begins with the field's name
  std::function<void(const Config&)> check;
  std::function<void(Config&)> clear;  ///< of a list: empties it; else null
};

/// In the order of the struct. Immutable.
template <typename Config>
const std::vector<OptionField<Config>>& option_table();

template <>
const std::vector<OptionField<EngineConfig>>& option_table();
template <>
const std::vector<OptionField<EncodeConfig>>& option_table();
template <>
const std::vector<OptionField<GenerationConfig>>& option_table();
template <>
const std::vector<OptionField<DiffusionConfig>>& option_table();
template <>
const std::vector<OptionField<ScoreConfig>>& option_table();

}  // namespace aios
