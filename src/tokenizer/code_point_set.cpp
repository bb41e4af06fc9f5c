#include "tokenizer/code_point_set.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

constexpr char32_t kLast = 0x10FFFF;
constexpr char32_t kFirstSurrogate = 0xD800, kLastSurrogate = 0xDFFF;

template <typename Accept>
CodePointSet where(Accept accept) {
  CodePointSet set;
  for (char32_t c = 0; c <= kLast; ++c) {
    if (!accept(c)) continue;
    const char32_t first = c;
    while (c < kLast && accept(c + 1)) ++c;
    set.add(first, c);
  }
  return set;
}

CodePointSet one(char32_t c) {
  CodePointSet set;
  set.add(c, c);
  return set;
}

/// The code point of "x{…}" or "uHHHH"; nothing if it is written otherwise.
std::optional<char32_t> read_hexadecimal(std::string_view& pattern) {
  constexpr std::size_t kDigits = 4;  // after the u
  const bool in_braces = pattern.starts_with("x{");
  const std::size_t begin = in_braces ? 2 : 1;
  const std::size_t end = in_braces ? pattern.find('}') : begin + kDigits;
  if ((!in_braces && pattern[0] != 'u') || end > pattern.size()) return std::nullopt;
  uint32_t value = 0;
  const char* const last = pattern.data() + end;
  const auto [stop, error] = std::from_chars(pattern.data() + begin, last, value, 16);
  if (error != std::errc() || stop != last || value > kLast) return std::nullopt;
  pattern.remove_prefix(end + (in_braces ? 1 : 0));
  return value;
}

std::optional<CodePointSet> read_property(std::string_view& pattern) {
  const std::size_t end = pattern.find('}');
  if (pattern.size() < 3 || pattern[1] != '{' || end == std::string_view::npos) return std::nullopt;
  bool negated = pattern[0] == 'P';
  std::string_view name = pattern.substr(2, end - 2);
  if (name.starts_with('^')) {
    negated = !negated;
    name.remove_prefix(1);
  }
  std::optional<CodePointSet> set = CodePointSet::property(name);
  if (!set) return std::nullopt;
  pattern.remove_prefix(end + 1);
  return negated ? set->complement() : std::move(set);
}

bool is_ascii_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::optional<CodePointSet> read_letter_escape(std::string_view& pattern) {
  constexpr std::string_view kControls = "abefnrtv";
  constexpr std::string_view kControlValues = "\a\b\x1B\f\n\r\t\v";
  const char kind = pattern[0];
  if (const std::size_t at = kControls.find(kind); at != std::string_view::npos) {
    pattern.remove_prefix(1);
    return one(static_cast<char32_t>(kControlValues[at]));
  }
  std::optional<CodePointSet> set;
  if (kind == 's' || kind == 'S') set = CodePointSet::spaces();
  if (kind == 'w' || kind == 'W') set = CodePointSet::word_characters();
  if (kind == 'd' || kind == 'D') set = CodePointSet::property("Nd");
  if (!set) return std::nullopt;
  pattern.remove_prefix(1);
  return kind < 'a' ? set->complement() : std::move(set);
}

/// One member of a class: a character or a set.
struct Member {
  CodePointSet set;
  std::optional<char32_t> character;
};

std::optional<Member> read_member(std::string_view& pattern) {
  if (pattern.starts_with("[:")) return std::nullopt;  // POSIX names
  if (pattern.starts_with('[')) {
    auto set = read_class(pattern);
    return set ? std::optional(Member{std::move(*set), {}}) : std::nullopt;
  }
  if (pattern.starts_with("\\w") || pattern.starts_with("\\W")) {
    const CodePointSet set = CodePointSet::word_characters_of_classes();
    const bool negated = pattern[1] == 'W';
    pattern.remove_prefix(2);
    return Member{negated ? set.complement() : set, {}};
  }
  if (pattern.starts_with('\\')) {
    auto set = read_escape(pattern);
    if (!set) return std::nullopt;
    const auto character = set->single();
    return Member{std::move(*set), character};
  }
  const Character character = decode_utf8(pattern.data());
  pattern.remove_prefix(character.size);
  return Member{one(character.code_point), character.code_point};
}

}  // namespace

void CodePointSet::add(const CodePointSet& other) {
  ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end());
}

std::optional<char32_t> CodePointSet::single() const {
  if (ranges_.size() != 1 || ranges_[0].first != ranges_[0].last) return std::nullopt;
  return ranges_[0].first;
}

