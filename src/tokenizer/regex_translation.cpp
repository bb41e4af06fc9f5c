/// From Oniguruma's syntax and characters to PCRE2's.
///
/// Only constructs whose meaning is known to be equal pass; everything else is refused by name.
/// Most of the work is in character classes: PCRE2's Unicode is older, so what later versions added
/// is listed beside each property. Checked against the oracle by
/// tests/oracle/test_tokenizer.py.
#include <array>
#include <string>

#include "aios/error.h"
#include "tokenizer/regex.h"
#include "tokenizer/unicode_tables.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

// White_Space. PCRE2's own \s also has U+180E.
constexpr std::string_view kSpaceMembers =
    R"(\x09-\x0D\x20\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";

// Properties to which later versions of Unicode only add. \p{Mn}, \p{C} and \p{Cn} also lose.
constexpr std::array<std::string_view, 27> kProperties = {
    "L",  "Lu", "Ll", "Lt", "Lm", "Lo", "M",  "Mc", "Me", "N",  "Nd", "Nl", "No", "P",
    "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "S",  "Sm", "Sc", "Sk", "So", "Z"};

constexpr std::string_view kControls = "abefnrtv";  // \n and its like: one character each

class Translator {
 public:
  explicit Translator(std::string_view pattern) : pattern_(pattern) {}

  std::string run() {
    while (at_ < pattern_.size()) {
      const char next = pattern_[at_];
      if (next == '\\') {
        escape(false);
      } else if (next == '[') {
        character_class();
      } else if (next == '(') {
        group();
      } else if (next == '{') {
        repetition();
      } else {
        copy(1);
      }
    }
    return std::move(output_);
  }

 private:
  [[noreturn]] void refuse(std::size_t size) const {
    throw FormatError("regular expression '" + std::string(pattern_) + "': '" +
                      std::string(pattern_.substr(at_, size)) + "' at byte " + std::to_string(at_) +
                      " is not supported");
  }

  void copy(std::size_t size) {
    output_ += pattern_.substr(at_, size);
    at_ += size;
  }

  /// Members of a class that stand alone become a class of their own.
  void members(std::string_view text, bool negated, bool inside) {
    if (inside) {
      output_ += text;
    } else {
      output_.append(negated ? "[^" : "[").append(text).append("]");
    }
  }

  void escape(bool inside) {
    if (at_ + 1 >= pattern_.size()) refuse(1);
    const char kind = pattern_[at_ + 1];
    if (kind == 'p' || kind == 'P') return property(inside);
    const bool negated = kind == 'S' || kind == 'D';
    if (negated && inside) refuse(2);
    if (kind == 's' || kind == 'S') {
      members(kSpaceMembers, negated, inside);
      at_ += 2;
    } else if (kind == 'd' || kind == 'D') {
      members("\\p{Nd}" + later_members("Nd"), negated, inside);
      at_ += 2;
    } else if (kind == 'x') {
      hexadecimal();
    } else if (is_ascii_letter_or_digit(kind)) {
      if (kControls.find(kind) == std::string_view::npos || (kind == 'b' && !inside)) refuse(2);
      if (kind == 'b' || kind == 'v') {  // backspace, vertical tab: other meanings in PCRE2
        output_ += kind == 'b' ? "\\x08" : "\\x0B";
        at_ += 2;
      } else {
        copy(2);
      }
    } else {
      copy(1 + utf8_size(kind));
    }
  }

  static bool is_ascii_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  }

  /// \x{…}; \xHH would be a byte of UTF-8 in Oniguruma.
  void hexadecimal() {
    const std::size_t end = pattern_.find('}', at_);
    if (at_ + 2 >= pattern_.size() || pattern_[at_ + 2] != '{' || end == std::string_view::npos) {
      refuse(4);
    }
    copy(end + 1 - at_);
  }

  void property(bool inside) {
    const std::size_t end = pattern_.find('}', at_);
    if (end == std::string_view::npos || pattern_[at_ + 2] != '{') refuse(3);
    const std::string_view whole = pattern_.substr(at_, end + 1 - at_);
    std::string_view name = whole.substr(3, whole.size() - 4);
    bool negated = whole[1] == 'P';
    if (name.starts_with('^')) {
      negated = !negated;
      name.remove_prefix(1);
    }
    bool known = false;
    for (const std::string_view property : kProperties) known = known || property == name;
    if (!known || (negated && inside)) refuse(whole.size());
    members("\\p{" + std::string(name) + "}" + later_members(name), negated, inside);
    at_ = end + 1;
  }

  void character_class() {
    copy(1);
    if (at_ < pattern_.size() && pattern_[at_] == '^') copy(1);
    if (at_ < pattern_.size() && pattern_[at_] == ']') refuse(1);  // a literal only in PCRE2
    while (at_ < pattern_.size() && pattern_[at_] != ']') {
      const char next = pattern_[at_];
      const bool doubled = next == '&' && pattern_.substr(at_).starts_with("&&");
      if (next == '[' || doubled) refuse(2);
      if (next == '\\') {
        escape(true);
      } else {
        copy(1);
      }
    }
    if (at_ >= pattern_.size()) refuse(1);
    copy(1);
  }

  /// Groups and look-around that mean the same in both; `(?m` and `(?x` do not.
  void group() {
    constexpr std::array<std::string_view, 7> kOpenings = {"(?:",  "(?i:", "(?=", "(?!",
                                                           "(?<=", "(?<!", "(?>"};
    const std::string_view rest = pattern_.substr(at_);
    if (!rest.starts_with("(?")) return copy(1);
    for (const std::string_view opening : kOpenings) {
      if (rest.starts_with(opening)) return copy(opening.size());
    }
    refuse(3);
  }

  /// {n,m}; a '+' behind it would be possessive in PCRE2 and another repetition in Ruby syntax, and
  /// Oniguruma alone knows {,m}.
  void repetition() {
    const std::size_t end = pattern_.find('}', at_);
    if (end == std::string_view::npos) refuse(1);
    const std::string_view whole = pattern_.substr(at_, end + 1 - at_);
    const bool starts_with_digit = whole[1] >= '0' && whole[1] <= '9';
    const bool plus_follows = end + 1 < pattern_.size() && pattern_[end + 1] == '+';
    if (!starts_with_digit || plus_follows) refuse(whole.size() + (plus_follows ? 1 : 0));
    copy(whole.size());
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
  std::string output_;
};

}  // namespace

std::string translate_oniguruma(std::string_view pattern) { return Translator(pattern).run(); }

}  // namespace aios::tokenizer
