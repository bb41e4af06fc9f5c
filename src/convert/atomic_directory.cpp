#include "convert/atomic_directory.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "aios/error.h"

namespace aios {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const char* what, const fs::path& path, int error) {
  throw IoError(std::string(what) + " '" + path.string() + "': " + std::strerror(error));
}

void sync_directory(const fs::path& path) {
  const int directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) refuse("cannot open directory", path, errno);
  const int error = ::fsync(directory) == 0 ? 0 : errno;
  ::close(directory);
  if (error != 0) refuse("cannot make durable", path, error);
}

/// An exclusive lock on a directory, or -1 if another process holds it.
int lock_directory(const fs::path& path) {
  const int directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory >= 0 && ::flock(directory, LOCK_EX | LOCK_NB) == 0) return directory;
  if (directory >= 0) ::close(directory);
  return -1;
}

fs::path with_name(fs::path path) {
  path = fs::absolute(path).lexically_normal();
  return path.has_filename() ? path : path.parent_path();  // "models/" is "models"
}

}  // namespace

AtomicDirectory::AtomicDirectory(const std::string& path) : path_(with_name(path)) {
  std::error_code error;
  fs::create_directories(path_.parent_path(), error);
  if (error) refuse("cannot create", path_.parent_path(), error.value());
  remove_leftovers();
  partial_ = path_.parent_path() /
             ("." + path_.filename().string() + ".partial-" + std::to_string(::getpid()));
  if (::mkdir(partial_.c_str(), 0777) != 0) refuse("cannot create", partial_, errno);
  lock_ = lock_directory(partial_);
}

AtomicDirectory::~AtomicDirectory() {
  std::error_code ignored;
  fs::remove_all(partial_, ignored);
  if (lock_ >= 0) ::close(lock_);
}

void AtomicDirectory::remove_leftovers() const {
  const std::string prefix = "." + path_.filename().string() + ".partial-";
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(path_.parent_path(), ignored)) {
    if (!entry.path().filename().string().starts_with(prefix)) continue;
    const int lock = lock_directory(entry.path());
    if (lock < 0) continue;  // of a run that lives
    fs::remove_all(entry.path(), ignored);
    ::close(lock);
  }
}

void AtomicDirectory::commit() {
  sync_directory(partial_);
  for (const auto& entry : fs::recursive_directory_iterator(partial_)) {
    if (entry.is_directory()) sync_directory(entry.path());
  }
  if (fs::exists(path_)) {
    // Swaps the two names: at no moment is there no directory. The old one, now under the
    // sibling's name, goes with the destructor.
    if (::renameat2(AT_FDCWD, partial_.c_str(), AT_FDCWD, path_.c_str(), RENAME_EXCHANGE) != 0) {
      refuse("choose another output name: this file system cannot swap folders; cannot replace",
             path_, errno);
    }
  } else if (::rename(partial_.c_str(), path_.c_str()) != 0) {
    refuse("cannot create", path_, errno);
  }
  sync_directory(path_.parent_path());
}

}  // namespace aios
