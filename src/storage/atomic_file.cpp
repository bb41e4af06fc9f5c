#include "storage/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "aios/error.h"

namespace aios {
namespace {

[[noreturn]] void throw_io_error(const std::string& path) {
  const int code = errno;
  std::string cure;
  if (code == ENOSPC || code == EDQUOT || code == EFBIG) cure = "; free some space and try again";
  throw IoError("cannot write '" + path + "': " + std::generic_category().message(code) + cure);
}

std::filesystem::path folder_of(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder;
}

}  // namespace

void sync_folder(const std::string& folder, const std::string& path) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) throw_io_error(path);
  const bool synced = ::fsync(descriptor) == 0;
  const int code = errno;
  ::close(descriptor);
  errno = code;
  if (!synced) throw_io_error(path);
}

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  const std::string name = std::filesystem::path(path_).filename().string();
  const std::string prefix = "." + name + "." + std::to_string(::getpid()) + "-";
  // Taken names are another writer's of this process, or were left by a killed one of its number.
  for (int number = 0; descriptor_ < 0 && (number == 0 || errno == EEXIST); ++number) {
    temporary_path_ = (folder_of(path_) / (prefix + std::to_string(number) + ".tmp")).string();
    descriptor_ = ::open(temporary_path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  }
  if (descriptor_ < 0) throw_io_error(path_);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_path_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  constexpr std::size_t kMaxWrite = std::size_t{1} << 30U;  // Linux writes less than 2 GiB at once
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), std::min(bytes.size(), kMaxWrite));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_io_error(path_);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    position_ += written;
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) throw_io_error(path_);
  if (::rename(temporary_path_.c_str(), path_.c_str()) != 0) throw_io_error(path_);
  ::close(std::exchange(descriptor_, -1));
  sync_folder(folder_of(path_), path_);
}

}  // namespace aios
