/// From Oniguruma's syntax and characters to PCRE2's.
///
/// Only constructs whose meaning is known to be equal pass; everything else is refused by name.
/// Most of the work is in character classes: PCRE2's Unicode is older, so what later versions added
/// is listed beside each property. Checked against the oracle by
/// tests/oracle/test_tokenizer.py.
#include <algorithm>
#include <array>
#include <string>

#include "aios/error.h"
#include "tokenizer/code_point_set.h"
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
    if (kind == 's' || kind == 'S') {
      members(kSpaceMembers, negated, inside);
      at_ += 2;
    } else if (kind == 'd' || kind == 'D') {
      members("\\p{Nd}" + later_members("Nd"), negated, inside);
      at_ += 2;
    } else if (kind == 'w' || kind == 'W') {
      explicit_set();
    } else if (kind == 'x') {
      hexadecimal();
    } else if (kind == 'u') {
      code_point();
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

  /// A class or an escape whose members are written out one by one.
  void explicit_set() {
    std::string_view rest = pattern_.substr(at_);
    const auto set = pattern_[at_] == '[' ? read_class(rest) : read_escape(rest);
    if (!set) refuse(pattern_[at_] == '[' ? 1 : 2);
    const std::string inside = set->to_class();
    output_ += inside.empty() ? "(?!)" : "[" + inside + "]";
    at_ = pattern_.size() - rest.size();
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

  /// \uHHHH
  void code_point() {
    std::string_view rest = pattern_.substr(at_);
    const auto set = read_escape(rest);
    if (!set) refuse(2);
    output_ += "\\x{" + std::string(pattern_.substr(at_ + 2, 4)) + "}";
    at_ = pattern_.size() - rest.size();
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
    if (!known) {
      if (!CodePointSet::property(name)) refuse(whole.size());
      return explicit_set();
    }
    members("\\p{" + std::string(name) + "}" + later_members(name), negated, inside);
    at_ = end + 1;
  }

  /// Whether the class at hand has what PCRE2 has not: classes inside, "&&", complements, or
  /// properties that its older Unicode may see otherwise.
  [[nodiscard]] bool needs_explicit_set() const {
    for (std::size_t at = at_ + 1; at < pattern_.size() && pattern_[at] != ']'; ++at) {
      const std::string_view rest = pattern_.substr(at);
      if (rest[0] == '[' || rest.starts_with("&&")) return true;
      if (rest[0] != '\\' || rest.size() < 2) continue;
      if (std::string_view("PSDWw").find(rest[1]) != std::string_view::npos) return true;
      if (rest.starts_with("\\p{") && !is_plain_property(rest)) return true;
      ++at;
    }
    return false;
  }

  static bool is_plain_property(std::string_view text) {
    const std::string_view name = text.substr(3, text.find('}') - 3);
    return std::find(kProperties.begin(), kProperties.end(), name) != kProperties.end();
  }

  void character_class() {
    if (needs_explicit_set()) return explicit_set();
    copy(1);
    if (at_ < pattern_.size() && pattern_[at_] == '^') copy(1);
    if (at_ < pattern_.size() && pattern_[at_] == ']') refuse(1);  // a literal only in PCRE2
    while (at_ < pattern_.size() && pattern_[at_] != ']') {
      if (pattern_[at_] == '\\') {
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
