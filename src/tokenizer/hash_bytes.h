/// Comparing and hashing short byte strings. The hash is good in all bits. Tables in files depend
/// on it: tokenizer_cache.cpp counts its versions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace aios::tokenizer {

[[nodiscard]] inline uint64_t hash_bytes(std::string_view bytes) noexcept {
  const auto mix = [](uint64_t value) {
    value *= 0x9E3779B97F4A7C15U;
    return value ^ value >> 32U;
  };
  const char* const begin = bytes.data();
  const std::size_t size = bytes.size();
  uint64_t hash = size + 0x2545F4914F6CDD1DU;
  uint64_t word = 0;
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8) {
      std::memcpy(&word, begin + at, 8);
      hash = mix(hash ^ word);
    }
    std::memcpy(&word, begin + size - 8, 8);  // may overlap the one before
  } else if (size >= 4) {
    uint32_t last = 0;
    std::memcpy(&last, begin + size - 4, 4);
    std::memcpy(&word, begin, 4);
    word |= uint64_t{last} << 32U;
  } else if (size > 0) {
    const auto at = [&](std::size_t i) { return uint64_t{static_cast<unsigned char>(begin[i])}; };
    word = at(0) | at(size / 2) << 8U | at(size - 1) << 16U;
  }
  return mix(mix(hash ^ word));
}

/// `memcmp(left, right, size) == 0`, without a call for what is short.
[[nodiscard]] inline bool equal_bytes(const char* left, const char* right,
                                      std::size_t size) noexcept {
  const auto same = [&]<typename Word>(std::size_t at, Word) {
    Word a = 0;
    Word b = 0;
    std::memcpy(&a, left + at, sizeof(Word));
    std::memcpy(&b, right + at, sizeof(Word));
    return a == b;
  };
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8) {
      if (!same(at, uint64_t{})) return false;
    }
    return same(size - 8, uint64_t{});
  }
  if (size >= 4) return same(0, uint32_t{}) && same(size - 4, uint32_t{});
  for (std::size_t at = 0; at < size; ++at) {
    if (left[at] != right[at]) return false;
  }
  return true;
}

}  // namespace aios::tokenizer
