#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "aios/error.h"

namespace aios {
namespace {

[[noreturn]] void throw_io_error(const std::string& path, const std::string& cause) {
  throw IoError("cannot map '" + path + "': " + cause);
}

std::string system_cause() { return std::generic_category().message(errno); }

struct FileDescriptor {
  int value;
  ~FileDescriptor() { ::close(value); }
};

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const std::string& path) {
  // Non-blocking, so that opening a pipe returns and is refused below.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) throw_io_error(path, system_cause());
  const FileDescriptor file{descriptor};

  struct stat status {};
  if (::fstat(file.value, &status) != 0) throw_io_error(path, system_cause());
  if (S_ISDIR(status.st_mode)) throw_io_error(path, "it is a directory, not a file");
  if (!S_ISREG(status.st_mode)) throw_io_error(path, "it is not a regular file");
  if (status.st_size == 0) throw_io_error(path, "the file is empty");

  const auto size = static_cast<std::size_t>(status.st_size);
  void* const memory = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.value, 0);
  if (memory == MAP_FAILED) throw_io_error(path, system_cause());
  return std::shared_ptr<const MappedFile>(
      new MappedFile(path, static_cast<const std::byte*>(memory), size));
}

MappedFile::MappedFile(std::string path, const std::byte* data, std::size_t size)
    : path_(std::move(path)), data_(data), size_(size) {}

MappedFile::~MappedFile() { ::munmap(const_cast<std::byte*>(data_), size_); }

}  // namespace aios
