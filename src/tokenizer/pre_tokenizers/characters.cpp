/// Pre-tokenizers that look at single characters: CharDelimiterSplit, Digits, Punctuation,
/// WhitespaceSplit, and at runs of them: Whitespace, UnicodeScripts, FixedLength.
#include <array>
#include <utility>

#include "tokenizer/json_node.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/split_behavior.h"
#include "tokenizer/unicode_tables.h"

namespace aios::tokenizer {
namespace {

/// Cuts at each character that has a flag.
class FlagSplit final : public PreTokenizer {
 public:
  FlagSplit(CharacterFlag flag, SplitBehavior behavior) : flag_(flag), behavior_(behavior) {
    for (char32_t c = 0; c < ascii_.size(); ++c) ascii_[c] = has_flag(c, flag);
  }

  void split(WorkingText& text, RegexScratch&) const override {
    split_sections(text, behavior_, [this](std::string_view part, auto visit) {
      for_each_character_section(
          part, [this](char32_t c) { return c < ascii_.size() ? ascii_[c] : has_flag(c, flag_); },
          visit);
    });
  }

 private:
  CharacterFlag flag_;
  SplitBehavior behavior_;
  std::array<bool, 128> ascii_{};
};

class CharDelimiterSplit final : public PreTokenizer {
 public:
  explicit CharDelimiterSplit(char32_t delimiter) : delimiter_(delimiter) {}

  void split(WorkingText& text, RegexScratch&) const override {
    split_sections(text, SplitBehavior::kRemoved, [this](std::string_view part, auto visit) {
      for_each_character_section(
          part, [this](char32_t c) { return c == delimiter_; }, visit);
    });
  }

 private:
  char32_t delimiter_;
};

/// `\w+|[^\w\s]+` of Rust's regex crate: words, and runs of what is neither word nor white space.
class Whitespace final : public PreTokenizer {
 public:
  void split(WorkingText& text, RegexScratch&) const override {
    text.split([](std::string_view part, auto emit) {
      enum class Kind { kSpace, kWord, kOther };
      Kind kind = Kind::kSpace;
      uint32_t begin = 0;
      for (uint32_t at = 0; at < part.size();) {
        const Character character = decode_utf8(part.data() + at);
        const uint16_t flags = character_flags(character.code_point);
        const Kind next = (flags & kWordFlag) != 0         ? Kind::kWord
                          : (flags & kWhiteSpaceFlag) != 0 ? Kind::kSpace
                                                           : Kind::kOther;
        if (next != kind) {
          if (kind != Kind::kSpace) emit(Piece{{begin, at}});
          begin = at;
          kind = next;
        }
        at += character.size;
      }
      if (kind != Kind::kSpace) emit(Piece{{begin, static_cast<uint32_t>(part.size())}});
    });
  }
};

/// Cuts where the script changes. As in the source, characters of no script belong to the word
/// before them, and vanish if there is none.
class UnicodeScripts final : public PreTokenizer {
 public:
  void split(WorkingText& text, RegexScratch&) const override {
    text.split([](std::string_view part, auto emit) {
      uint16_t script = 0;
      uint32_t begin = 0;
      for (uint32_t at = 0; at < part.size();) {
        const Character character = decode_utf8(part.data() + at);
        const uint16_t next = split_script(character.code_point);
        if (next != 0 && next != script) {
          if (script != 0) emit(Piece{{begin, at}});
          begin = at;
          script = next;
        }
        at += character.size;
      }
      if (script != 0) emit(Piece{{begin, static_cast<uint32_t>(part.size())}});
    });
  }
};

class FixedLength final : public PreTokenizer {
 public:
  explicit FixedLength(int64_t length) : length_(length) {}

  void split(WorkingText& text, RegexScratch&) const override {
    text.split([this](std::string_view part, auto emit) {
      for (uint32_t begin = 0; begin < part.size();) {
        uint32_t end = begin;
        for (int64_t i = 0; i < length_ && end < part.size(); ++i) end += utf8_size(part[end]);
        emit(Piece{{begin, end}});
        begin = end;
      }
    });
  }

 private:
  int64_t length_;
};

}  // namespace

std::unique_ptr<PreTokenizer> make_char_delimiter_split(const JsonNode& json, PreTokenizerScope) {
  return std::make_unique<CharDelimiterSplit>(json.at("delimiter").as_character());
}

std::unique_ptr<PreTokenizer> make_digits(const JsonNode& json, PreTokenizerScope) {
  const bool individual = json.at("individual_digits").as_bool();
  return std::make_unique<FlagSplit>(
      kNumericFlag, individual ? SplitBehavior::kIsolated : SplitBehavior::kContiguous);
}

std::unique_ptr<PreTokenizer> make_punctuation(const JsonNode& json, PreTokenizerScope) {
  const auto behavior = json.find("behavior");
  return std::make_unique<FlagSplit>(
      kBertPunctuationFlag, behavior ? read_split_behavior(*behavior) : SplitBehavior::kIsolated);
}

std::unique_ptr<PreTokenizer> make_whitespace_split(const JsonNode&, PreTokenizerScope) {
  return std::make_unique<FlagSplit>(kWhiteSpaceFlag, SplitBehavior::kRemoved);
}

std::unique_ptr<PreTokenizer> make_whitespace(const JsonNode&, PreTokenizerScope) {
  return std::make_unique<Whitespace>();
}

std::unique_ptr<PreTokenizer> make_unicode_scripts(const JsonNode&, PreTokenizerScope) {
  return std::make_unique<UnicodeScripts>();
}

std::unique_ptr<PreTokenizer> make_fixed_length(const JsonNode& json, PreTokenizerScope) {
  constexpr int64_t kDefault = 5;
  const auto length = json.find("length");
  return std::make_unique<FixedLength>(length ? length->as_integer(1, INT32_MAX) : kDefault);
}

}  // namespace aios::tokenizer
