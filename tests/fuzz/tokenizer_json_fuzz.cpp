// Any bytes as a tokenizer.json, and after a NUL a text for it: a typed error, or an encoding whose
// offsets lie in the text and whose stream of pieces is the decoded text.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "aios/error.h"
#include "tokenizer_checks.h"

namespace {

constexpr std::string_view kText =
    "The caf\u00e9's 12 \u4f60\u597d  words\n[MASK]<x> e\u0301\U0001F44D";

void run(const aios::FastTokenizer& tokenizer, std::string_view text) {
  aios::TokenizeOptions options;
  options.max_length = 8;
  const aios::Encoding encoding = tokenizer.encode(text);
  check_encoding(tokenizer, encoding, text.size());
  check_encoding(tokenizer, tokenizer.encode_pair(text, kText),
                 std::max(text.size(), kText.size()));
  for (const bool skip_special : {false, true}) check_decoding(tokenizer, encoding, skip_special);
  check_encoding(tokenizer, tokenizer.encode(text, options), text.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view json = input.substr(0, input.find('\0'));
  const std::string_view text = json.size() < size ? input.substr(json.size() + 1) : kText;
  try {
    run(aios::FastTokenizer::from_json(json), text);
  } catch (const aios::FormatError&) {     // the file is bad
  } catch (const aios::TokenizerError&) {  // the text is bad, or has no tokens
  } catch (const aios::ConfigError&) {     // no room for the file's special tokens
  }
  return 0;
}
