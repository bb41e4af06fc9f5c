/// SHA-256 (FIPS 180-4), for the checksums of metadata.json: `sha256sum` checks them too.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace aios {

/// Feed bytes in any pieces, then ask once for the digest. Not thread-safe.
class Sha256 {
 public:
  void update(std::span<const std::byte> bytes) noexcept;
  /// Lower-case hexadecimal, 64 characters. Nothing may follow it.
  [[nodiscard]] std::string hex_digest();

 private:
  void add_block(const std::byte* block) noexcept;

  std::array<uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::byte, 64> pending_{};  // the last num_bytes_ % 64 bytes
  uint64_t num_bytes_ = 0;
};

/// Digest of a file's bytes.
/// @param progress called with the bytes of each piece (about 1 MiB) once it is counted in; may
/// throw to stop
/// @throws IoError
[[nodiscard]] std::string sha256_of_file(const std::string& path,
                                         const std::function<void(int64_t)>& progress = {});

}  // namespace aios
