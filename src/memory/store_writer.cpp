#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "aios/error.h"
#include "base/log.h"
#include "memory/catalog_schema.h"
#include "memory/storage_implementation.h"

namespace aios {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void throw_io_error(const std::string& directory) {
  throw IoError("cannot create '" + directory + "': " + std::generic_category().message(errno));
}

/// Creates the store's folder, for its owner only, and makes its name durable.
const std::string& create_directory(const std::string& directory) {
  std::error_code error;
  if (fs::is_directory(directory, error)) return directory;
  fs::path parent = fs::absolute(directory).lexically_normal();
  if (!parent.has_filename()) parent = parent.parent_path();
  parent = parent.parent_path();
  fs::create_directories(parent, error);
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) throw_io_error(directory);
  const int descriptor = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) throw_io_error(directory);
  const bool synced = ::fsync(descriptor) == 0;
  ::close(descriptor);
  if (!synced) throw_io_error(directory);
  return directory;
}

/// The catalogue's path. Segments without a catalogue are somebody's memories: they must not be
/// taken for leftovers.
std::string catalog_path(const std::string& directory, const SegmentFiles& segments) {
  const std::string path = directory + "/" + kCatalogName;
  if (!fs::exists(path) && !segments.list().empty()) {
    throw StorageError("'" + directory + "' has segments but no " + kCatalogName +
                       ": run aios memory repair on it");
  }
  return path;
}

template <typename Work>
void try_to(Work work) {
  try {
    work();
  } catch (const std::exception& error) {
    log_message(LogLevel::kWarning, error.what());
  }
}

}  // namespace

StoreWriter::StoreWriter(const std::string& directory, const StorageConfig& config,
                         SegmentFiles& segments)
    : config_(config),
      directory_(directory),
      segments_(segments),
      lock_(create_directory(directory), config.lock_timeout),
      database_(catalog_path(directory, segments), DatabaseMode::kCreate),
      catalog_(database_, segments),
      maintainer_(database_, mutex_, segments, config) {
  open_catalog();
  if (!config_.maintain_in_background) return;
  due_ = true;  // what a killed writer left to do
  maintenance_ = std::thread([this] { run_maintenance(); });
}

void StoreWriter::open_catalog() {
  prepare_catalog(database_);
  remove_leftovers(database_, segments_);
}

StoreWriter::~StoreWriter() {
  if (!maintenance_.joinable()) return;
  {
    const std::lock_guard lock(due_mutex_);
    stopping_ = true;
  }
  due_changed_.notify_all();
  maintenance_.join();
}

bool StoreWriter::maintenance_is_due() noexcept {
  const int64_t changes = sqlite3_total_changes64(database_.handle());
  if (!config_.maintain_in_background || changes - changes_at_wake_ < config_.seal_rows) {
    return false;
  }
  changes_at_wake_ = changes;
  return true;
}

void StoreWriter::wake_maintenance() {
  {
    const std::lock_guard lock(due_mutex_);
    due_ = true;
  }
  due_changed_.notify_one();
}

/// What is acknowledged does not depend on it.
void StoreWriter::bound_hot_rows() noexcept {
  try_to([this] { maintainer_.seal(kMaxHotSeals * config_.seal_rows); });
}

void StoreWriter::maintain() {
  if (maintainer_.erasure_pending()) maintainer_.erase_traces();
  maintainer_.seal(config_.seal_rows);
  while (maintainer_.compact_step()) maintainer_.seal(config_.seal_rows);
}

/// As long as there is nothing else to do.
void StoreWriter::build_graphs() {
  maintainer_.build_graphs(1, [this] {
    const std::lock_guard lock(due_mutex_);
    return due_ || stopping_;
  });
}

/// Failures are tried again after the next change: what is acknowledged does not depend on them.
/// Once a second has passed without work, the store is made small as well, and gets its
/// graphs.
void StoreWriter::run_maintenance() noexcept {
  constexpr std::chrono::seconds kIdle{1};
  const auto has_work = [this] { return due_ || stopping_; };
  std::unique_lock lock(due_mutex_);
  while (!stopping_) {
    due_changed_.wait(lock, has_work);
    while (due_ && !stopping_) {
      due_ = false;
      lock.unlock();
      try_to([this] { maintain(); });
      lock.lock();
      if (due_changed_.wait_for(lock, kIdle, has_work)) continue;
      lock.unlock();
      try_to([this] { maintainer_.shrink(); });
      try_to([this] { build_graphs(); });
      lock.lock();
    }
  }
}

}  // namespace aios
