/// Columns of memory segments (docs/formats/memory-store.md). Inside `storage` only.
#pragma once

#include <parquet/schema.h>

#include <memory>
#include <string_view>

namespace aios::memory_schema {

inline constexpr std::string_view kVersionKey = "aios.memory.version";
inline constexpr std::string_view kVersion = "1";
inline constexpr std::string_view kCollectionKey = "aios.memory.collection";
inline constexpr std::string_view kDimensionKey = "aios.memory.dimension";
inline constexpr std::string_view kMetricKey = "aios.memory.metric";
inline constexpr std::string_view kEmbeddingModelKey = "aios.memory.embedding_model";
inline constexpr std::string_view kArrowSchemaKey = "ARROW:schema";

/// Rows of a row group. Each of its columns is one page: embeddings are scanned where they are
/// mapped, and to read one content those of its group are decompressed.
inline constexpr int64_t kRowsPerGroup = 2048;
inline constexpr int64_t kEmbeddingAlignment = 64;
inline constexpr int32_t kMaxDimension = 65536;

/// Leaf columns, in the order of the file.
enum Column {
  kMemoryId,
  kTimestamp,
  kExpiresAt,
  kContent,
  kCategory,
  kSource,
  kQualityScore,
  kExtra,
  kSequence,
  kNorm,
  kEmbedding,
  kNumColumns
};

[[nodiscard]] std::shared_ptr<parquet::schema::GroupNode> file_schema();

}  // namespace aios::memory_schema
