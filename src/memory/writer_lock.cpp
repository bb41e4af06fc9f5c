#include "memory/writer_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>

#include "aios/error.h"

namespace aios {
namespace {

[[noreturn]] void throw_io_error(const std::string& path) {
  throw IoError("cannot lock '" + path + "': " + std::generic_category().message(errno));
}

std::string holder_of(int descriptor) {
  std::array<char, 32> text{};
  const ssize_t size = ::pread(descriptor, text.data(), text.size(), 0);
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : "unknown";
}

}  // namespace

WriterLock::WriterLock(const std::string& directory, double timeout) {
  using Clock = std::chrono::steady_clock;
  const std::string path = directory + "/writer.lock";
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor_ < 0) throw_io_error(path);
  const auto deadline = Clock::now() + std::chrono::duration<double>(timeout);
  while (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const std::string holder = holder_of(descriptor_);
    const int code = errno;
    if (code == EWOULDBLOCK && Clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      continue;
    }
    ::close(descriptor_);
    errno = code;
    if (code != EWOULDBLOCK) throw_io_error(path);
    throw StorageError("'" + directory + "' is being written by process " + holder +
                       "; open it read-only, or wait with lock_timeout");
  }
  // The number is for the message above only; a lock without one is as good.
  const std::string number = std::to_string(::getpid());
  if (::ftruncate(descriptor_, 0) == 0) {
    [[maybe_unused]] const ssize_t written = ::pwrite(descriptor_, number.data(), number.size(), 0);
  }
}

WriterLock::~WriterLock() { ::close(descriptor_); }

}  // namespace aios
