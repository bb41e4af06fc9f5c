/// What an open store consists of. Inside `memory` only.
#pragma once

#include <condition_variable>
#include <thread>

#include "memory/maintainer.h"
#include "memory/store_reader.h"
#include "memory/writer_lock.h"

namespace aios {

/// Hot rows, in times `seal_rows`, at which who adds seals them before it goes on, should the
/// background work not keep up.
inline constexpr int64_t kMaxHotSeals = 4;

/// The half of a store that only its writer has.
class StoreWriter {
 public:
  StoreWriter(const std::string& directory, const StorageConfig& config, SegmentFiles& segments);
  StoreWriter(const StoreWriter&) = delete;
  StoreWriter& operator=(const StoreWriter&) = delete;
  ~StoreWriter();

  /// Runs a change under the write lock, then wakes the maintenance if it is due, and sees to it
  /// that hot rows stay few.
  template <typename Change>
  auto change(Change body) {
    bool is_due = false;
    auto result = [&] {
      const std::lock_guard lock(mutex_);
      auto changed = body(catalog_);
      is_due = maintenance_is_due();
      return changed;
    }();
    if (is_due) {
      wake_maintenance();
      bound_hot_rows();
    }
    return result;
  }
  [[nodiscard]] Maintainer& maintainer() noexcept { return maintainer_; }
  /// Seals and merges until nothing is due.
  void maintain();

 private:
  void open_catalog();
  /// Whether enough rows have changed since it last said so: looking for work after every small
  /// commit would take longer than the commits.
  [[nodiscard]] bool maintenance_is_due() noexcept;
  void wake_maintenance();
  void bound_hot_rows() noexcept;
  void run_maintenance() noexcept;
  void build_graphs();

  const StorageConfig& config_;
  std::string directory_;
  SegmentFiles& segments_;
  WriterLock lock_;
  Database database_;
  std::mutex mutex_;
  CatalogWriter catalog_;
  int64_t changes_at_wake_ = 0;  // of the database's total
  Maintainer maintainer_;

  std::mutex due_mutex_;
  std::condition_variable due_changed_;
  bool due_ = false;
  bool stopping_ = false;
  std::thread maintenance_;
};

struct ArrowStorage::Implementation {
  Implementation(const std::string& path, const StorageConfig& options);
  /// @throws StorageError if the store was opened read-only
  [[nodiscard]] StoreWriter& writing() const;

  std::string directory;
  StorageConfig config;
  mutable SegmentFiles segments;
  std::unique_ptr<StoreWriter> writer;  // before the reader: it creates the catalogue
  std::unique_ptr<StoreReader> reader;
};

}  // namespace aios
