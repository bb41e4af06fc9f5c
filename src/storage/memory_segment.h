/// A sealed segment of memories, mapped: its embeddings are read where they lie.
///
/// Immutable and safe to use from several threads. Only the footer and the headers of a few pages
/// are read when it is opened; `verify` reads every byte.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "storage/memory_row.h"

namespace aios {

class MemorySegment {
 public:
  /// The rows of one row group. Spans live as long as the segment.
  struct Group {
    int64_t first_row = 0;
    std::span<const int64_t> sequences;  ///< strictly ascending, over all groups
    std::span<const float> norms;
    std::span<const float> embeddings;  ///< [rows, dimension]
  };

  /// @throws IoError, or FormatError if it is no segment that `MemorySegmentWriter` finished
  static std::shared_ptr<const MemorySegment> open(const std::string& path);
  MemorySegment(const MemorySegment&) = delete;
  MemorySegment& operator=(const MemorySegment&) = delete;
  ~MemorySegment();

  [[nodiscard]] const std::string& path() const noexcept;
  [[nodiscard]] const SegmentCollection& collection() const noexcept;
  [[nodiscard]] int64_t num_rows() const noexcept;
  [[nodiscard]] int64_t num_bytes() const noexcept;
  [[nodiscard]] std::span<const Group> groups() const noexcept;

  /// The row whose sequence this is, -1 if there is none.
  [[nodiscard]] int64_t find(int64_t sequence) const noexcept;
  [[nodiscard]] std::span<const float> embedding(int64_t row) const noexcept;
  /// @throws FormatError if the page is damaged
  [[nodiscard]] std::string content(int64_t row) const;

  /// Checks every page against its checksum, and that norms belong to embeddings.
  /// @throws FormatError
  void verify() const;

 private:
  struct Implementation;
  explicit MemorySegment(std::unique_ptr<Implementation> implementation);
  [[nodiscard]] const Group& group_of(int64_t row) const noexcept;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace aios
