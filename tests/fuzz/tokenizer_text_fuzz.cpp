// Any bytes as a text for one of the families of tokenizers, which the first byte picks: refused as
// not UTF-8 exactly where it is not, else an encoding whose offsets point at whole characters,
// whose start is what a call with a limit gives, and which byte-level tokenizers decode to the
// text. A scanner cuts as the expression that it stands for.
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aios/error.h"
#include "base/text_file.h"
#include "base/utf8.h"
#include "tokenizer/split_scanner.h"
#include "tokenizer/utf8.h"
#include "tokenizer_checks.h"

namespace {

struct Family {
  aios::FastTokenizer tokenizer;
  bool keeps_text;  ///< decoding gives back every text
  /// The same, with words cut by the expression itself; or as many as 0.
  std::vector<aios::FastTokenizer> by_expression;
};

std::string path_of(std::string_view file) {
  return std::string(AIOS_SOURCE_DIR "/tests/tokenizer/").append(file);
}

/// A tokenizer.json with one regular expression in its pre-tokenizer put in the place of another.
nlohmann::json with_expression(nlohmann::json document, const std::string& expression) {
  document["pre_tokenizer"] = {{"type", "Sequence"},
                               {"pretokenizers",
                                {{{"type", "Split"},
                                  {"pattern", {{"Regex", expression}}},
                                  {"behavior", "Isolated"},
                                  {"invert", false}},
                                 {{"type", "ByteLevel"},
                                  {"add_prefix_space", false},
                                  {"trim_offsets", true},
                                  {"use_regex", false}}}}};
  return document;
}

void add_scanned(std::vector<Family>& families) {
  const auto document = nlohmann::json::parse(
      aios::read_text_file(path_of("fixtures/llama3.json"), std::size_t{1} << 20U));
  for (const auto& pattern : aios::tokenizer::scanned_patterns()) {
    const std::string expression(pattern.expression);
    const auto load = [&](const std::string& written) {
      return aios::FastTokenizer::from_json(with_expression(document, written).dump());
    };
    Family family{load(expression), true, {}};
    family.by_expression.push_back(load("(?:" + expression + ")"));
    families.push_back(std::move(family));
  }
}

std::vector<Family> load_families() {
  std::vector<Family> families;
  for (const auto& [file, keeps_text] : std::initializer_list<std::pair<std::string_view, bool>>{
           {"fixtures/bert.json", false},
           {"fixtures/gpt2.json", true},
           {"fixtures/qwen2.json", false},  // brings text into form C
           {"models/cl100k_base.tiktoken", true},
           {"models/bpe-bytes.model", false},
           {"models/bpe-symbols.model", false},
           {"models/unigram-identity.model", false}}) {
    families.push_back({aios::FastTokenizer::from_file(path_of(file)), keeps_text, {}});
  }
  add_scanned(families);
  return families;
}

bool is_boundary(std::string_view text, int64_t at) {
  const auto place = static_cast<std::size_t>(at);
  return place == text.size() || !aios::tokenizer::is_continuation(text[place]);
}

void check_start(const aios::FastTokenizer& tokenizer, std::string_view text,
                 const std::vector<int32_t>& ids) {
  aios::TokenizeOptions options;
  options.add_special_tokens = false;
  options.max_length = 8;
  const std::vector<int32_t> start = tokenizer.encode(text, options).ids;
  require(start.size() == std::min(ids.size(), std::size_t{8}));
  require(std::equal(start.begin(), start.end(), ids.begin()));
}

void run(const Family& family, std::string_view text) {
  aios::TokenizeOptions options;
  options.add_special_tokens = false;
  const aios::Encoding encoding = family.tokenizer.encode(text, options);
  check_encoding(family.tokenizer, encoding, text.size());
  for (const auto& [begin, end] : encoding.offsets) {
    require(is_boundary(text, begin) && is_boundary(text, end));
  }
  const std::string decoded = check_decoding(family.tokenizer, encoding, false);
  if (family.keeps_text) require(decoded == text);
  check_start(family.tokenizer, text, encoding.ids);
  for (const aios::FastTokenizer& other : family.by_expression) {
    const aios::Encoding same = other.encode(text, options);
    require(same.ids == encoding.ids && same.offsets == encoding.offsets);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  static const std::vector<Family> families = load_families();
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool is_valid = aios::find_invalid_utf8(text) == text.size();
  try {
    run(families[data[0] % families.size()], text);
    require(is_valid);
  } catch (const aios::TokenizerError&) {
    require(!is_valid);
  }
  return 0;
}
