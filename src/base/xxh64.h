/// XXH64, a fast checksum against accidents, not against people (Yann Collet; the algorithm is
/// specified in https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md). Seed 0.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace aios {

/// Of bytes that come in any portions.
class Xxh64 {
 public:
  void update(std::span<const std::byte> bytes) noexcept;
  [[nodiscard]] uint64_t digest() const noexcept;

 private:
  static constexpr std::size_t kStripe = 32;

  void consume(const std::byte* stripe) noexcept;

  std::array<uint64_t, 4> lanes_{0x60EA27EEADC0B5D6U, 0xC2B2AE3D27D4EB4FU, 0, 0x61C8864E7A143579U};
  std::array<std::byte, kStripe> pending_{};
  std::size_t num_pending_ = 0;
  uint64_t size_ = 0;
};

[[nodiscard]] uint64_t xxh64(std::span<const std::byte> bytes) noexcept;

}  // namespace aios
