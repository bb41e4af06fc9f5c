#include "memory/check_memory.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "aios/error.h"
#include "base/utf8.h"
#include "storage/memory_row.h"

namespace aios {
namespace {

void check_text(std::string_view text, std::size_t max_bytes, const std::string& what) {
  if (text.size() > max_bytes) {
    throw FormatError(what + " has " + std::to_string(text.size()) + " bytes; the limit is " +
                      std::to_string(max_bytes) + ": split it");
  }
  const std::size_t invalid = find_invalid_utf8(text);
  if (invalid == text.size()) return;
  throw FormatError(what + " is not UTF-8 at byte " + std::to_string(invalid));
}

}  // namespace

void check_collection(const CollectionInfo& info) {
  if (info.name.empty() || info.name.size() > kMaxNameBytes ||
      find_invalid_utf8(info.name) != info.name.size()) {
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
