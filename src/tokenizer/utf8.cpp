#include "tokenizer/utf8.h"

#include "base/utf8.h"

namespace aios::tokenizer {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

}  // namespace

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
    const Utf8Prefix prefix = read_utf8_prefix(rest);
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
