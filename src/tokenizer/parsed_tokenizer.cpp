#include "tokenizer/parsed_tokenizer.h"

#include <simdjson.h>

#include <utility>

#include "tokenizer/json_node.h"

namespace aios::tokenizer {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

// Readers of tables give up (false) on what they do not expect: the slow reader then says what is
// wrong, and where.

bool read_tokens(const element& vocabulary, ModelTables& tables) {
  simdjson::dom::object entries;
  if (vocabulary.get(entries) != simdjson::SUCCESS) return false;
  tables.tokens.reserve(entries.size());
  for (const auto& [token, value] : entries) {
    int64_t id = 0;
    if (value.get(id) != simdjson::SUCCESS || id < 0 || id > INT32_MAX) return false;
    tables.tokens.push_back({token, static_cast<int32_t>(id)});
  }
  return true;
}

bool read_pieces(const element& vocabulary, ModelTables& tables) {
  simdjson::dom::array entries;
  if (vocabulary.get(entries) != simdjson::SUCCESS) return false;
  tables.pieces.reserve(entries.size());
  for (const element entry : entries) {
    simdjson::dom::array pair;
    ModelTables::Piece piece{};
    if (entry.get(pair) != simdjson::SUCCESS || pair.size() != 2 ||
        pair.at(0).get(piece.text) != simdjson::SUCCESS ||
        pair.at(1).get(piece.score) != simdjson::SUCCESS) {
      return false;
    }
    tables.pieces.push_back(piece);
  }
  return true;
}

bool read_merges(const element& list, ModelTables& tables) {
  simdjson::dom::array merges;
  if (list.get(merges) != simdjson::SUCCESS) return false;
  tables.merges.reserve(merges.size());
  for (const element merge : merges) {
    ModelTables::Merge sides;
    std::string_view text;
    simdjson::dom::array pair;
    if (merge.get(text) == simdjson::SUCCESS) {
      if (is_version_line(text)) continue;
      sides = split_merge(text);
      if (sides.first.data() == nullptr) return false;
    } else if (merge.get(pair) != simdjson::SUCCESS || pair.size() != 2 ||
               pair.at(0).get(sides.first) != simdjson::SUCCESS ||
               pair.at(1).get(sides.second) != simdjson::SUCCESS) {
      return false;
    }
    tables.merges.push_back(sides);
  }
  return true;
}

nlohmann::json to_json(const element& value);

/// Of equal keys the last one counts, as in `nlohmann::json::parse`.
nlohmann::json to_json(const simdjson::dom::object& object) {
  nlohmann::json result = nlohmann::json::object();
  for (const auto& [key, member] : object) result[std::string(key)] = to_json(member);
  return result;
}

nlohmann::json to_json(const element& value) {
  switch (value.type()) {
    case element_type::ARRAY: {
      nlohmann::json result = nlohmann::json::array();
      for (const element member : simdjson::dom::array(value)) result.push_back(to_json(member));
      return result;
    }
    case element_type::OBJECT:
      return to_json(simdjson::dom::object(value));
    case element_type::INT64: {
      const int64_t number(value);
      return number < 0 ? nlohmann::json(number) : nlohmann::json(static_cast<uint64_t>(number));
    }
    case element_type::UINT64:
      return uint64_t(value);
    case element_type::DOUBLE:
      return double(value);
    case element_type::STRING:
      return std::string_view(value);
    case element_type::BOOL:
      return bool(value);
    case element_type::NULL_VALUE:
      return nullptr;
  }
  return nullptr;
}

/// "model" without the entries of its tables, which go to `tables`.
bool read_model(const element& value, nlohmann::json& rest, ModelTables& tables) {
  simdjson::dom::object model;
  if (value.get(model) != simdjson::SUCCESS) return false;
  rest = nlohmann::json::object();
  for (const auto& [key, member] : model) {
    if (rest.contains(key)) return false;
    if (key == "vocab") {
      const bool is_list = member.is_array();
      rest["vocab"] = is_list ? nlohmann::json::array() : nlohmann::json::object();
      if (!(is_list ? read_pieces(member, tables) : read_tokens(member, tables))) return false;
    } else if (key == "merges") {
      rest["merges"] = nlohmann::json::array();
      if (!read_merges(member, tables)) return false;
    } else {
      rest[std::string(key)] = to_json(member);
    }
  }
  return true;
}

/// Whether the tables that the model's type needs are there.
bool are_enough(const ModelTables& tables, const nlohmann::json& rest) {
  const auto model = rest.find("model");
  if (model == rest.end() || !model->is_object()) return false;
  const auto type = model->find("type");
  if (type == model->end() || !type->is_string()) return false;
  if (*type == "Unigram") return !tables.pieces.empty();
  return !tables.tokens.empty() && (*type != "BPE" || model->contains("merges"));
}

}  // namespace

struct ParsedTokenizer::Parsed {
  simdjson::dom::parser parser;
};

ParsedTokenizer ParsedTokenizer::parse(std::string_view text, const std::string& file) {
  ParsedTokenizer result;
  if (result.parse_quickly(text)) return result;
  return {parse_json(text, file), file};
}

ParsedTokenizer::ParsedTokenizer(nlohmann::json document, const std::string& file)
    : rest_(std::move(document)) {
  tables_ = read_model_tables(JsonNode(rest_, file).at("model"));
}

ParsedTokenizer::ParsedTokenizer(ParsedTokenizer&&) noexcept = default;
ParsedTokenizer& ParsedTokenizer::operator=(ParsedTokenizer&&) noexcept = default;
ParsedTokenizer::~ParsedTokenizer() = default;

bool ParsedTokenizer::parse_quickly(std::string_view text) {
  parsed_ = std::make_unique<Parsed>();
  element document;
  simdjson::dom::object members;
  if (parsed_->parser.parse(text.data(), text.size()).get(document) != simdjson::SUCCESS ||
      document.get(members) != simdjson::SUCCESS) {
    return false;
  }
  rest_ = nlohmann::json::object();
  for (const auto& [key, member] : members) {
    if (rest_.contains(key)) return false;
    nlohmann::json& value = rest_[std::string(key)];
    if (key != "model") {
      value = to_json(member);
    } else if (!read_model(member, value, tables_)) {
      return false;
    }
  }
  return are_enough(tables_, rest_);
}

}  // namespace aios::tokenizer
