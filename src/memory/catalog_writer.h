/// Changes of the catalogue: each call is one transaction, durable when it returns. For one thread
/// at a time: the store's writer lock is held around each call.
#pragma once

#include "aios/memory.h"
#include "memory/database.h"
#include "memory/segment_files.h"

namespace aios {

/// A collection as the catalogue knows it.
struct Collection {
  int64_t id = 0;
  CollectionInfo info;
};

/// @throws StorageError if there is none of that name
[[nodiscard]] Collection find_collection(Database& database, const std::string& name);
[[nodiscard]] std::vector<Collection> list_collections(Database& database);

/// Microseconds since 1970 UTC.
[[nodiscard]] int64_t now_microseconds() noexcept;

class CatalogWriter {
 public:
  /// Borrows both.
  CatalogWriter(Database& database, SegmentFiles& segments)
      : database_(database), segments_(segments) {}

  void create_collection(const CollectionInfo& info);
  AddResult add(const std::string& collection, std::span<const Memory> memories, bool replaces);
  bool edit(const std::string& collection, const std::string& memory_id,
            const MemoryMetadata& metadata, std::optional<int64_t> expires_at);
  /// @param erases whether traces are to be erased from the files as well, later at the latest
  int64_t remove(const std::string& collection, std::span<const std::string> memory_ids,
                 bool erases);
  int64_t expire();

  /// Prepares for new vectors as `next` says; drops those by another model. @return how many are
  /// there
  int64_t begin_reembedding(const CollectionInfo& next);
  /// Keeps new vectors [sequences, dimension] of memories that are still there.
  void add_new_embeddings(std::span<const int64_t> sequences, std::span<const float> embeddings);

 private:
  /// Inserts a row that is not there. @return false if there is one of that id
  bool insert(const Collection& collection, const Memory& memory, const std::string& memory_id,
              int64_t now);
  /// Makes room for a memory: removes the one of that id if it may be replaced.
  bool make_room(const Collection& collection, const std::string& memory_id, bool replaces,
                 int64_t now);
  void remove_row(int64_t collection_id, int64_t sequence);

  Database& database_;
  SegmentFiles& segments_;
};

/// A memory as segments store it; borrowed.
[[nodiscard]] MemoryRow to_row(const Memory& memory, int64_t sequence) noexcept;

/// The segment that holds a sealed row, and the row in it.
struct SegmentRow {
  std::shared_ptr<const MemorySegment> segment;
  int64_t row = 0;
};
/// @throws StorageError if no segment has it
[[nodiscard]] SegmentRow find_sealed(Database& database, SegmentFiles& segments,
                                     int64_t collection_id, int64_t sequence);

/// Content of a live memory, from its row or its segment. @throws StorageError if neither has it
[[nodiscard]] std::string read_content(Database& database, SegmentFiles& segments,
                                       int64_t collection_id, int64_t sequence);

/// Likewise its vector.
[[nodiscard]] std::vector<float> read_embedding(Database& database, SegmentFiles& segments,
                                                int64_t collection_id, int64_t sequence);

}  // namespace aios
