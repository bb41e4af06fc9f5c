#include "storage/sha256.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <utility>
#include <vector>

#include "aios/error.h"

namespace aios {
namespace {

/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (4.2.2).
constexpr std::array<uint32_t, 64> kRoundConstants{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

constexpr std::size_t kBlock = 64;

uint32_t big_endian(uint32_t value) noexcept { return __builtin_bswap32(value); }

}  // namespace

void Sha256::add_block(const std::byte* block) noexcept {
  std::array<uint32_t, 64> w{};
  for (std::size_t t = 0; t < 16; ++t) {
    std::memcpy(&w[t], block + 4 * t, 4);
    w[t] = big_endian(w[t]);
  }
  for (std::size_t t = 16; t < 64; ++t) {
    const uint32_t s0 = std::rotr(w[t - 15], 7) ^ std::rotr(w[t - 15], 18) ^ (w[t - 15] >> 3U);
    const uint32_t s1 = std::rotr(w[t - 2], 17) ^ std::rotr(w[t - 2], 19) ^ (w[t - 2] >> 10U);
    w[t] = w[t - 16] + s0 + w[t - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = state_;
  for (std::size_t t = 0; t < 64; ++t) {
    const uint32_t sum1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const uint32_t choice = (e & f) ^ (~e & g);
    const uint32_t t1 = h + sum1 + choice + kRoundConstants[t] + w[t];
    const uint32_t sum0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
    h = std::exchange(g, std::exchange(f, std::exchange(e, d + t1)));
    d = std::exchange(c, std::exchange(b, std::exchange(a, t1 + sum0 + majority)));
  }
  const std::array<uint32_t, 8> sums{a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < sums.size(); ++i) state_[i] += sums[i];
}

void Sha256::update(std::span<const std::byte> bytes) noexcept {
  const std::size_t filled = num_bytes_ % kBlock;
  num_bytes_ += bytes.size();
  if (filled > 0) {
    const std::size_t taken = std::min(kBlock - filled, bytes.size());
    std::copy_n(bytes.begin(), taken, pending_.begin() + static_cast<std::ptrdiff_t>(filled));
    bytes = bytes.subspan(taken);
    if (filled + taken < kBlock) return;
    add_block(pending_.data());
  }
  for (; bytes.size() >= kBlock; bytes = bytes.subspan(kBlock)) add_block(bytes.data());
  std::copy(bytes.begin(), bytes.end(), pending_.begin());
}

std::string Sha256::hex_digest() {
  const uint64_t num_bits = num_bytes_ * 8;
  std::array<std::byte, kBlock + 8> padding{std::byte{0x80}};  // then zeros, then the length
  const std::size_t num_zeros = (2 * kBlock - 9 - num_bytes_ % kBlock) % kBlock;
  for (std::size_t i = 0; i < 8; ++i) {
    padding[1 + num_zeros + i] = static_cast<std::byte>(num_bits >> (56 - 8 * i));
  }
  update(std::span(padding).first(9 + num_zeros));

  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string digest;
  for (const uint32_t word : state_) {
    for (int shift = 28; shift >= 0; shift -= 4) digest += kDigits[(word >> shift) & 15U];
  }
  return digest;
}

std::string sha256_of_file(const std::string& path, const std::function<void(int64_t)>& progress) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw IoError("cannot read '" + path + "'");
  Sha256 sha256;
  std::vector<char> piece(std::size_t{1} << 20U);
  while (file) {
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    const auto count = static_cast<std::size_t>(file.gcount());
    sha256.update(std::as_bytes(std::span(piece).first(count)));
    if (progress) progress(static_cast<int64_t>(count));
  }
  if (file.bad()) throw IoError("cannot read '" + path + "'");
  return sha256.hex_digest();
}

}  // namespace aios
