#include "cli/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace aios {
namespace {

/// @returns 0 or the errno of the failure
int write_all(int descriptor, std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

}  // namespace

void write_output(std::string_view text) {
  const int error = write_all(STDOUT_FILENO, text);
  if (error == 0) return;
  const std::string message = std::string("cannot write to standard output: ") + strerror(error);
  if (error == EPIPE) throw BrokenPipe(message);
  throw IoError(message);
}

void save_text(const std::string& path, std::string_view text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  int error = file < 0 ? errno : write_all(file, text);
  if (file >= 0 && ::close(file) != 0 && error == 0) error = errno;
  if (error != 0) throw IoError("cannot write '" + path + "': " + strerror(error));
}

void write_terminal(std::string_view text) noexcept { write_all(STDERR_FILENO, text); }

}  // namespace aios
