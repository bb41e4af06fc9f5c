#include "tokenizer/vocabulary.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "tokenizer/json_node.h"

namespace aios::tokenizer {
namespace {

/// Ids may leave holes (models pad their vocabularies), but a tiny file must not make us allocate
/// gigabytes.
constexpr int64_t kFreeHoles = int64_t{1} << 20U;
constexpr int64_t kHolesPerToken = 8;

constexpr uint64_t mix(uint64_t value) noexcept {
  value *= 0x9E3779B97F4A7C15U;
  return value ^ value >> 32U;
}

/// Checks all ids before anything is allocated for them; returns the largest id + 1.
int64_t check_ids(const JsonNode& json, std::size_t& num_bytes) {
  const nlohmann::json& entries = json.value();
  const int64_t limit = kFreeHoles + kHolesPerToken * static_cast<int64_t>(entries.size());
  int64_t bound = 0;
  for (const auto& [token, id] : entries.items()) {
    num_bytes += token.size();
    if (id.is_number_unsigned() && id.get<uint64_t>() < static_cast<uint64_t>(limit)) {
      bound = std::max(bound, id.get<int64_t>() + 1);
      continue;
    }
    const JsonNode node = json.inner(id, "[" + quote(token) + "]");
    node.fail("id " + std::to_string(read_token_id(node)) + " is too large for a vocabulary of " +
              std::to_string(entries.size()) + " tokens");
  }
  return bound;
}

}  // namespace

uint64_t hash_bytes(std::string_view bytes) noexcept {
  uint64_t hash = mix(bytes.size() + 0x2545F4914F6CDD1DU);
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  uint64_t word = 0;
  for (; left >= 8; left -= 8, at += 8) {
    std::memcpy(&word, at, 8);
    hash = mix(hash ^ word);
  }
  if (left > 0) {
    word = 0;
    std::memcpy(&word, at, left);
    hash = mix(hash ^ word);
  }
  return mix(hash);
}

Vocabulary::Vocabulary(const JsonNode& json) {
  if (!json.is_object()) json.fail("expected an object of token: id");
  const nlohmann::json& entries = json.value();
  if (entries.empty()) json.fail("the vocabulary is empty");
  std::size_t num_bytes = 0;
  spans_.resize(static_cast<std::size_t>(check_ids(json, num_bytes)));
  bytes_.reserve(num_bytes);
  slots_.assign(std::bit_ceil(entries.size() * 2), kNone);
  for (const auto& [token, value] : entries.items()) {
    const auto id = value.get<int32_t>();
    TokenSpan& span = spans_[static_cast<std::size_t>(id)];
    if (span.size != kHole) {
      json.fail(quote(text(span)) + " and " + quote(token) + " have the same id " +
                std::to_string(id));
    }
    span = {static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(token.size())};
    bytes_ += token;
    insert(id);
  }
}

Vocabulary::Vocabulary(std::span<const std::string_view> tokens) {
  slots_.assign(std::bit_ceil(tokens.size() * 2), kNone);
  for (const std::string_view token : tokens) {
    spans_.push_back({static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(token.size())});
    bytes_ += token;
    insert(static_cast<int32_t>(spans_.size()) - 1);
  }
  size_ = tokens.size();
}

void Vocabulary::insert(int32_t id) {
  const std::size_t mask = slots_.size() - 1;
  const std::string_view token = text(spans_[static_cast<std::size_t>(id)]);
  std::size_t slot = hash_bytes(token) & mask;
  while (slots_[slot] != kNone && text(spans_[static_cast<std::size_t>(slots_[slot])]) != token) {
    slot = (slot + 1) & mask;
  }
  size_ += slots_[slot] == kNone ? 1 : 0;
  slots_[slot] = id;
}

std::vector<PrefixTrie::Entry> Vocabulary::entries() const {
  std::vector<PrefixTrie::Entry> entries;
  entries.reserve(spans_.size());
  for (std::size_t id = 0; id < spans_.size(); ++id) {
    if (spans_[id].size != kHole) entries.push_back({text(spans_[id]), static_cast<int32_t>(id)});
  }
  return entries;
}

int32_t Vocabulary::find(std::string_view token) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = hash_bytes(token) & mask;; slot = (slot + 1) & mask) {
    const int32_t id = slots_[slot];
    if (id == kNone || text(spans_[static_cast<std::size_t>(id)]) == token) return id;
  }
}

std::optional<std::string_view> Vocabulary::token(int32_t id) const noexcept {
  if (id < 0 || id >= id_bound() || spans_[static_cast<std::size_t>(id)].size == kHole) {
    return std::nullopt;
  }
  return text(spans_[static_cast<std::size_t>(id)]);
}

}  // namespace aios::tokenizer