std::vector<CodePointRange> CodePointSet::sorted() const {
  std::vector<CodePointRange> ranges = ranges_;
  std::sort(ranges.begin(), ranges.end(),
            [](const auto& left, const auto& right) { return left.first < right.first; });
  std::vector<CodePointRange> result;
  for (const CodePointRange& range : ranges) {
    if (!result.empty() && range.first <= result.back().last + 1) {
      result.back().last = std::max(result.back().last, range.last);
    } else {
      result.push_back(range);
    }
  }
  return result;
}

CodePointSet CodePointSet::complement() const {
  CodePointSet result;
  char32_t next = 0;
  for (const CodePointRange& range : sorted()) {
    if (next < range.first) result.add(next, range.first - 1);
    next = range.last + 1;
  }
  if (next <= kLast) result.add(next, kLast);
  return result;
}

CodePointSet CodePointSet::intersection(const CodePointSet& other) const {
  CodePointSet either = complement();
  either.add(other.complement());
  return either.complement();
}

std::string CodePointSet::to_class() const {
  std::string text;
  const auto put = [&](char32_t first, char32_t last) {
    if (first > last) return;
    std::array<char, 40> range{};
    std::snprintf(range.data(), range.size(), "\\x{%X}-\\x{%X}", static_cast<unsigned>(first),
                  static_cast<unsigned>(last));
    text += range.data();
  };
  for (const auto& [first, last] : sorted()) {  // PCRE2 takes no surrogates
    if (last < kFirstSurrogate || first > kLastSurrogate) {
      put(first, last);
    } else {
      if (first < kFirstSurrogate) put(first, kFirstSurrogate - 1);
      put(kLastSurrogate + 1, last);
    }
  }
  return text;
}

std::optional<CodePointSet> CodePointSet::property(std::string_view name) {
  if (const auto ranges = script_ranges(name); !ranges.empty()) {
    CodePointSet set;
    for (const CodePointRange& range : ranges) set.add(range.first, range.last);
    return set;
  }
  constexpr std::string_view kCategories = "LMNPSZC";
  if (name.empty() || name.size() > 2 || kCategories.find(name[0]) == std::string_view::npos) {
    return std::nullopt;
  }
  CodePointSet set = where([&](char32_t c) { return general_category(c).starts_with(name); });
  if (set.ranges_.empty()) return std::nullopt;
  return set;
}

CodePointSet CodePointSet::spaces() {
  return where([](char32_t c) { return has_flag(c, kWhiteSpaceFlag); });
}

CodePointSet CodePointSet::word_characters() { return where(is_oniguruma_word); }

CodePointSet CodePointSet::word_characters_of_classes() {
  return where(
      [](char32_t c) { return is_oniguruma_word(c) && (c > 0xFF || general_category(c) != "No"); });
}

std::optional<CodePointSet> read_escape(std::string_view& pattern) {
  if (pattern.size() < 2) return std::nullopt;
  pattern.remove_prefix(1);
  const char kind = pattern[0];
  if (kind == 'p' || kind == 'P') return read_property(pattern);
  if (kind == 'x' || kind == 'u') {
    const auto character = read_hexadecimal(pattern);
    return character ? std::optional(one(*character)) : std::nullopt;
  }
  if (is_ascii_letter_or_digit(kind)) return read_letter_escape(pattern);
  const Character character = decode_utf8(pattern.data());
  pattern.remove_prefix(character.size);
  return one(character.code_point);
}

std::optional<CodePointSet> read_class(std::string_view& pattern) {
  pattern.remove_prefix(1);
  const bool negated = pattern.starts_with('^');
  if (negated) pattern.remove_prefix(1);
  if (pattern.starts_with(']')) return std::nullopt;  // a literal, or not: syntaxes differ
  std::optional<CodePointSet> before;                 // operands of "&&" so far
  CodePointSet set;
  while (!pattern.empty() && pattern[0] != ']') {
    if (pattern.starts_with("&&")) {
      pattern.remove_prefix(2);
      before = before ? before->intersection(set) : set;
      set = CodePointSet();
      continue;
    }
    const std::optional<Member> member = read_member(pattern);
    if (!member) return std::nullopt;
    const bool is_range =
        member->character && pattern.size() > 1 && pattern[0] == '-' && pattern[1] != ']';
    if (!is_range) {
      set.add(member->set);
      continue;
    }
    pattern.remove_prefix(1);
    const std::optional<Member> last = read_member(pattern);
    if (!last || !last->character || *last->character < *member->character) return std::nullopt;
    set.add(*member->character, *last->character);
  }
  if (pattern.empty()) return std::nullopt;
  pattern.remove_prefix(1);
  if (before) set = before->intersection(set);
  return negated ? set.complement() : set;
}

}  // namespace aios::tokenizer
