#include "tokenizer/graphemes.h"

#include "tokenizer/unicode_tables.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

constexpr char32_t kZeroWidthJoiner = 0x200D;

bool is_between(char32_t c, char32_t first, char32_t last) { return c >= first && c <= last; }

enum class Hangul { kNone, kLeading, kVowel, kTrailing, kOpen, kClosed };

Hangul hangul_class(char32_t c) {
  if (is_between(c, 0x1100, 0x115F) || is_between(c, 0xA960, 0xA97C)) return Hangul::kLeading;
  if (is_between(c, 0x1160, 0x11A7) || is_between(c, 0xD7B0, 0xD7C6)) return Hangul::kVowel;
  if (is_between(c, 0x11A8, 0x11FF) || is_between(c, 0xD7CB, 0xD7FB)) return Hangul::kTrailing;
  if (!is_between(c, 0xAC00, 0xD7A3)) return Hangul::kNone;
  return (c - 0xAC00) % 28 == 0 ? Hangul::kOpen : Hangul::kClosed;
}

/// Rules GB6 to GB8.
bool joins_hangul(char32_t before, char32_t after) {
  const Hangul left = hangul_class(before);
  const Hangul right = hangul_class(after);
  if (left == Hangul::kNone || right == Hangul::kNone) return false;
  if (left == Hangul::kLeading) return right != Hangul::kTrailing;
  if (left == Hangul::kOpen || left == Hangul::kVowel) {
    return right == Hangul::kVowel || right == Hangul::kTrailing;
  }
  return right == Hangul::kTrailing;
}

/// What the characters so far have prepared for the next one.
class Cluster {
 public:
  explicit Cluster(char32_t first) { take(first); }

  [[nodiscard]] bool joins(char32_t next) const {
    const uint16_t flags = character_flags(next);
    if (is_control_) return last_ == U'\r' && next == U'\n';
    if ((flags & kControlFlag) != 0 || next == U'\r' || next == U'\n') return false;
    if ((flags & kExtendsFlag) != 0 || joins_hangul(last_, next)) return true;
    const GraphemeClass kind = grapheme_class(next);
    return last_class_ == GraphemeClass::kPrepend ||
           (after_picture_joiner_ && kind == GraphemeClass::kPictograph) ||
           (conjunct_ == Conjunct::kLinked && kind == GraphemeClass::kConsonant);
  }

  void take(char32_t next) {
    const bool extends = has_flag(next, kExtendsFlag);
    const GraphemeClass kind = grapheme_class(next);
    is_control_ = has_flag(next, kControlFlag);
    after_picture_joiner_ = next == kZeroWidthJoiner && picture_;
    picture_ = kind == GraphemeClass::kPictograph || (picture_ && extends);
    if (kind == GraphemeClass::kConsonant) {
      conjunct_ = Conjunct::kBegun;
    } else if (!extends || kind == GraphemeClass::kConjunctBreaker) {
      conjunct_ = Conjunct::kNone;
    } else if (kind == GraphemeClass::kLinker && conjunct_ == Conjunct::kBegun) {
      conjunct_ = Conjunct::kLinked;
    }
    last_ = next;
    last_class_ = kind;
  }

 private:
  enum class Conjunct { kNone, kBegun, kLinked };

  char32_t last_ = 0;
  GraphemeClass last_class_ = GraphemeClass::kOther;
  bool is_control_ = false;
  bool picture_ = false;               // a pictograph and what extends it
  bool after_picture_joiner_ = false;  // … and a joiner
  Conjunct conjunct_ = Conjunct::kNone;
};

}  // namespace

std::size_t grapheme_end(std::string_view text, std::size_t from) noexcept {
  const Character first = decode_utf8(text.data() + from);
  std::size_t at = from + first.size;
  if (at == text.size() || (is_ascii(text[from]) && is_ascii(text[at]) && text[from] != '\r')) {
    return at;
  }
  Cluster cluster(first.code_point);
  while (at < text.size()) {
    const Character next = decode_utf8(text.data() + at);
    if (!cluster.joins(next.code_point)) break;
    cluster.take(next.code_point);
    at += next.size;
  }
  return at;
}

}  // namespace aios::tokenizer
