/// Expressions of chat templates, from tokens.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/chat/lexer.h"
#include "tokenizer/chat/parser.h"

namespace aios::tokenizer::chat {

/// Tokens, and where the parser stands among them.
class TokenStream {
 public:
  explicit TokenStream(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  [[nodiscard]] const Token& peek() const { return tokens_[at_]; }
  /// The last token, which ends the template, comes again and again.
  const Token& next() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  /// Each steps over the token if it is there.
  bool take_operator(std::string_view text);
  bool take_name(std::string_view text);
  /// @param what for the message @throws FormatError if the next token is of another kind
  const Token& expect(Token::Kind kind, std::string_view what);
  /// @throws FormatError naming the line
  [[noreturn]] void fail(const std::string& why) const { fail_at(peek().line, why); }
  [[noreturn]] static void fail_at(int line, const std::string& why);

 private:
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
};

class ExpressionParser {
 public:
  /// Borrows the tokens.
  explicit ExpressionParser(TokenStream& tokens) : tokens_(tokens) {}

  /// An expression, with the place just behind it. @throws FormatError
  ExpressionPointer parse();
  /// One that does not go on with `if`.
  ExpressionPointer parse_without_condition();
  /// Several with commas between them are a list.
  ExpressionPointer parse_list();

 private:
  using Kind = Expression::Kind;
  using Parse = ExpressionPointer (ExpressionParser::*)();

  ExpressionPointer make(Kind kind, std::string text = {});
  template <typename... Parts>
  ExpressionPointer make(Kind kind, std::string text, Parts... parts);
  /// Left to right, `parse_operand` between the operators.
  ExpressionPointer parse_binary(Parse parse_operand,
                                 std::initializer_list<std::string_view> operators);
  ExpressionPointer parse_condition();
  ExpressionPointer parse_or();
  ExpressionPointer parse_and();
  ExpressionPointer parse_not();
  ExpressionPointer parse_compare();
  ExpressionPointer parse_sum();
  ExpressionPointer parse_concatenation();
  ExpressionPointer parse_product();
  ExpressionPointer parse_unary();
  ExpressionPointer parse_signed(bool with_filters);
  ExpressionPointer parse_primary();
  ExpressionPointer parse_name(const std::string& name);
  ExpressionPointer parse_postfix(ExpressionPointer base);
  ExpressionPointer parse_filters(ExpressionPointer base);
  ExpressionPointer parse_test(ExpressionPointer base);
  ExpressionPointer parse_subscript(ExpressionPointer base);
  ExpressionPointer parse_elements(Kind kind, std::string_view end);
  void parse_arguments(Expression& call);
  void require_operator(std::string_view text);

  TokenStream& tokens_;
  int depth_ = 0;      // of expressions in each other
  int num_nodes_ = 0;  // of the outermost expression
};

}  // namespace aios::tokenizer::chat
