#include "tokenizer/json_node.h"

#include <limits>

#include "aios/error.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {

nlohmann::json parse_json(std::string_view text, const std::string& file) {
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: …": the end is for people.
    const std::string_view what = error.what();
    const std::size_t start = what.find("] ");
    throw FormatError("'" + file + "' is not valid JSON: " +
                      std::string(start == std::string_view::npos ? what : what.substr(start + 2)));
  }
}

std::string quote(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<JsonNode> JsonNode::find(std::string_view key) const {
  if (!value_->is_object()) fail("expected an object, found " + std::string(value_->type_name()));
  const auto member = value_->find(key);
  if (member == value_->end() || member->is_null()) return std::nullopt;
  return inner(*member, (path_.empty() ? "" : ".") + std::string(key));
}

JsonNode JsonNode::at(std::string_view key) const {
  std::optional<JsonNode> member = find(key);
  if (!member) fail("'" + std::string(key) + "' is missing");
  return *std::move(member);
}

std::vector<JsonNode> JsonNode::elements() const {
  if (!value_->is_array()) fail("expected an array, found " + std::string(value_->type_name()));
  std::vector<JsonNode> nodes;
  nodes.reserve(value_->size());
  for (const nlohmann::json& element : *value_) {
    nodes.push_back(inner(element, "[" + std::to_string(nodes.size()) + "]"));
  }
  return nodes;
}

const std::string& JsonNode::as_string() const {
  if (!value_->is_string()) fail("expected a string, found " + std::string(value_->type_name()));
  return value_->get_ref<const std::string&>();
}

char32_t JsonNode::as_character() const {
  const std::string& text = as_string();
  if (text.empty() || utf8_size(text[0]) != text.size()) {
    fail("expected one character, found " + quote(text));
  }
  return decode_utf8(text.data()).code_point;
}

double JsonNode::as_number() const {
  if (!value_->is_number()) fail("expected a number, found " + std::string(value_->type_name()));
  return value_->get<double>();
}

bool JsonNode::as_bool() const {
  if (!value_->is_boolean()) {
    fail("expected true or false, found " + std::string(value_->type_name()));
  }
  return value_->get<bool>();
}

int64_t JsonNode::as_integer(int64_t low, int64_t high) const {
  if (!value_->is_number_integer()) {
    fail("expected an integer, found " + std::string(value_->type_name()));
  }
  // Above 2^63 nlohmann-json keeps numbers unsigned.
  const bool huge = value_->is_number_unsigned() &&
                    value_->get<uint64_t>() > uint64_t{std::numeric_limits<int64_t>::max()};
  const int64_t number = huge ? 0 : value_->get<int64_t>();
  if (huge || number < low || number > high) {
    fail(value_->dump() + " is not in " + std::to_string(low) + "…" + std::to_string(high));
  }
  return number;
}

bool JsonNode::bool_or(std::string_view key, bool otherwise) const {
  const std::optional<JsonNode> member = find(key);
  return member ? member->as_bool() : otherwise;
}

std::string JsonNode::string_or(std::string_view key, const std::string& otherwise) const {
  const std::optional<JsonNode> member = find(key);
  return member ? member->as_string() : otherwise;
}

void JsonNode::fail(const std::string& why) const {
  throw FormatError("'" + file_ + "'" + (path_.empty() ? "" : " at " + path_) + ": " + why);
}

int32_t read_token_id(const JsonNode& node) {
  return static_cast<int32_t>(node.as_integer(0, std::numeric_limits<int32_t>::max()));
}

int32_t read_token_with_id(const JsonNode& node, int32_t id_bound) {
  const std::vector<JsonNode> pair = node.elements();
  if (pair.size() != 2) node.fail("expected a token and its id");
  return static_cast<int32_t>(pair[1].as_integer(0, int64_t{id_bound} - 1));
}

}  // namespace aios::tokenizer
