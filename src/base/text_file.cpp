#include "base/text_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "aios/error.h"

namespace aios {
namespace {

class OpenFile {
 public:
  explicit OpenFile(const std::string& path)
      : borrowed_(path == "-"),
        descriptor_(borrowed_ ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (!borrowed_ && descriptor_ >= 0) ::close(descriptor_);
  }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  bool borrowed_;
  int descriptor_;
};

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  const std::string shown = path == "-" ? "standard input" : "'" + path + "'";
  throw IoError("cannot read " + shown + ": " + why);
}

}  // namespace

std::string read_text_file(const std::string& path, std::size_t max_bytes) {
  constexpr std::size_t kChunk = 64U << 10U;
  const OpenFile file(path);
  if (file.descriptor() < 0) refuse(path, std::strerror(errno));
  std::string bytes;
  struct stat status {};
  if (::fstat(file.descriptor(), &status) == 0 && S_ISREG(status.st_mode)) {
    bytes.reserve(std::min(static_cast<std::size_t>(status.st_size), max_bytes) + 2 * kChunk);
  }
  while (true) {
    const std::size_t size = bytes.size();
    bytes.resize(size + kChunk);
    const ssize_t count = ::read(file.descriptor(), bytes.data() + size, kChunk);
    bytes.resize(size + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) refuse(path, std::strerror(errno));
    if (bytes.size() > max_bytes) {
      refuse(path, "it has more than " + std::to_string(max_bytes) + " bytes");
    }
    if (count == 0) return bytes;
  }
}

}  // namespace aios
