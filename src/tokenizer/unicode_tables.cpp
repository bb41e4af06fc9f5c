#include "tokenizer/unicode_tables.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <span>
#include <vector>

#include "tokenizer/code_point_table.h"

namespace aios::tokenizer {
namespace {

struct CodePointShift {
  char32_t first, last;
  int32_t distance;
};
struct CodePointClass {
  char32_t first, last;
  uint16_t value;
};
struct CategoryRange {
  char32_t first, last;
  const char* category;
};

#include "tokenizer/stage_data.inc"
#include "tokenizer/unicode_data.inc"

constexpr char32_t kBlock = 256;

// Hangul jamo and syllables (Unicode 15, §3.12); trailing consonant 0 is "none".
constexpr char32_t kLeadingJamo = 0x1100, kVowelJamo = 0x1161, kTrailingJamo = 0x11A7;
constexpr char32_t kLeadingCount = 19, kVowelCount = 21, kTrailingCount = 28;
constexpr char32_t kSyllables = 0xAC00;
constexpr char32_t kSyllableCount = kLeadingCount * kVowelCount * kTrailingCount;

/// The range of a sorted table that holds `code_point`, or nullptr.
template <typename Range>
const Range* find_range(std::span<const Range> ranges, char32_t code_point) {
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), code_point,
                       [](char32_t value, const Range& range) { return value < range.first; });
  if (after == ranges.begin() || code_point > std::prev(after)->last) return nullptr;
  return &*std::prev(after);
}

bool contains(std::span<const CodePointRange> ranges, char32_t code_point) {
  return find_range(ranges, code_point) != nullptr;
}

/// Fills the front of `characters`; returns their number.
int raw_decompose(char32_t code_point, int options,
                  std::array<char32_t, kMaxDecomposition>& characters) noexcept {
  std::array<utf8proc_int32_t, kMaxDecomposition> buffer{};
  int boundary = 0;
  const utf8proc_ssize_t count =
      utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code_point), buffer.data(),
                              buffer.size(), static_cast<utf8proc_option_t>(options), &boundary);
  characters[0] = code_point;
  if (count < 1 || count > utf8proc_ssize_t{kMaxDecomposition}) return 1;
  std::copy_n(buffer.begin(), count, characters.begin());
  return static_cast<int>(count);
}

Decomposition canonical_decompose(char32_t code_point) noexcept {
  std::array<char32_t, kMaxDecomposition> characters{};
  Decomposition result{{code_point}, 1};
  const int count = raw_decompose(code_point, UTF8PROC_DECOMPOSE | UTF8PROC_STABLE, characters);
  if (count > 4) return result;  // no canonical decomposition is longer
  std::copy_n(characters.begin(), count, result.characters);
  result.size = count;
  return result;
}

bool has_word_category(char32_t code_point) noexcept {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(code_point))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
      return true;
    default:
      return false;
  }
}

/// utf8proc 2.8 also composes a syllable with U+11A7, which is no trailing consonant.
char32_t compose_hangul(char32_t first, char32_t second) noexcept {
  if (first - kLeadingJamo < kLeadingCount && second - kVowelJamo < kVowelCount) {
    const char32_t index = (first - kLeadingJamo) * kVowelCount + (second - kVowelJamo);
    return kSyllables + index * kTrailingCount;
  }
  const char32_t trailing = second - kTrailingJamo;
  const char32_t syllable = first - kSyllables;
  const bool open = syllable < kSyllableCount && syllable % kTrailingCount == 0;
  return open && trailing > 0 && trailing < kTrailingCount ? first + trailing : 0;
}

/// Planes 4 to 13 are empty, 15 and 16 for private use: 80 % of the code points, of no category
/// that a table asks for.
template <typename Visit>
void for_each_assigned(Visit visit) {
  for (char32_t c = 0; c < 0x40000; ++c) visit(c);
  for (char32_t c = 0xE0000; c < 0xE1000; ++c) visit(c);
}

