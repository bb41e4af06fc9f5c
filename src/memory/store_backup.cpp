#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "aios/error.h"
#include "base/mapped_file.h"
#include "memory/catalog_schema.h"
#include "memory/storage_implementation.h"
#include "storage/atomic_file.h"

namespace aios {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void throw_io_error(const std::string& path, int code) {
  throw IoError("cannot write '" + path + "': " + std::generic_category().message(code));
}

/// A folder under another name, removed unless it gets its own.
class NewFolder {
 public:
  explicit NewFolder(const std::string& path)
      : path_(fs::absolute(path).lexically_normal()),
        partial_(path_.string() + ".partial-" + std::to_string(::getpid())) {
    if (!path_.has_filename()) path_ = path_.parent_path();
    if (fs::exists(path_)) throw IoError("'" + path + "' is there already: give another name");
    if (::mkdir(partial_.c_str(), 0700) != 0) throw_io_error(partial_, errno);
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;
  ~NewFolder() {
    std::error_code ignored;
    fs::remove_all(partial_, ignored);
  }

  [[nodiscard]] const std::string& partial() const noexcept { return partial_; }

  void commit() {
    make_names_durable(partial_);
    if (::rename(partial_.c_str(), path_.c_str()) != 0) throw_io_error(path_, errno);
    make_names_durable(path_.parent_path());
  }

 private:
  static void make_names_durable(const std::string& folder) {
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) throw_io_error(folder, errno);
    const int code = ::fsync(descriptor) == 0 ? 0 : errno;
    ::close(descriptor);
    if (code != 0) throw_io_error(folder, code);
  }

  fs::path path_;
  std::string partial_;
};

void copy_file(const std::string& from, const std::string& to) {
  const auto source = MappedFile::open(from);
  AtomicFile copy(to);
  copy.write(source->bytes());
  copy.commit();
}

/// Copies the catalogue as the transaction of `source` sees it.
void copy_catalog(Database& source, const std::string& path) {
  Database copy(path, DatabaseMode::kCreate);
  copy.execute("PRAGMA synchronous = FULL");
  sqlite3_backup* const backup =
      sqlite3_backup_init(copy.handle(), "main", source.handle(), "main");
  if (backup == nullptr) copy.fail(sqlite3_errcode(copy.handle()));
  (void)sqlite3_backup_step(backup, -1);
  const int code = sqlite3_backup_finish(backup);
  if (code != SQLITE_OK) copy.fail(code);
}

}  // namespace

void ArrowStorage::backup(const std::string& directory) const {
  const StoreReader& reader = *implementation_->reader;
  reader.read([&] {
    NewFolder folder(directory);
    const SegmentFiles names(folder.partial());
    Query segments(reader.database(), "SELECT segment_id FROM segment");
    while (segments.step()) {
      const int64_t id = segments.integer(0);
      copy_file(reader.segments().path_of(id), names.path_of(id));
    }
    copy_catalog(reader.database(), folder.partial() + "/" + kCatalogName);
    folder.commit();
    return 0;
  });
}

}  // namespace aios
