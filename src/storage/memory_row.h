/// One memory as segments store it. Borrowed: views live as long as what they were made from.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace aios {

struct MemoryRow {
  int64_t sequence = 0;  ///< order of arrival in the store; 0 in files that are no segments
  std::string_view memory_id;
  int64_t timestamp = 0;  ///< microseconds since 1970 UTC
  std::optional<int64_t> expires_at;
  std::string_view content;  ///< UTF-8
  std::string_view category;
  std::string_view source;
  float quality_score = 0;
  std::string_view extra;            ///< a JSON object
  std::span<const float> embedding;  ///< [dimension]
};

/// What a segment says of the collection that its rows belong to.
struct SegmentCollection {
  std::string name;
  int32_t dimension = 0;
  std::string metric;  ///< `cosine`, `inner_product` or `l2`
  std::string embedding_model;
  friend bool operator==(const SegmentCollection&, const SegmentCollection&) = default;
};

/// Euclidean norm, summed in double.
[[nodiscard]] float embedding_norm(std::span<const float> embedding) noexcept;

}  // namespace aios