/// utf8proc offers no composition of two characters, but normalizes a buffer of two.
char32_t raw_compose(char32_t first, char32_t second) noexcept {
  std::array<utf8proc_int32_t, 2> pair{static_cast<utf8proc_int32_t>(first),
                                       static_cast<utf8proc_int32_t>(second)};
  const utf8proc_ssize_t size = utf8proc_normalize_utf32(
      pair.data(), 2, static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
  return size == 1 ? static_cast<char32_t>(pair[0]) : 0;
}

/// Flags of every character, in blocks of 256 of which equal ones are kept once.
class FlagTable {
 public:
  FlagTable() {
    std::vector<uint16_t> flags(kCodePoints);
    const auto set = [&](std::span<const CodePointRange> ranges, CharacterFlag flag) {
      for (const CodePointRange& range : ranges) {
        for (char32_t c = range.first; c <= range.last; ++c) flags[c] |= flag;
      }
    };
    set(kWhiteSpace, kWhiteSpaceFlag);
    set(kBertRemoved, kBertRemovedFlag);
    set(kBertPunctuation, kBertPunctuationFlag);
    set(kNonspacingMarks, kNonspacingMarkFlag);
    set(kDecomposes, kDecomposesFlag);
    set(kCombining, kCombiningFlag);
    set(kCombining, kNfcUncertainFlag);
    set(kCompatibilityDecomposes, kCompatibilityFlag);
    set(kCombiningMarks, kCombiningMarkFlag);
    set(kNumeric, kNumericFlag);
    set(kGraphemeExtends, kExtendsFlag);
    set(kGraphemeControls, kControlFlag);
    set(kMoreWordCharacters, kWordFlag);
    for_each_assigned([&](char32_t c) {
      if (has_word_category(c)) flags[c] |= kWordFlag;
    });
    set_nfc_uncertain(flags);
    for (char32_t first = 0; first < kCodePoints; first += kBlock) add_block(&flags[first], first);
  }

  [[nodiscard]] uint16_t operator[](char32_t code_point) const noexcept {
    return code_point < kCodePoints ? blocks_[index_[code_point / kBlock]][code_point % kBlock] : 0;
  }

 private:
  using Block = std::array<uint16_t, kBlock>;

  static void set_nfc_uncertain(std::vector<uint16_t>& flags) {
    for (char32_t i = 0; i < kVowelCount; ++i) flags[kVowelJamo + i] |= kNfcUncertainFlag;
    for (char32_t i = 1; i < kTrailingCount; ++i) flags[kTrailingJamo + i] |= kNfcUncertainFlag;
    for (const CodePointRange& range : kDecomposes) {
      if (range.first == kSyllables) continue;  // they are stable
      for (char32_t c = range.first; c <= range.last; ++c) {
        const Decomposition parts = canonical_decompose(c);
        char32_t composed = parts.characters[0];
        for (int i = 1; i < parts.size && composed != 0; ++i) {
          composed = raw_compose(composed, parts.characters[i]);
        }
        if (composed != c) flags[c] |= kNfcUncertainFlag;
        // The last part may compose with a character before it.
        if (parts.size > 1) flags[parts.characters[parts.size - 1]] |= kNfcUncertainFlag;
      }
    }
  }

  void add_block(const uint16_t* flags, char32_t first) {
    Block block;
    std::copy_n(flags, kBlock, block.begin());
    auto found = std::find(blocks_.begin(), blocks_.end(), block);
    if (found == blocks_.end()) found = blocks_.insert(found, block);
    index_[first / kBlock] = static_cast<uint16_t>(found - blocks_.begin());
  }

  std::array<uint16_t, kCodePoints / kBlock> index_{};
  std::vector<Block> blocks_;
};

uint8_t split_class_of(std::string_view category) noexcept {
  if (category == "Lu" || category == "Lt") return kLetterClass | kUpperClass;
  if (category == "Ll") return kLetterClass | kLowerClass;
  if (category[0] == 'L') return kLetterClass | kUpperClass | kLowerClass;
  if (category[0] == 'M') return kUpperClass | kLowerClass;
  return category[0] == 'N' ? kNumberClass : 0;
}

CodePointTable<uint8_t> make_split_classes() {
  std::vector<uint8_t> classes(kCodePoints);
  for_each_assigned([&](char32_t c) {
    classes[c] = split_class_of(utf8proc_category_string(static_cast<utf8proc_int32_t>(c)));
  });
  for (const CategoryRange& range : kLaterCategories) {
    for (char32_t c = range.first; c <= range.last; ++c)
      classes[c] = split_class_of(range.category);
  }
  for (const CodePointRange& range : kWhiteSpace) {
    for (char32_t c = range.first; c <= range.last; ++c) classes[c] |= kSpaceClass;
  }
  return CodePointTable<uint8_t>(classes);
}

}  // namespace

