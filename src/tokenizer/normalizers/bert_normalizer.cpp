/// BertNormalizer: drops control characters, spaces out CJK, strips accents, lowers case.
///
/// Source: normalizers/bert.rs of Hugging Face's tokenizers. ASCII is a table; runs of other
/// characters take the four steps one after the other. Cutting there is exact: no step looks across
/// an ASCII character that stays, which neither combines nor moves.
#include <array>
#include <cstddef>
#include <vector>

#include "tokenizer/canonical.h"
#include "tokenizer/changes.h"
#include "tokenizer/json_node.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/unicode_tables.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

/// "A CJK character is anything in the CJK Unicode block": the original BERT's list.
bool is_chinese(char32_t c) noexcept {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
         (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

/// Drops the characters that `drop` names.
template <typename Drop>
void filter(AlignedText& text, std::vector<Change>& changes, Drop drop) {
  const std::size_t dropped = filter_changes(text.view().text(), changes, drop);
  text.transform(changes, dropped);
}

class BertNormalizer final : public Normalizer {
 public:
  struct Options {
    bool clean_text, handle_chinese_chars, strip_accents, lowercase;
  };
  explicit BertNormalizer(const Options& options) : options_(options) {
    for (char32_t c = 0; c < ascii_.size(); ++c) {
      const bool dropped = options.clean_text && has_flag(c, kBertRemovedFlag);
      const bool space = options.clean_text && has_flag(c, kWhiteSpaceFlag);
      const char32_t kept = options.lowercase ? to_lower(c).first : c;
      ascii_[c] = dropped ? kDropped : static_cast<int16_t>(space ? U' ' : kept);
    }
  }

  [[nodiscard]] bool keeps(std::string_view text) const override {
    for (const char byte : text) {
      if (!is_ascii(byte) || ascii_[static_cast<std::size_t>(byte)] != byte) return false;
    }
    return true;
  }

  void normalize(const AlignedView& input, AlignedText& output) const override {
    const std::string_view text = input.text();
    output.reserve(output.size() + text.size());
    AlignedText run;
    std::vector<Change> changes;
    for (uint32_t at = 0; at < text.size();) {
      if (is_ascii(text[at])) {
        const int16_t byte = ascii_[static_cast<std::size_t>(text[at])];
        if (byte != kDropped) output.append_ascii(static_cast<char>(byte), input.origin(at));
        ++at;
        continue;
      }
      const uint32_t begin = at;
      while (at < text.size() && !separates(text[at])) ++at;
      run.clear();
      run.append(input.part({begin, at}));
      normalize_run(run, changes);
      output.append(run.view());
    }
  }

 private:
  static constexpr int16_t kDropped = -1;

  /// Whether a character ends a run: marks combine across one that is dropped.
  [[nodiscard]] bool separates(char byte) const {
    return is_ascii(byte) && ascii_[static_cast<std::size_t>(byte)] != kDropped;
  }

  void normalize_run(AlignedText& text, std::vector<Change>& changes) const {
    if (options_.clean_text) clean(text, changes);
    if (options_.handle_chinese_chars) space_out_chinese(text, changes);
    if (options_.strip_accents) {
      decompose_canonically(text.view().text(), changes);
      text.transform(changes, 0);
      filter(text, changes, [](char32_t c) { return has_flag(c, kNonspacingMarkFlag); });
    }
    if (options_.lowercase) lower(text, changes);
  }

  static void clean(AlignedText& text, std::vector<Change>& changes) {
    filter(text, changes, [](char32_t c) { return has_flag(c, kBertRemovedFlag); });
    changes.clear();
    for_each_character(text.view().text(), [&](char32_t c) {
      changes.push_back({has_flag(c, kWhiteSpaceFlag) ? U' ' : c, 0});
    });
    text.transform(changes, 0);
  }

  static void space_out_chinese(AlignedText& text, std::vector<Change>& changes) {
    changes.clear();
    for_each_character(text.view().text(), [&](char32_t c) {
      if (is_chinese(c)) {
        changes.insert(changes.end(), {{U' ', 0}, {c, 1}, {U' ', 1}});
      } else {
        changes.push_back({c, 0});
      }
    });
    text.transform(changes, 0);
  }

  static void lower(AlignedText& text, std::vector<Change>& changes) {
    changes.clear();
    for_each_character(text.view().text(), [&](char32_t c) {
      const LowerCase lowered = to_lower(c);
      changes.push_back({lowered.first, 0});
      if (lowered.second != 0) changes.push_back({lowered.second, 1});
    });
    text.transform(changes, 0);
  }

  Options options_;
  std::array<int16_t, 128> ascii_{};  // what becomes of each character of ASCII
};

}  // namespace

std::unique_ptr<Normalizer> make_bert_normalizer(const JsonNode& json, int) {
  const bool lowercase = json.bool_or("lowercase", true);
  return std::make_unique<BertNormalizer>(BertNormalizer::Options{
      json.bool_or("clean_text", true), json.bool_or("handle_chinese_chars", true),
      json.bool_or("strip_accents", lowercase), lowercase});
}

}  // namespace aios::tokenizer
