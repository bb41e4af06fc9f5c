/// Writes memories as Parquet: the segments of a store, and exports
/// (docs/formats/memory-store.md).
///
/// Rows are copied as they are added and written a row group at a time. The file gets its name in
/// `finish`; a writer that is destroyed before leaves nothing behind. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "storage/memory_row.h"

namespace aios {

/// `kSegment`: embeddings uncompressed and aligned, to be scanned where they are mapped. `kExport`:
/// everything zstd.
enum class MemoryFileKind { kSegment, kExport };

class MemorySegmentWriter {
 public:
  /// @throws IoError
  MemorySegmentWriter(const std::string& path, SegmentCollection collection, MemoryFileKind kind);
  MemorySegmentWriter(const MemorySegmentWriter&) = delete;
  MemorySegmentWriter& operator=(const MemorySegmentWriter&) = delete;
  ~MemorySegmentWriter();

  /// Segments' rows come in ascending order of `sequence`; embeddings have the collection's
  /// dimension.
  /// @throws IoError
  void add(const MemoryRow& row);

  /// Writes the footer, makes all durable and names the file. Nothing may follow it.
  /// @return bytes of the file
  /// @throws IoError
  int64_t finish();

  [[nodiscard]] int64_t num_rows() const noexcept;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace aios
