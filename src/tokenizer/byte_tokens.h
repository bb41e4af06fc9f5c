/// Byte fallback: the tokens <0x00> to <0xFF> that spell what a vocabulary lacks.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "tokenizer/vocabulary.h"

namespace aios::tokenizer {

class ByteTokens {
 public:
  explicit ByteTokens(const Vocabulary& vocabulary) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    for (unsigned byte = 0; byte < ids_.size(); ++byte) {
      const char text[] = {'<', '0', 'x', kDigits[byte >> 4U], kDigits[byte & 15U], '>'};
      ids_[byte] = vocabulary.find({text, sizeof(text)});
    }
  }

  [[nodiscard]] bool has_all(std::string_view bytes) const noexcept {
    for (const char byte : bytes) {
      if ((*this)[byte] == Vocabulary::kNone) return false;
    }
    return true;
  }
  [[nodiscard]] int32_t operator[](char byte) const noexcept {
    return ids_[static_cast<unsigned char>(byte)];
  }

 private:
  std::array<int32_t, 256> ids_{};
};

}  // namespace aios::tokenizer
