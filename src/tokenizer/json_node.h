/// Reading JSON that others wrote: every access checks the type and names the place that is wrong.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::tokenizer {

/// The text of a JSON file as a document. @throws FormatError naming `file` and the byte
[[nodiscard]] nlohmann::json parse_json(std::string_view text, const std::string& file);

/// `text` in quotes on one line, for messages.
[[nodiscard]] std::string quote(std::string_view text);

/// A value in a document and the path to it. Borrows the document.
class JsonNode {
 public:
  JsonNode(const nlohmann::json& value, std::string file, std::string path = {})
      : value_(&value), file_(std::move(file)), path_(std::move(path)) {}

  /// Member `key`; absent and null are the same. @throws FormatError if this is no object
  [[nodiscard]] std::optional<JsonNode> find(std::string_view key) const;
  /// @throws FormatError if member `key` is absent or null
  [[nodiscard]] JsonNode at(std::string_view key) const;
  /// @throws FormatError if this is no array
  [[nodiscard]] std::vector<JsonNode> elements() const;

  [[nodiscard]] bool is_string() const { return value_->is_string(); }
  [[nodiscard]] bool is_object() const { return value_->is_object(); }
  [[nodiscard]] const std::string& as_string() const;
  /// The code point of a string of one character.
  [[nodiscard]] char32_t as_character() const;
  [[nodiscard]] bool as_bool() const;
  [[nodiscard]] double as_number() const;
  [[nodiscard]] int64_t as_integer(int64_t low, int64_t high) const;
  [[nodiscard]] bool bool_or(std::string_view key, bool otherwise) const;
  [[nodiscard]] std::string string_or(std::string_view key, const std::string& otherwise) const;

  /// The value itself, for tables too large to visit node by node.
  [[nodiscard]] const nlohmann::json& value() const { return *value_; }
  /// A value inside this one, which the path names by `suffix`.
  [[nodiscard]] JsonNode inner(const nlohmann::json& value, const std::string& suffix) const {
    return {value, file_, path_ + suffix};
  }
  /// @throws FormatError "'file' at path: why"
  [[noreturn]] void fail(const std::string& why) const;

 private:
  const nlohmann::json* value_;
  std::string file_;
  std::string path_;
};

/// A token id as files give it. @throws FormatError unless it is an integer in [0, 2^31)
[[nodiscard]] int32_t read_token_id(const JsonNode& node);

/// The id in ["[SEP]", 102]. @throws FormatError unless it is an integer in [0, `id_bound`)
[[nodiscard]] int32_t read_token_with_id(const JsonNode& node, int32_t id_bound);

}  // namespace aios::tokenizer
