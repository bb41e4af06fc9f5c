#include "base/utf8.h"

#include <cstdint>
#include <cstring>

namespace aios {
namespace {

/// Bytes of ASCII at the start, eight at a time.
std::size_t ascii_run(std::string_view text) noexcept {
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    if ((word & 0x8080808080808080U) != 0) break;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return at;
}

}  // namespace

Utf8Prefix read_utf8_prefix(std::string_view bytes) noexcept {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned lead = at(0);
  if (lead < 0x80) return {1, 0};
  if (lead < 0xC2 || lead > 0xF4) return {0, 0};
  const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (std::size_t i = 1; i < size; ++i) {
    if (i == bytes.size() || at(i) < low || at(i) > high) return {i, size - i};
    low = 0x80;
    high = 0xBF;
  }
  return {size, 0};
}

std::size_t find_invalid_utf8(std::string_view text) noexcept {
  std::size_t at = ascii_run(text);
  while (at < text.size()) {
    const Utf8Prefix prefix = read_utf8_prefix(text.substr(at));
    if (prefix.size == 0 || prefix.missing != 0) return at;
    at += prefix.size;
    if (prefix.size == 1) at += ascii_run(text.substr(at));
  }
  return at;
}

}  // namespace aios
