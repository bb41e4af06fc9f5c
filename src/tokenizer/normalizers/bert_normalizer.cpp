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
    Run run;
    for (const auto [first, last] : kSimpleRanges) {
      for (char32_t c = first; c <= last; ++c) simple_[c] = simplify(c, run);
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
    Run run;
    for (uint32_t at = 0; at < text.size();) {
      if (is_ascii(text[at])) {
        const int16_t byte = ascii_[static_cast<std::size_t>(text[at])];
        if (byte != kDropped) output.append_ascii(static_cast<char>(byte), input.origin(at));
        ++at;
        continue;
      }
      const uint32_t begin = at;
      while (at < text.size() && !separates(text[at])) ++at;
      const AlignedView part = input.part({begin, at});
      if (is_simple(part.text())) {
        append_simple(part, output);
        continue;
      }
      run.text.clear();
      run.text.append(part);
      normalize_run(run);
      output.append(run.text.view());
    }
  }

 private:
  static constexpr int16_t kDropped = -1;
  /// Latin, Greek and Cyrillic; general punctuation; CJK punctuation and kana.
  static constexpr std::array<CodePointRange, 3> kSimpleRanges = {
      {{0x80, 0x52F}, {0x2000, 0x206F}, {0x3000, 0x30FF}}};

  /// What a run of characters is rewritten in.
  struct Run {
    AlignedText text, spare;
    std::vector<Change> changes;
    void transform(std::size_t dropped = 0) { text.transform(changes, dropped, spare); }
  };

  /// Whether a character ends a run: marks combine across one that is dropped.
  [[nodiscard]] bool separates(char byte) const {
    return is_ascii(byte) && ascii_[static_cast<std::size_t>(byte)] != kDropped;
  }

  /// The one character that becomes of `c`, whatever stands beside it; 0: there is none such.
  static constexpr char32_t kNotSimple = 0;
  [[nodiscard]] char32_t simplify(char32_t c, Run& run) const {
    if (has_flag(c, kCombiningFlag) || has_flag(c, kNonspacingMarkFlag)) return kNotSimple;
    run.text.clear();
    run.text.append(c, Origin{0});
    normalize_run(run);
    const std::string_view text = run.text.view().text();
    if (text.empty() || utf8_size(text[0]) != text.size()) return kNotSimple;
    const char32_t result = decode_utf8(text.data()).code_point;
    return has_flag(result, kCombiningFlag) ? kNotSimple : result;
  }

  /// Ideographs that no step changes, though one may set spaces around them.
  static bool is_plain_ideograph(char32_t c) noexcept {
    return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF);
  }

  [[nodiscard]] bool is_simple(std::string_view text) const {
    for (std::size_t at = 0; at < text.size();) {
      const auto [c, size] = decode_utf8(text.data() + at);
      const bool known = c < simple_.size() && simple_[c] != kNotSimple;
      if (!known && !is_plain_ideograph(c)) return false;
      at += size;
    }
    return true;
  }

  void append_simple(const AlignedView& input, AlignedText& output) const {
    const std::string_view text = input.text();
    for (std::size_t at = 0; at < text.size();) {
      const auto [c, size] = decode_utf8(text.data() + at);
      const Origin origin = input.origin(at);
      const bool spaced = options_.handle_chinese_chars && is_chinese(c);
      if (spaced) output.append_ascii(' ', origin);
      output.append(c < simple_.size() ? simple_[c] : c, origin);
      if (spaced) output.append_ascii(' ', origin);
      at += size;
    }
  }

  void normalize_run(Run& run) const {
    if (options_.clean_text) clean(run);
    if (options_.handle_chinese_chars) space_out_chinese(run);
    if (options_.strip_accents) {
      decompose_canonically(run.text.view().text(), run.changes);
      run.transform();
      filter(run, [](char32_t c) { return has_flag(c, kNonspacingMarkFlag); });
    }
    if (options_.lowercase) lower(run);
  }

  /// Drops the characters that `drop` names.
  template <typename Drop>
  static void filter(Run& run, Drop drop) {
    run.transform(filter_changes(run.text.view().text(), run.changes, drop));
  }

  static void clean(Run& run) {
    filter(run, [](char32_t c) { return has_flag(c, kBertRemovedFlag); });
    run.changes.clear();
    for_each_character(run.text.view().text(), [&](char32_t c) {
      run.changes.push_back({has_flag(c, kWhiteSpaceFlag) ? U' ' : c, 0});
    });
    run.transform();
  }

  static void space_out_chinese(Run& run) {
    run.changes.clear();
    for_each_character(run.text.view().text(), [&](char32_t c) {
      if (is_chinese(c)) {
        run.changes.insert(run.changes.end(), {{U' ', 0}, {c, 1}, {U' ', 1}});
      } else {
        run.changes.push_back({c, 0});
      }
    });
    run.transform();
  }

  static void lower(Run& run) {
    run.changes.clear();
    for_each_character(run.text.view().text(), [&](char32_t c) {
      const LowerCase lowered = to_lower(c);
      run.changes.push_back({lowered.first, 0});
      if (lowered.second != 0) run.changes.push_back({lowered.second, 1});
    });
    run.transform();
  }

  Options options_;
  std::array<int16_t, 128> ascii_{};  // what becomes of each character of ASCII
  std::array<char32_t, 0x3100> simple_{};
};

}  // namespace

std::unique_ptr<Normalizer> make_bert_normalizer(const JsonNode& json, int) {
  const bool lowercase = json.bool_or("lowercase", true);
  return std::make_unique<BertNormalizer>(BertNormalizer::Options{
      json.bool_or("clean_text", true), json.bool_or("handle_chinese_chars", true),
      json.bool_or("strip_accents", lowercase), lowercase});
}

}  // namespace aios::tokenizer
