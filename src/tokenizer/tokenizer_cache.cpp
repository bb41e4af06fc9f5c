#include "tokenizer/tokenizer_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "aios/error.h"
#include "base/xxh64.h"
#include "tokenizer/table_blocks.h"

namespace aios::tokenizer {
namespace {

/// The last digit counts the versions of the layout, of hash functions in tables too.
constexpr std::array<char, 8> kMagic = {'A', 'I', 'O', 'S', 't', 'o', 'k', '3'};

struct Header {
  std::array<char, 8> magic;
  SourceChecksum source;
  uint64_t payload_size;
  uint64_t payload_hash;
  std::array<uint64_t, 3> reserved;
};
static_assert(sizeof(Header) == kBlockAlignment);  // the payload begins on a block

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int number() const noexcept { return number_; }

 private:
  int number_;
};

bool write_all(int descriptor, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

/// A folder whose mode lets nobody write is left alone, also by those whom modes do not bind.
bool may_write_beside(const std::string& path) {
  using std::filesystem::perms;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code ignored;
  const perms mode = std::filesystem::status(folder.empty() ? "." : folder, ignored).permissions();
  return mode != perms::unknown &&
         (mode & (perms::owner_write | perms::group_write | perms::others_write)) != perms::none;
}

/// Under a name of its own first, so that readers see a whole file or none. Nothing is synced: what
/// a crash tears has a wrong checksum.
void write_file(const std::string& path, const Header& header, const std::string& payload) {
  std::string temporary = path + ".XXXXXX";
  const Descriptor file(::mkstemp(temporary.data()));
  if (file.number() < 0) return;
  const bool done = ::fchmod(file.number(), 0644) == 0 &&
                    write_all(file.number(), std::as_bytes(std::span(&header, 1))) &&
                    write_all(file.number(), std::as_bytes(std::span(payload))) &&
                    ::rename(temporary.c_str(), path.c_str()) == 0;
  if (!done) ::unlink(temporary.c_str());
}

}  // namespace

SourceChecksum checksum_of(std::string_view bytes) noexcept {
  return {bytes.size(), xxh64(std::as_bytes(std::span(bytes)))};
}

SourceChecksum checksum_of_file(const std::string& path) {
  constexpr std::size_t kPortion = std::size_t{256} << 10U;  // stays in the second-level cache
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::vector<std::byte> portion(kPortion);
  SourceChecksum checksum{};
  Xxh64 hash;
  while (true) {
    const ssize_t count = ::read(file.number(), portion.data(), portion.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw IoError("cannot read '" + path + "': " + std::strerror(errno));
    if (count == 0) break;
    const auto size = static_cast<std::size_t>(count);
    hash.update(std::span(portion).first(size));
    checksum.size += size;
  }
  checksum.hash = hash.digest();
  return checksum;
}

std::string cache_path(const std::string& source_path) { return source_path + ".cache"; }

std::optional<CachedTokenizer> read_cache(const std::string& source_path) {
  const std::string path = cache_path(source_path);
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return std::nullopt;
  try {
    CachedTokenizer cached{};
    cached.mapping = MappedFile::open(path);
    const auto bytes = cached.mapping->bytes();
    Header header{};
    if (bytes.size() < sizeof(header)) return std::nullopt;
    std::memcpy(&header, bytes.data(), sizeof(header));
    const auto payload = bytes.subspan(sizeof(header));
    if (header.magic != kMagic || header.reserved != Header{}.reserved ||
        header.payload_size != payload.size() || header.payload_hash != xxh64(payload)) {
      return std::nullopt;
    }
    cached.source = header.source;
    BlockReader reader(payload);
    const FlatArray<char> rest = reader.next<char>();
    cached.rest = nlohmann::json::parse(std::string_view(rest.data(), rest.size()), nullptr, false);
    if (cached.rest.is_discarded()) return std::nullopt;
    cached.tables = reader.rest();
    return cached;
  } catch (const Error&) {
    return std::nullopt;
  }
}

void write_cache(const std::string& source_path, const SourceChecksum& source,
                 const nlohmann::json& rest, const std::string& tables) noexcept {
  try {
    if (!may_write_beside(source_path)) return;
    BlockWriter writer;
    const std::string text = rest.dump();
    writer.add(std::span<const char>(text));
    const std::string payload = writer.bytes() + tables;
    const Header header{
        kMagic, source, payload.size(), xxh64(std::as_bytes(std::span(payload))), {}};
    write_file(cache_path(source_path), header, payload);
  } catch (const std::exception&) {  // no memory: no cache
    return;
  }
}

}  // namespace aios::tokenizer
