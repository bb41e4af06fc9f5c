#include "memory/check_memory.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "aios/error.h"
#include "storage/memory_row.h"

namespace aios {
namespace {

void check_text(std::string_view text, std::size_t max_bytes, const std::string& what) {
  if (text.size() > max_bytes) {
    throw FormatError(what + " has " + std::to_string(text.size()) + " bytes; the limit is " +
                      std::to_string(max_bytes) + ": split it");
  }
  const std::size_t valid = valid_utf8_prefix(text);
  if (valid == text.size()) return;
  throw FormatError(what + " is not UTF-8 at byte " + std::to_string(valid));
}

/// Bytes of the UTF-8 sequence that begins with `lead`, 0 if none does.
std::size_t sequence_length(unsigned char lead) noexcept {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

/// Whether the second byte makes an overlong form, a surrogate or a code beyond U+10FFFF.
bool is_forbidden(unsigned char lead, unsigned char second) noexcept {
  return (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
         (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f);
}

}  // namespace

std::size_t valid_utf8_prefix(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::size_t i = 0;
  while (i < text.size()) {
    const std::size_t length = sequence_length(byte(i));
    if (length == 0 || length > text.size() - i) return i;
    for (std::size_t j = 1; j < length; ++j) {
      if ((byte(i + j) & 0xc0U) != 0x80) return i;
    }
    if (length > 2 && is_forbidden(byte(i), byte(i + 1))) return i;
    i += length;
  }
  return i;
}

void check_collection(const CollectionInfo& info) {
  if (info.name.empty() || info.name.size() > kMaxNameBytes ||
      valid_utf8_prefix(info.name) != info.name.size()) {
    throw ConfigError("a collection's name must be 1 to 1024 bytes of UTF-8");
  }
  if (info.dimension < 1 || info.dimension > kMaxDimension) {
    throw ConfigError("collection '" + info.name + "': dimension must be 1 to 65536, not " +
                      std::to_string(info.dimension));
  }
}

void check_embedding(std::span<const float> embedding, const CollectionInfo& collection,
                     const std::string& what) {
  if (embedding.size() != static_cast<std::size_t>(collection.dimension)) {
    throw StorageError(
        what + " has a vector of " + std::to_string(embedding.size()) + " numbers; collection '" +
        collection.name + "' has " + std::to_string(collection.dimension) +
        (collection.embedding_model.empty() ? std::string() : " by " + collection.embedding_model) +
        ": use that model, another collection, or aios memory reembed");
  }
  for (const float value : embedding) {
    if (!std::isfinite(value)) throw FormatError(what + " has a vector that is not finite");
  }
  const float norm = embedding_norm(embedding);
  if (!std::isfinite(norm)) throw FormatError(what + " has a vector whose length overflows");
  if (collection.metric == Metric::kCosine && norm == 0) {
    throw FormatError(what + " has a zero vector, which has no cosine");
  }
}

void check_metadata(const MemoryMetadata& metadata, const std::string& what) {
  check_text(metadata.category, kMaxNameBytes, what + ": category");
  check_text(metadata.source, kMaxNameBytes, what + ": source");
  check_text(metadata.extra, kMaxExtraBytes, what + ": extra");
  if (!(metadata.quality_score >= 0 && metadata.quality_score <= 1)) {
    throw FormatError(what + ": quality_score must be in [0, 1]");
  }
  const auto extra = nlohmann::json::parse(metadata.extra, nullptr, false);
  if (!extra.is_object() || metadata.extra.find('\0') != std::string::npos) {
    throw FormatError(what + ": extra is no JSON object");
  }
}

void check_memory(const Memory& memory, const CollectionInfo& collection) {
  check_text(memory.memory_id, kMaxNameBytes, "memory_id");
  const std::string what =
      memory.memory_id.empty() ? "a memory" : "memory '" + memory.memory_id + "'";
  check_text(memory.content, kMaxContentBytes, what + ": content");
  check_metadata(memory.metadata, what);
  check_embedding(memory.embedding, collection, what);
}

}  // namespace aios
