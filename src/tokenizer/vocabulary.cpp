#include "tokenizer/vocabulary.h"

#include <algorithm>
#include <array>
#include <bit>

#include "tokenizer/hash_bytes.h"
#include "tokenizer/json_node.h"

namespace aios::tokenizer {
namespace {

/// Ids may leave holes (models pad their vocabularies), but a tiny file must not make us allocate
/// gigabytes.
constexpr int64_t kFreeHoles = int64_t{1} << 20U;
constexpr int64_t kHolesPerToken = 8;

/// Checks all ids before anything is allocated for them; returns the largest id + 1.
int64_t check_ids(const JsonNode& json, std::span<const ModelTables::Token> tokens) {
  const int64_t limit = kFreeHoles + kHolesPerToken * static_cast<int64_t>(tokens.size());
  int64_t bound = 0;
  for (const auto& [token, id] : tokens) {
    bound = std::max(bound, int64_t{id} + 1);
    if (id < limit) continue;
    json.inner(json.value(), "[" + quote(token) + "]")
        .fail("id " + std::to_string(id) + " is too large for a vocabulary of " +
              std::to_string(tokens.size()) + " tokens");
  }
  return bound;
}

template <typename Entry>
std::size_t count_bytes(std::span<const Entry> entries) {
  std::size_t num_bytes = 0;
  for (const Entry& entry : entries) num_bytes += entry.text.size();
  return num_bytes;
}

}  // namespace

Vocabulary::Vocabulary(const JsonNode& json, std::span<const ModelTables::Token> tokens) {
  if (tokens.empty()) json.fail("the vocabulary is empty");
  allocate(tokens.size(), static_cast<std::size_t>(check_ids(json, tokens)), count_bytes(tokens));
  for (const auto& [token, id] : tokens) {
    const TokenSpan taken = spans_[static_cast<std::size_t>(id)];
    if (taken.size != kHole) {
      json.fail(quote(text(taken)) + " and " + quote(token) + " have the same id " +
                std::to_string(id));
    }
    if (const int32_t earlier = find(token); earlier != kNone) {
      spans_.writable()[static_cast<std::size_t>(earlier)] = {};
    }
    insert(token, id);
  }
}

Vocabulary::Vocabulary(const JsonNode& json, std::span<const ModelTables::Piece> pieces) {
  if (pieces.empty()) json.fail("the vocabulary is empty");
  allocate(pieces.size(), pieces.size(), count_bytes(pieces));
  for (std::size_t id = 0; id < pieces.size(); ++id) {
    insert(pieces[id].text, static_cast<int32_t>(id));
  }
  size_ = pieces.size();
}

void Vocabulary::allocate(std::size_t num_tokens, std::size_t id_bound, std::size_t num_bytes) {
  bytes_ = FlatArray(std::vector<char>(num_bytes));
  spans_ = FlatArray(std::vector<TokenSpan>(id_bound));
  slots_ = FlatArray(std::vector<Slot>(std::bit_ceil(num_tokens + num_tokens / 2 + 1)));
}

void Vocabulary::insert(std::string_view token, int32_t id) {
  const uint64_t hash = hash_bytes(token);
  Slot& slot = slots_.writable()[probe(token, hash)];
  if (slot.id == kNone) {
    ++size_;
  } else {
    has_copies_ = true;
  }
  slot = {static_cast<uint32_t>(hash >> 32U), id};
  spans_.writable()[static_cast<std::size_t>(id)] = {static_cast<uint32_t>(num_bytes_),
                                                     static_cast<uint32_t>(token.size())};
  std::copy(token.begin(), token.end(),
            bytes_.writable().begin() + static_cast<std::ptrdiff_t>(num_bytes_));
  num_bytes_ += token.size();
}

std::size_t Vocabulary::probe(std::string_view token, uint64_t hash) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  const auto tag = static_cast<uint32_t>(hash >> 32U);
  std::size_t at = hash & mask;
  for (;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.id == kNone) return at;
    if (slot.tag == tag && text(spans_[static_cast<std::size_t>(slot.id)]) == token) return at;
  }
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
  return slots_[probe(token, hash_bytes(token))].id;
}

