#include "tokenizer/added_tokens.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "tokenizer/json_node.h"
#include "tokenizer/unicode_tables.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

AddedToken read_added_token(const JsonNode& json) {
  AddedToken token;
  token.content = json.at("content").as_string();
  token.single_word = json.bool_or("single_word", false);
  token.lstrip = json.bool_or("lstrip", false);
  token.rstrip = json.bool_or("rstrip", false);
  token.special = json.bool_or("special", false);
  token.normalized = json.bool_or("normalized", !token.special);
  return token;
}

std::string normalize(const Normalizer& normalizer, const std::string& text) {
  AlignedText normalized;
  normalizer.normalize(AlignedView(text, uint32_t{0}), normalized);
  return std::string(normalized.view().text());
}

/// Start of the last character before `end`.
std::size_t previous_character(std::string_view text, std::size_t end) {
  do {
    --end;
  } while (is_continuation(text[end]));
  return end;
}

bool touches_word(std::string_view text, std::size_t begin, std::size_t end) {
  const auto is_word = [&](std::size_t at) {
    return has_flag(decode_utf8(text.data() + at).code_point, kWordFlag);
  };
  return (begin > 0 && is_word(previous_character(text, begin))) ||
         (end < text.size() && is_word(end));
}

bool is_space(std::string_view text, std::size_t at) {
  return has_flag(decode_utf8(text.data() + at).code_point, kWhiteSpaceFlag);
}

std::size_t skip_space_back(std::string_view text, std::size_t at) {
  while (at > 0 && is_space(text, previous_character(text, at))) at = previous_character(text, at);
  return at;
}

std::size_t skip_space(std::string_view text, std::size_t at) {
  while (at < text.size() && is_space(text, at)) at += utf8_size(text[at]);
  return at;
}

}  // namespace

AddedTokens::AddedTokens(const std::optional<JsonNode>& json, const Model& model,
                         const Normalizer* normalizer) {
  if (!json) return;
  auto next_id = static_cast<int32_t>(model.vocabulary().size());
  for (const JsonNode& entry : json->elements()) add(entry, model, normalizer, next_id);
  build_tries();
}

void AddedTokens::add(const JsonNode& json, const Model& model, const Normalizer* normalizer,
                      int32_t& next_id) {
  AddedToken token = read_added_token(json);
  const int32_t wanted = read_token_id(json.at("id"));
  if (token.content.empty()) return;
  int32_t id = model.vocabulary().find(token.content);
  if (const auto known = by_content_.find(token.content); known != by_content_.end()) {
    id = known->second;
  }
  if (id == Vocabulary::kNone) {
    id = next_id++;
    if (const auto other = model.vocabulary().token(id)) {
      json.fail(quote(token.content) + " gets id " + std::to_string(id) +
                ", which the vocabulary gives to " + quote(*other));
    }
  }
  if (id != wanted) {
    log_message(LogLevel::kWarning, "added token " + quote(token.content) + " has id " +
                                        std::to_string(id) + ", not " + std::to_string(wanted) +
                                        " as its file says");
  }
  Entry entry{std::move(token), {}};
  entry.shown = entry.token.content;
  if (entry.token.normalized && normalizer != nullptr) {
    entry.shown = normalize(*normalizer, entry.token.content);
  }
  by_content_[entry.token.content] = id;
  if (entry.token.special) special_.insert(entry.token.content);
  id_bound_ = std::max(id_bound_, id + 1);
  by_id_[id] = std::move(entry);
}

/// Of several tokens that normalization makes equal the one with the lowest id is found.
void AddedTokens::build_tries() {
  for (const int32_t id : ids()) {
    const Entry& entry = by_id_.at(id);
    if (entry.shown.empty()) continue;
    (entry.token.normalized ? normalized_trie_ : verbatim_trie_).insert(entry.shown, id);
  }
}

std::vector<int32_t> AddedTokens::ids() const {
  std::vector<int32_t> ids;
  for (const auto& [id, entry] : by_id_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

void AddedTokens::extract(WorkingText& text, bool normalized) const {
  const TextTrie& tokens = trie(normalized);
  text.split([&](std::string_view part, auto emit) {
    const auto span = [](std::size_t begin, std::size_t end) {
      return Span{static_cast<uint32_t>(begin), static_cast<uint32_t>(end)};
    };
    std::size_t covered = 0;
    for (std::size_t from = 0; from < part.size();) {
      const TextTrie::Match match = tokens.find(part, from);
      if (match.value == TextTrie::kNone) break;
      from = match.end;
      const AddedToken& token = by_id_.at(match.value).token;
      if (token.single_word && touches_word(part, match.begin, match.end)) continue;
      std::size_t begin = match.begin;
      std::size_t end = match.end;
      // White space that the match before took along stays with that one.
      if (token.lstrip) begin = std::min(end, std::max(skip_space_back(part, begin), covered));
      if (token.rstrip) end = skip_space(part, end);
      if (covered < begin) emit(Piece{span(covered, begin)});
      emit(Piece{span(begin, end), match.value});
      covered = end;
    }
    if (covered < part.size()) emit(Piece{span(covered, part.size())});
  });
}

std::optional<int32_t> AddedTokens::find(std::string_view content) const {
  const auto found = by_content_.find(std::string(content));
  if (found == by_content_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::string_view> AddedTokens::text(int32_t id) const {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return std::nullopt;
  return found->second.shown;
}

bool AddedTokens::is_special(std::string_view text) const {
  return special_.contains(std::string(text));
}

}  // namespace aios::tokenizer
