/// A hash of short byte strings, good in all bits. Tables in files depend on it:
/// tokenizer_cache.cpp counts its versions.
#pragma once

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

}  // namespace aios::tokenizer
