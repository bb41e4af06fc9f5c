#include "base/xxh64.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace aios {
namespace {

constexpr uint64_t kPrime1 = 0x9E3779B185EBCA87U;
constexpr uint64_t kPrime2 = 0xC2B2AE3D27D4EB4FU;
constexpr uint64_t kPrime3 = 0x165667B19E3779F9U;
constexpr uint64_t kPrime4 = 0x85EBCA77C2B2AE63U;
constexpr uint64_t kPrime5 = 0x27D4EB2F165667C5U;

static_assert(std::endian::native == std::endian::little, "words are read as they lie");

template <typename Word>
Word read(const std::byte* at) noexcept {
  Word word = 0;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

uint64_t mix_lane(uint64_t lane, uint64_t word) noexcept {
  return std::rotl(lane + word * kPrime2, 31) * kPrime1;
}

uint64_t merge_lane(uint64_t hash, uint64_t lane) noexcept {
  return (hash ^ mix_lane(0, lane)) * kPrime1 + kPrime4;
}

}  // namespace

void Xxh64::consume(const std::byte* stripe) noexcept {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    lanes_[i] = mix_lane(lanes_[i], read<uint64_t>(stripe + i * sizeof(uint64_t)));
  }
}

void Xxh64::update(std::span<const std::byte> bytes) noexcept {
  size_ += bytes.size();
  if (num_pending_ > 0) {
    const std::size_t count = std::min(kStripe - num_pending_, bytes.size());
    std::copy_n(bytes.begin(), count, pending_.begin() + static_cast<std::ptrdiff_t>(num_pending_));
    num_pending_ += count;
    bytes = bytes.subspan(count);
    if (num_pending_ < kStripe) return;
    consume(pending_.data());
    num_pending_ = 0;
  }
  const std::array<uint64_t, 4> before = lanes_;
  auto [a, b, c, d] = before;  // in registers
  for (; bytes.size() >= kStripe; bytes = bytes.subspan(kStripe)) {
    a = mix_lane(a, read<uint64_t>(bytes.data()));
    b = mix_lane(b, read<uint64_t>(bytes.data() + 8));
    c = mix_lane(c, read<uint64_t>(bytes.data() + 16));
    d = mix_lane(d, read<uint64_t>(bytes.data() + 24));
  }
  lanes_ = {a, b, c, d};
  std::copy(bytes.begin(), bytes.end(), pending_.begin());
  num_pending_ = bytes.size();
}

uint64_t Xxh64::digest() const noexcept {
  uint64_t hash = kPrime5;
  if (size_ >= kStripe) {
    hash = std::rotl(lanes_[0], 1) + std::rotl(lanes_[1], 7) + std::rotl(lanes_[2], 12) +
           std::rotl(lanes_[3], 18);
    for (const uint64_t lane : lanes_) hash = merge_lane(hash, lane);
  }
  hash += size_;
  const std::byte* at = pending_.data();
  std::size_t left = num_pending_;
  for (; left >= 8; left -= 8, at += 8) {
    hash = std::rotl(hash ^ mix_lane(0, read<uint64_t>(at)), 27) * kPrime1 + kPrime4;
  }
  if (left >= 4) {
    hash = std::rotl(hash ^ read<uint32_t>(at) * kPrime1, 23) * kPrime2 + kPrime3;
    at += 4;
    left -= 4;
  }
  for (; left > 0; --left, ++at) {
    hash = std::rotl(hash ^ read<uint8_t>(at) * kPrime5, 11) * kPrime1;
  }
  hash = (hash ^ hash >> 33U) * kPrime2;
  hash = (hash ^ hash >> 29U) * kPrime3;
  return hash ^ hash >> 32U;
}

uint64_t xxh64(std::span<const std::byte> bytes) noexcept {
  Xxh64 hash;
  hash.update(bytes);
  return hash.digest();
}

}  // namespace aios