uint16_t character_flags(char32_t code_point) noexcept {
  static const FlagTable table;
  return table[code_point];
}

uint8_t combining_class(char32_t code_point) noexcept {
  if (!has_flag(code_point, kCombiningFlag)) return 0;
  const auto* property = utf8proc_get_property(static_cast<utf8proc_int32_t>(code_point));
  return static_cast<uint8_t>(property->combining_class);
}

Decomposition decompose(char32_t code_point) noexcept {
  if (!has_flag(code_point, kDecomposesFlag)) return {{code_point}, 1};
  return canonical_decompose(code_point);
}

int decompose_compatibly(char32_t code_point,
                         std::array<char32_t, kMaxDecomposition>& characters) noexcept {
  characters[0] = code_point;
  if (!has_flag(code_point, kCompatibilityFlag)) return 1;
  return raw_decompose(code_point, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_STABLE,
                       characters);
}

char32_t compose(char32_t first, char32_t second) noexcept {
  if (const char32_t syllable = compose_hangul(first, second)) return syllable;
  if (second - kTrailingJamo < kTrailingCount) return 0;
  const char32_t composed = raw_compose(first, second);
  // A composite that Unicode 9 did not have yet is none.
  return composed != 0 && has_flag(composed, kDecomposesFlag) ? composed : 0;
}

LowerCase to_lower(char32_t code_point) noexcept {
  if (code_point == 0x130) return {U'i', 0x307};
  for (const CodePointShift& shift : kLowercaseDifferences) {
    if (code_point >= shift.first && code_point <= shift.last) {
      return {static_cast<char32_t>(static_cast<int32_t>(code_point) + shift.distance), 0};
    }
  }
  return {static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code_point))), 0};
}

uint8_t split_class_beyond_ascii(char32_t code_point) noexcept {
  static const CodePointTable<uint8_t> table = make_split_classes();
  return table[code_point];
}

std::string_view general_category(char32_t code_point) noexcept {
  const auto* later = find_range(std::span<const CategoryRange>(kLaterCategories), code_point);
  if (later != nullptr) return later->category;
  return utf8proc_category_string(static_cast<utf8proc_int32_t>(code_point));
}

bool is_oniguruma_word(char32_t code_point) noexcept {
  if (contains(kOnlyOnigurumaWord, code_point)) return true;
  return has_flag(code_point, kWordFlag) && !contains(kOnlyRustWord, code_point);
}

GraphemeClass grapheme_class(char32_t code_point) noexcept {
  if (contains(kGraphemePrepends, code_point)) return GraphemeClass::kPrepend;
  if (contains(kPictographs, code_point)) return GraphemeClass::kPictograph;
  if (contains(kConjunctConsonants, code_point)) return GraphemeClass::kConsonant;
  if (contains(kConjunctLinkers, code_point)) return GraphemeClass::kLinker;
  if (contains(kConjunctBreakers, code_point)) return GraphemeClass::kConjunctBreaker;
  return GraphemeClass::kOther;
}

uint16_t split_script(char32_t code_point) noexcept {
  const auto* found = find_range(std::span<const CodePointClass>(kSplitScripts), code_point);
  return found == nullptr ? uint16_t{0} : found->value;
}

std::vector<CodePointRange> script_ranges(std::string_view name) {
  std::vector<CodePointRange> ranges;
  for (const CategoryRange& range : kRegexScripts) {
    if (name == range.category) ranges.push_back({range.first, range.last});
  }
  return ranges;
}

std::string later_members(std::string_view name) {
  std::string ranges;
  for (const CategoryRange& range : kLaterCategories) {
    if (!std::string_view(range.category).starts_with(name)) continue;
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "\\x{%X}-\\x{%X}", static_cast<unsigned>(range.first),
                  static_cast<unsigned>(range.last));
    ranges += text.data();
  }
  return ranges;
}

}  // namespace aios::tokenizer
