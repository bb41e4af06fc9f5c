#include "tokenizer/utf8.h"

#include <cstring>

namespace aios::tokenizer {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct Prefix {
  std::size_t size;     // bytes of the longest valid beginning of a character
  std::size_t missing;  // bytes that it lacks; 0: a whole character
};

/// What of a character `bytes` (not empty) begins with; size 0: its first byte begins none.
/// The ranges are table 3-7 of the Unicode standard.
Prefix read_prefix(std::string_view bytes) noexcept {
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

/// Bytes of ASCII at the start, eight at a time.
std::size_t ascii_run(std::string_view text) noexcept {
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    if ((word & 0x8080808080808080U) != 0) break;
  }
  while (at < text.size() && is_ascii(text[at])) ++at;
  return at;
}

}  // namespace

std::size_t find_invalid_utf8(std::string_view text) noexcept {
  std::size_t at = ascii_run(text);
  while (at < text.size()) {
    const Prefix prefix = read_prefix(text.substr(at));
    if (prefix.size == 0 || prefix.missing != 0) return at;
    at += prefix.size;
    if (prefix.size == 1) at += ascii_run(text.substr(at));
  }
  return at;
}

void append_utf8(char32_t code_point, std::string& text) {
  const auto put = [&](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) return put(code_point);
  if (code_point < 0x800) {
    put(0xC0U | code_point >> 6U);
  } else {
    if (code_point < 0x10000) {
      put(0xE0U | code_point >> 12U);
    } else {
      put(0xF0U | code_point >> 18U);
      put(0x80U | (code_point >> 12U & 0x3FU));
    }
    put(0x80U | (code_point >> 6U & 0x3FU));
  }
  put(0x80U | (code_point & 0x3FU));
}

void Utf8Repair::push(std::string_view bytes, std::string& text) {
  if (pending_.empty() && find_invalid_utf8(bytes) == bytes.size()) {
    text += bytes;
    return;
  }
  pending_ += bytes;
  std::size_t at = 0;
  while (at < pending_.size()) {
    const std::string_view rest = std::string_view(pending_).substr(at);
    const Prefix prefix = read_prefix(rest);
    if (prefix.missing != 0 && prefix.size == rest.size()) break;  // the next bytes may complete it
    const bool whole = prefix.size != 0 && prefix.missing == 0;
    text += whole ? rest.substr(0, prefix.size) : kReplacement;
    at += prefix.size == 0 ? 1 : prefix.size;
  }
  pending_.erase(0, at);
}

void Utf8Repair::finish(std::string& text) {
  if (!pending_.empty()) text += kReplacement;
  pending_.clear();
}

}  // namespace aios::tokenizer