std::vector<int32_t> Vocabulary::find_copies(std::string_view token) const {
  std::vector<int32_t> ids;
  if (!has_copies_) {
    if (const int32_t id = find(token); id != kNone) ids.push_back(id);
    return ids;
  }
  for (int32_t id = 0; id < id_bound(); ++id) {
    if (this->token(id) == token) ids.push_back(id);
  }
  return ids;
}

void Vocabulary::find_all(std::span<const std::string_view> tokens,
                          std::span<int32_t> ids) const noexcept {
  constexpr std::size_t kBlock = 32;  // loads that a core can have under way, and some more
  const std::size_t mask = slots_.size() - 1;
  std::array<uint64_t, kBlock> hashes{};
  for (std::size_t first = 0; first < tokens.size(); first += kBlock) {
    const std::size_t count = std::min(kBlock, tokens.size() - first);
    for (std::size_t i = 0; i < count; ++i) {
      hashes[i] = hash_bytes(tokens[first + i]);
      __builtin_prefetch(&slots_[hashes[i] & mask]);
    }
    for (std::size_t i = 0; i < count; ++i) {
      const int32_t id = slots_[hashes[i] & mask].id;
      if (id != kNone) __builtin_prefetch(&spans_[static_cast<std::size_t>(id)]);
    }
    for (std::size_t i = 0; i < count; ++i) {
      const int32_t id = slots_[hashes[i] & mask].id;
      if (id != kNone) __builtin_prefetch(&bytes_[spans_[static_cast<std::size_t>(id)].begin]);
    }
    for (std::size_t i = 0; i < count; ++i) {
      ids[first + i] = slots_[probe(tokens[first + i], hashes[i])].id;
    }
  }
}

void Vocabulary::save(BlockWriter& writer) const {
  const std::array<uint64_t, 2> sizes = {size_, has_copies_ ? 1U : 0U};
  writer.add(std::span<const uint64_t>(sizes));
  writer.add(bytes_.view());
  writer.add(spans_.view());
  writer.add(slots_.view());
}

Vocabulary Vocabulary::load(BlockReader& reader) {
  Vocabulary result;
  const auto sizes = reader.next<uint64_t>();
  result.bytes_ = reader.next<char>();
  result.spans_ = reader.next<TokenSpan>();
  result.slots_ = reader.next<Slot>();
  BlockReader::require(sizes.size() == 2 && std::has_single_bit(result.slots_.size()) &&
                       result.spans_.size() <= INT32_MAX);
  result.size_ = sizes[0];
  result.has_copies_ = sizes[1] != 0;
  bool fits = true;
  bool has_holes = false;
  for (const TokenSpan span : result.spans_.view()) {
    const bool is_hole = span.size == kHole;
    has_holes |= is_hole;
    fits &= is_hole | (uint64_t{span.begin} + span.size <= result.bytes_.size());
  }
  bool has_free = false;
  for (const Slot slot : result.slots_.view()) {
    has_free |= slot.id == kNone;
    fits &= (slot.id >= kNone) & (slot.id < result.id_bound());
  }
  BlockReader::require(fits && has_free);
  if (has_holes) {
    for (const Slot slot : result.slots_.view()) {
      fits = fits && (slot.id == kNone || result.token(slot.id));
    }
  }
  BlockReader::require(fits);
  return result;
}

std::optional<std::string_view> Vocabulary::token(int32_t id) const noexcept {
  if (id < 0 || id >= id_bound() || spans_[static_cast<std::size_t>(id)].size == kHole) {
    return std::nullopt;
  }
  return text(spans_[static_cast<std::size_t>(id)]);
}

}  // namespace aios::tokenizer
