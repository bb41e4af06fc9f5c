/// What an open store consists of. Inside `memory` only.
#pragma once

#include <condition_variable>
#include <thread>

#include "memory/maintainer.h"
#include "memory/store_reader.h"
#include "memory/writer_lock.h"

namespace aios {

/// The half of a store that only its writer has.
class StoreWriter {
 public:
  StoreWriter(const std::string& directory, const StorageConfig& config, SegmentFiles& segments);
  StoreWriter(const StoreWriter&) = delete;
  StoreWriter& operator=(const StoreWriter&) = delete;
  ~StoreWriter();

  /// Runs a change under the write lock, then wakes the maintenance if it is due.
  template <typename Change>
  auto change(Change body) {
    auto result = [&] {
      const std::lock_guard lock(mutex_);
      return body(catalog_);
    }();
    after_change();
    return result;
  }
  [[nodiscard]] Maintainer& maintainer() noexcept { return maintainer_; }
  /// Seals and merges until nothing is due.
  void maintain();

 private:
  void open_catalog();
  void after_change();
  void run_maintenance() noexcept;

  const StorageConfig& config_;
  std::string directory_;
  SegmentFiles& segments_;
  WriterLock lock_;
  Database database_;
  std::mutex mutex_;
  CatalogWriter catalog_;
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
