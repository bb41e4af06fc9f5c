// Any bytes as a SentencePiece model or a tiktoken file, and after two NULs a text for it: a typed
// error, or an encoding whose offsets lie in the text and which can be decoded.
#include <cstdint>
#include <string_view>

#include "aios/error.h"
#include "tokenizer/formats/sentence_piece.h"
#include "tokenizer/formats/tiktoken.h"
#include "tokenizer_checks.h"

namespace {

constexpr std::string_view kSeparator("\0\0", 2);
constexpr std::string_view kText =
    "The caf\u00e9's 12 \u4f60\u597d  words\n\u2581<x> e\u0301\U0001F44D";

void run(const aios::FastTokenizer& tokenizer, std::string_view text) {
  const aios::Encoding encoding = tokenizer.encode(text);
  check_encoding(tokenizer, encoding, text.size());
  check_decoding(tokenizer, encoding, false);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace aios::tokenizer;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.rfind(kSeparator);
  const std::string_view bytes = input.substr(0, end);
  const std::string_view text =
      end == std::string_view::npos ? kText : input.substr(end + kSeparator.size());
  static const FolderConfig config("/nonexistent");
  try {
    const TokenizerDocument result = bytes.starts_with('\n')
                                         ? read_sentence_piece(bytes, "tokenizer.model", config)
                                         : read_tiktoken(bytes, "qwen.tiktoken", config);
    run(aios::FastTokenizer::from_json(result.document.dump()), text);
  } catch (const aios::FormatError&) {     // the file is bad
  } catch (const aios::TokenizerError&) {  // the text is bad, or has no tokens
  }
  return 0;
}
