/// Makers of `OptionField`s, one per kind of member: how its text is read and its value checked.
#pragma once

#include <charconv>
#include <cmath>
#include <limits>
#include <sstream>
#include <type_traits>
#include <utility>

#include "aios/error.h"
#include "base/suggestion.h"
#include "engine/option_table.h"

namespace aios {

/// Values a number may have. `zero_unset`: the struct may hold 0, for "not set", but no text may.
struct OptionRange {
  double min = 0;
  double max = std::numeric_limits<double>::infinity();
  bool min_excluded = false;
  bool zero_unset = false;

  [[nodiscard]] bool contains(double value) const {
    return std::isfinite(value) && (min_excluded ? value > min : value >= min) && value <= max;
  }
  [[nodiscard]] std::string describe() const {
    std::ostringstream text;
    if (std::isfinite(max)) {
      text << (min_excluded ? "above " : "from ") << min << (min_excluded ? " and up to " : " to ");
      text << max;
    } else {
      text << (min_excluded ? "above " : "of at least ") << min;
    }
    return text.str();
  }
};

inline OptionRange at_least(double min) { return {.min = min}; }
inline OptionRange above(double min) { return {.min = min, .min_excluded = true}; }
inline OptionRange between(double min, double max) { return {.min = min, .max = max}; }
inline OptionRange above_up_to(double min, double max) {
  return {.min = min, .max = max, .min_excluded = true};
}

/// The words of an enum. @tparam Enum its values
template <typename Enum>
using Choices = std::vector<std::pair<std::string, Enum>>;

namespace option_detail {

[[noreturn]] inline void refuse(std::string_view shown_as, std::string_view expected,
                                std::string_view text) {
  throw ConfigError(std::string(shown_as) + " must be " + std::string(expected) + ", not '" +
                    std::string(text) + "'");
}

template <typename Number>
std::string to_text(Number value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

template <typename Number>
std::string expected_number(const OptionRange& range) {
  return (std::is_integral_v<Number> ? "a whole number " : "a number ") + range.describe();
}

}  // namespace option_detail

/// A number in `range`.
template <typename Config, typename Number>
OptionField<Config> number(const char* name, Number Config::*member, const OptionRange& range,
                           const char* description) {
  const std::string expected = option_detail::expected_number<Number>(range);
  const auto set = [=](Config& config, std::string_view text, std::string_view shown_as) {
    Number value{};
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || stop != text.data() + text.size() ||
        !range.contains(static_cast<double>(value))) {
      option_detail::refuse(shown_as, expected, text);
    }
    config.*member = value;
  };
  const auto check = [=](const Config& config) {
    const auto value = static_cast<double>(config.*member);
    if (range.contains(value) || (range.zero_unset && value == 0)) return;
    option_detail::refuse(name, expected, option_detail::to_text(config.*member));
  };
  return {{name, std::is_integral_v<Number> ? "N" : "X", description,
           option_detail::to_text(Config{}.*member)},
          set,
          check,
          nullptr};
}

/// A switch: `true` or `false`.
template <typename Config>
OptionField<Config> flag(const char* name, bool Config::*member, const char* description) {
  const auto set = [=](Config& config, std::string_view text, std::string_view shown_as) {
    if (text != "true" && text != "false") {
      option_detail::refuse(shown_as, "true or false", text);
    }
    config.*member = text == "true";
  };
  return {{name, "", description, Config{}.*member ? "true" : "false"},
          set,
          [](const Config&) {},
          nullptr};
}

template <typename Config>
OptionField<Config> text(const char* name, std::string Config::*member, const char* description) {
  const auto set = [=](Config& config, std::string_view value, std::string_view) {
    config.*member = value;
  };
  return {{name, "TEXT", description, Config{}.*member}, set, [](const Config&) {}, nullptr};
}

/// A list of texts, none of them empty.
template <typename Config>
OptionField<Config> texts(const char* name, std::vector<std::string> Config::*member,
                          const char* description) {
  const auto set = [=](Config& config, std::string_view value, std::string_view shown_as) {
    if (value.empty()) option_detail::refuse(shown_as, "a text", value);
    (config.*member).emplace_back(value);
  };
  const auto check = [=](const Config& config) {
    for (const std::string& value : config.*member) {
      if (value.empty()) option_detail::refuse(name, "a text", value);
    }
  };
  const auto clear = [=](Config& config) { (config.*member).clear(); };
  return {{name, "TEXT", description, ""}, set, check, clear};
}

/// One of the words of an enum.
template <typename Config, typename Enum>
OptionField<Config> choice(const char* name, Enum Config::*member, Choices<Enum> choices,
                           const char* description) {
  std::vector<std::string> words;
  std::string placeholder;
  std::string default_word;
  for (const auto& [word, value] : choices) {
    words.push_back(word);
    placeholder += (placeholder.empty() ? "" : "|") + word;
    if (value == Config{}.*member) default_word = word;
  }
  const auto set = [=](Config& config, std::string_view text, std::string_view shown_as) {
    for (const auto& [word, value] : choices) {
      if (word == text) {
        config.*member = value;
        return;
      }
    }
    throw ConfigError(std::string(shown_as) + " must be one of " + placeholder + ", not '" +
                      std::string(text) + "'" + suggestion(text, words));
  };
  const auto check = [=](const Config& config) {
    for (const auto& [word, value] : choices) {
      if (value == config.*member) return;
    }
    option_detail::refuse(name, "one of " + placeholder,
                          option_detail::to_text(static_cast<int>(config.*member)));
  };
  return {{name, placeholder, description, default_word}, set, check, nullptr};
}

}  // namespace aios
