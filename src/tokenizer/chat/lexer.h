/// A Jinja template cut into text and the tokens of its tags, white space treated as transformers
/// asks for: `trim_blocks` and `lstrip_blocks` on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace aios::tokenizer::chat {

struct Token {
  enum class Kind {
    kText,         ///< between tags, as it is written out
    kBlockBegin,   ///< {%
    kBlockEnd,     ///< %}
    kOutputBegin,  ///< {{
    kOutputEnd,    ///< }}
    kName,
    kInteger,
    kFloat,
    kString,  ///< escapes resolved
    kOperator,
    kEnd,  ///< of the template
  };
  Kind kind;
  std::string text;
  int line;
};

/// Source of the rules: lexer.py of Jinja2 3.1. @throws FormatError naming the line
[[nodiscard]] std::vector<Token> tokenize(std::string_view source);

}  // namespace aios::tokenizer::chat
