#include "tokenizer/model_tables.h"

#include <string>

#include "tokenizer/json_node.h"
#include "tokenizer/model.h"

namespace aios::tokenizer {
namespace {

std::vector<ModelTables::Token> read_tokens(const JsonNode& json) {
  if (!json.is_object()) json.fail("expected an object of token: id");
  std::vector<ModelTables::Token> tokens;
  tokens.reserve(json.value().size());
  for (const auto& [token, id] : json.value().items()) {
    if (id.is_number_unsigned() && id.get<uint64_t>() <= INT32_MAX) {
      tokens.push_back({token, id.get<int32_t>()});
    } else {
      tokens.push_back({token, read_token_id(json.inner(id, "[" + quote(token) + "]"))});
    }
  }
  return tokens;
}

std::vector<ModelTables::Piece> read_pieces(const JsonNode& json) {
  if (!json.value().is_array()) json.fail("expected an array of [token, score]");
  std::vector<ModelTables::Piece> pieces;
  pieces.reserve(json.value().size());
  for (const nlohmann::json& entry : json.value()) {
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_number()) {
      json.inner(entry, "[" + std::to_string(pieces.size()) + "]").fail("expected [token, score]");
    }
    pieces.push_back({entry[0].get_ref<const std::string&>(), entry[1].get<double>()});
  }
  return pieces;
}

ModelTables::Merge read_merge(const JsonNode& json) {
  const nlohmann::json& merge = json.value();
  if (merge.is_string()) {
    const std::string_view text = merge.get_ref<const std::string&>();
    const ModelTables::Merge sides = split_merge(text);
    if (sides.first.data() == nullptr) {
      json.fail("expected two tokens with one space between them, found " + quote(text));
    }
    return sides;
  }
  if (!merge.is_array() || merge.size() != 2 || !merge[0].is_string() || !merge[1].is_string()) {
    json.fail("expected \"a b\" or [\"a\", \"b\"]");
  }
  return {merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>()};
}

std::vector<ModelTables::Merge> read_merges(const JsonNode& json) {
  if (!json.value().is_array()) json.fail("expected an array of merges");
  std::vector<ModelTables::Merge> merges;
  merges.reserve(json.value().size());
  std::size_t index = 0;
  for (const nlohmann::json& merge : json.value()) {
    const std::string suffix = "[" + std::to_string(index++) + "]";
    if (merge.is_string() && is_version_line(merge.get_ref<const std::string&>())) continue;
    merges.push_back(read_merge(json.inner(merge, suffix)));
  }
  return merges;
}

}  // namespace

ModelTables::Merge split_merge(std::string_view text) noexcept {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) {
    return {};
  }
  return {text.substr(0, space), text.substr(space + 1)};
}

bool is_version_line(std::string_view text) noexcept { return text.starts_with("#version"); }

ModelTables read_model_tables(const JsonNode& model) {
  const std::string type = model_type(model);
  ModelTables tables;
  if (type == "Unigram") {
    tables.pieces = read_pieces(model.at("vocab"));
  } else {
    tables.tokens = read_tokens(model.at("vocab"));
  }
  if (type == "BPE") tables.merges = read_merges(model.at("merges"));
  return tables;
}

}  // namespace aios::tokenizer
