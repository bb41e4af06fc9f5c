/// Checked access to a JSON configuration: every complaint names the file, the key and the value.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"

namespace aios {

/// Sizes up to this are accepted, so that the product of any two fits into 64 bits.
inline constexpr int64_t kMaxSize = int64_t{1} << 28;
inline constexpr int64_t kMaxLayers = int64_t{1} << 14;

/// A JSON object. A key that holds null counts as absent. Immutable.
class ConfigReader {
 public:
  /// @param name of the file, for messages
  /// @throws FormatError if the text is not a JSON object
  ConfigReader(const std::string& text, std::string name);

  [[nodiscard]] bool has(const char* key) const;
  /// Where null says none and absence a default.
  [[nodiscard]] bool is_null(const char* key) const;

  // Each throws FormatError if the value has another type or is out of range, or if it is absent
  // and there is no fallback.

  /// A whole number from 1 to `maximum`.
  [[nodiscard]] int64_t size(const char* key, std::optional<int64_t> fallback = {},
                             int64_t maximum = kMaxSize) const;
  /// A finite number above 0.
  [[nodiscard]] double number(const char* key, std::optional<double> fallback = {}) const;
  [[nodiscard]] bool flag(const char* key, bool fallback) const;
  [[nodiscard]] std::string text(const char* key, std::optional<std::string> fallback = {}) const;
  /// Empty if absent.
  [[nodiscard]] std::vector<std::string> texts(const char* key) const;
  /// A token id, or a list of them; -1, which older files use for none, and null give none.
  [[nodiscard]] std::vector<int32_t> token_ids(const char* key) const;
  [[nodiscard]] std::optional<ConfigReader> object(const char* key) const;
  [[nodiscard]] Activation activation(const char* key) const;

  /// For switches that no network here implements: the key may be absent or hold `value`.
  void require(const char* key, const nlohmann::json& value) const;

  /// A complaint about a key: `config.json: "key" is 3; it must be …`.
  [[noreturn]] void refuse(const char* key, const std::string& expected) const;

 private:
  ConfigReader(nlohmann::json json, std::string name);
  [[nodiscard]] const nlohmann::json* find(const char* key) const;

  nlohmann::json json_;
  std::string name_;
};

}  // namespace aios
