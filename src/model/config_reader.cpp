#include "model/config_reader.h"

#include <cmath>
#include <limits>
#include <utility>

#include "aios/error.h"

namespace aios {
namespace {

using nlohmann::json;

json parse_object(const std::string& text, const std::string& name) {
  // Deeper values would overflow the stack when they are copied or shown.
  constexpr int kMaxDepth = 64;
  const auto check_depth = [&](int depth, json::parse_event_t, const json&) {
    if (depth > kMaxDepth) throw FormatError(name + ": nested too deeply to be a configuration");
    return true;
  };
  json parsed;
  try {
    parsed = json::parse(text, check_depth);
  } catch (const json::exception& error) {
    throw FormatError(name + ": not valid JSON (" + error.what() + "); fetch the file again");
  }
  if (!parsed.is_object()) throw FormatError(name + ": it must hold a JSON object, { … }");
  return parsed;
}

/// A value as it is shown in a message: never long, never invalid UTF-8.
std::string abridged(const json& value) {
  constexpr std::size_t kMaxShown = 60;
  std::string shown = value.dump(-1, ' ', true, json::error_handler_t::replace);
  if (shown.size() > kMaxShown) shown = shown.substr(0, kMaxShown) + "…";
  return shown;
}

/// Absent for anything but a whole number that fits.
std::optional<int64_t> whole_number(const json& value) {
  constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (value.is_number_unsigned() && value.get<uint64_t>() > kMax) return std::nullopt;
  if (!value.is_number_integer()) return std::nullopt;
  return value.get<int64_t>();
}

}  // namespace

ConfigReader::ConfigReader(const std::string& text, std::string name)
    : json_(parse_object(text, name)), name_(std::move(name)) {}

ConfigReader::ConfigReader(json json, std::string name)
    : json_(std::move(json)), name_(std::move(name)) {}

const json* ConfigReader::find(const char* key) const {
  const auto found = json_.find(key);
  return found == json_.end() || found->is_null() ? nullptr : &*found;
}

bool ConfigReader::has(const char* key) const { return find(key) != nullptr; }

bool ConfigReader::is_null(const char* key) const {
  const auto found = json_.find(key);
  return found != json_.end() && found->is_null();
}

void ConfigReader::refuse(const char* key, const std::string& expected) const {
  const json* value = find(key);
  const std::string found = value == nullptr ? "missing" : abridged(*value);
  throw FormatError(name_ + ": \"" + key + "\" is " + found + "; it must be " + expected);
}

int64_t ConfigReader::size(const char* key, std::optional<int64_t> fallback,
                           int64_t maximum) const {
  const json* value = find(key);
  if (value == nullptr && fallback) return *fallback;
  const std::optional<int64_t> number = value == nullptr ? std::nullopt : whole_number(*value);
  if (!number || *number < 1 || *number > maximum) {
    refuse(key, "a whole number from 1 to " + std::to_string(maximum));
  }
  return *number;
}

double ConfigReader::number(const char* key, std::optional<double> fallback) const {
  const json* value = find(key);
  if (value == nullptr && fallback) return *fallback;
  const double number = value != nullptr && value->is_number() ? value->get<double>() : 0.0;
  if (!(number > 0.0) || number > std::numeric_limits<float>::max()) {
    refuse(key, "a finite number above 0");
  }
  return number;
}

bool ConfigReader::flag(const char* key, bool fallback) const {
  const json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) refuse(key, "true or false");
  return value->get<bool>();
}

std::string ConfigReader::text(const char* key, std::optional<std::string> fallback) const {
  const json* value = find(key);
  if (value == nullptr && fallback) return *fallback;
  if (value == nullptr || !value->is_string()) refuse(key, "a string");
  return value->get<std::string>();
}

std::vector<std::string> ConfigReader::texts(const char* key) const {
  const json* value = find(key);
  std::vector<std::string> texts;
  if (value == nullptr) return texts;
  if (!value->is_array()) refuse(key, "a list of strings");
  for (const json& element : *value) {
    if (!element.is_string()) refuse(key, "a list of strings");
    texts.push_back(element.get<std::string>());
  }
  return texts;
}

std::vector<int32_t> ConfigReader::token_ids(const char* key) const {
  const json* value = find(key);
  if (value == nullptr) return {};
  const json list = value->is_array() ? *value : json::array({*value});
  std::vector<int32_t> ids;
  for (const json& element : list) {
    const std::optional<int64_t> id = whole_number(element);
    if (!id || *id < -1 || *id > std::numeric_limits<int32_t>::max()) {
      refuse(key, "a token id or a list of token ids");
    }
    if (*id >= 0) ids.push_back(static_cast<int32_t>(*id));
  }
  return ids;
}

std::optional<ConfigReader> ConfigReader::object(const char* key) const {
  const json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_object()) refuse(key, "an object");
  return ConfigReader(*value, name_ + ": " + key);
}

Activation ConfigReader::activation(const char* key) const {
  const std::string name = text(key);
  if (name == "silu" || name == "swish") return Activation::kSilu;
  if (name == "gelu") return Activation::kGelu;
  if (name == "gelu_new" || name == "gelu_pytorch_tanh") return Activation::kGeluTanh;
  if (name == "relu") return Activation::kRelu;
  if (name == "tanh") return Activation::kTanh;
  refuse(key, "one of silu, swish, gelu, gelu_new, gelu_pytorch_tanh, relu, tanh");
}

void ConfigReader::require(const char* key, const json& value) const {
  const json* found = find(key);
  if (found != nullptr && *found != value)
    refuse(key, abridged(value) + ": nothing else runs here");
}

}  // namespace aios
