/// Flags made from the table of an option struct: `num_steps` is `--num-steps`.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "aios/config.h"

namespace aios {

/// `num_steps` -> `--num-steps`
inline std::string flag_of(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return "--" + name;
}

/// The flags of one struct on one command. `--num-x` may be written `--x`; a switch has `--no-x`.
template <typename Config>
class OptionFlags {
 public:
  void add_to(CLI::App& command) {
    for (const OptionInfo& option : list_options<Config>()) {
      given_.push_back(std::make_unique<Given>());
      Given& given = *given_.back();
      given.name = option.name;
      given.flag = flag_of(option.name);
      if (option.placeholder.empty()) {
        add_switch(command, option, given);
      } else {
        add_value(command, option, given);
      }
    }
  }

  /// Sets what the user gave. A list given here replaces the one that was there.
  /// @throws ConfigError naming the flag
  void apply(Config& config) const {
    for (const auto& given : given_) {
      if (!given->texts.empty()) clear_list(config, given->name);
      for (const std::string& text : given->texts) {
        set_option(config, given->name, text, given->flag);
      }
    }
  }

 private:
  struct Given {
    std::string name;
    std::string flag;
    std::vector<std::string> texts;
  };

  /// `--x` and `--no-x`; help shows the one that changes something.
  static void add_switch(CLI::App& command, const OptionInfo& option, Given& given) {
    const bool on = option.default_value == "true";
    const auto add = [&](const std::string& flag, const char* value, bool shown) {
      const std::string description = on ? "do not " + option.description : option.description;
      command
          .add_flag_callback(
              flag, [&given, value] { given.texts = {value}; }, description)
          ->group(shown ? "Options" : "");
    };
    add(given.flag, "true", !on);
    add("--no-" + given.flag.substr(2), "false", on);
  }

  static void add_value(CLI::App& command, const OptionInfo& option, Given& given) {
    constexpr std::string_view kCount = "--num-";
    std::string names = given.flag;
    if (names.starts_with(kCount)) names += ",--" + given.flag.substr(kCount.size());
    const bool unset = option.default_value.empty() || option.default_value == "0";
    std::string description = option.description;
    if (!unset) description += " (default " + option.default_value + ")";
    constexpr std::size_t kMaxPlaceholder = 24;
    const bool many = option.placeholder.size() > kMaxPlaceholder;
    if (many) description += list_of(option.placeholder);
    // A callback, not a vector: CLI11 would split a vector's "[a,b]".
    const auto set = [&given](const CLI::results_t& texts) {
      given.texts = texts;
      return true;
    };
    command.add_option(names, set, description)
        ->type_name(many ? "KIND" : option.placeholder)
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(false);
  }

  /// The choices `a|b|c`, each on a line of its own.
  static std::string list_of(const std::string& choices) {
    std::string lines = "\n  ";
    for (const char letter : choices) {
      if (letter == '|') {
        lines += "\n  ";
      } else {
        lines += letter;
      }
    }
    return lines;
  }

  std::vector<std::unique_ptr<Given>> given_;
};

}  // namespace aios
