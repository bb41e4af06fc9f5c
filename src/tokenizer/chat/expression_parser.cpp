#include "tokenizer/chat/expression_parser.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>

#include "aios/error.h"

namespace aios::tokenizer::chat {
namespace {

constexpr int kMaxDepth = 32;
/// Bounds the depth of the tree as well: `a + a + …` leans to the left.
constexpr int kMaxNodes = 500;

template <typename Number>
Number parse_number(const Token& token) {
  Number number{};
  const char* end = token.text.data() + token.text.size();
  if (std::from_chars(token.text.data(), end, number).ec != std::errc()) {
    TokenStream::fail_at(token.line, token.text + " is too large");
  }
  return number;
}

}  // namespace

bool TokenStream::take_operator(std::string_view text) {
  if (peek().kind != Token::Kind::kOperator || peek().text != text) return false;
  next();
  return true;
}

bool TokenStream::take_name(std::string_view text) {
  if (peek().kind != Token::Kind::kName || peek().text != text) return false;
  next();
  return true;
}

const Token& TokenStream::expect(Token::Kind kind, std::string_view what) {
  if (peek().kind != kind) {
    fail("expected " + std::string(what) +
         (peek().text.empty() ? "" : ", found '" + peek().text.substr(0, 40) + "'"));
  }
  return next();
}

void TokenStream::fail_at(int line, const std::string& why) {
  throw FormatError("chat template line " + std::to_string(line) + ": " + why);
}

ExpressionPointer ExpressionParser::make(Kind kind, std::string text) {
  if (++num_nodes_ > kMaxNodes) tokens_.fail("an expression is too long");
  auto expression = std::make_unique<Expression>();
  expression->kind = kind;
  expression->line = tokens_.peek().line;
  expression->text = std::move(text);
  return expression;
}

template <typename... Parts>
ExpressionPointer ExpressionParser::make(Kind kind, std::string text, Parts... parts) {
  ExpressionPointer expression = make(kind, std::move(text));
  (expression->parts.push_back(std::move(parts)), ...);
  return expression;
}

ExpressionPointer ExpressionParser::parse() {
  if (depth_ == 0) num_nodes_ = 0;
  if (++depth_ > kMaxDepth) tokens_.fail("expressions are nested too deeply");
  ExpressionPointer expression = parse_condition();
  --depth_;
  return expression;
}

ExpressionPointer ExpressionParser::parse_without_condition() {
  num_nodes_ = 0;
  return parse_or();
}

ExpressionPointer ExpressionParser::parse_list() {
  ExpressionPointer first = parse();
  if (!tokens_.take_operator(",")) return first;
  ExpressionPointer list = make(Kind::kList, {}, std::move(first));
  do {
    list->parts.push_back(parse());
  } while (tokens_.take_operator(","));
  return list;
}

ExpressionPointer ExpressionParser::parse_condition() {
  ExpressionPointer value = parse_or();
  while (tokens_.take_name("if")) {
    ExpressionPointer condition = parse_or();
    ExpressionPointer otherwise = tokens_.take_name("else") ? parse() : nullptr;
    value =
        make(Kind::kConditional, {}, std::move(condition), std::move(value), std::move(otherwise));
  }
  return value;
}

ExpressionPointer ExpressionParser::parse_or() {
  ExpressionPointer left = parse_and();
  while (tokens_.take_name("or")) left = make(Kind::kOr, {}, std::move(left), parse_and());
  return left;
}

ExpressionPointer ExpressionParser::parse_and() {
  ExpressionPointer left = parse_not();
  while (tokens_.take_name("and")) left = make(Kind::kAnd, {}, std::move(left), parse_not());
  return left;
}

ExpressionPointer ExpressionParser::parse_not() {
  int count = 0;
  while (tokens_.take_name("not")) ++count;
  ExpressionPointer expression = parse_compare();
  for (; count > 0; --count) expression = make(Kind::kNot, {}, std::move(expression));
  return expression;
}

ExpressionPointer ExpressionParser::parse_compare() {
  ExpressionPointer left = parse_sum();
  while (true) {
    const Token token = tokens_.peek();
    std::string comparison;
    if (token.kind == Token::Kind::kOperator) {
      for (const char* text : {"==", "!=", "<", "<=", ">", ">="}) {
        if (token.text == text) comparison = text;
      }
      if (comparison.empty()) return left;
      tokens_.next();
    } else if (tokens_.take_name("in")) {
      comparison = "in";
    } else if (tokens_.take_name("not")) {
      if (!tokens_.take_name("in")) tokens_.fail("expected 'in' behind 'not'");
      comparison = "not in";
    } else {
      return left;
    }
    left = make(Kind::kCompare, comparison, std::move(left), parse_sum());
  }
}

ExpressionPointer ExpressionParser::parse_binary(
    Parse parse_operand, std::initializer_list<std::string_view> operators) {
  ExpressionPointer left = (this->*parse_operand)();
  while (true) {
    const Token token = tokens_.peek();
    if (token.kind != Token::Kind::kOperator ||
        std::find(operators.begin(), operators.end(), token.text) == operators.end()) {
      return left;
    }
    tokens_.next();
    left = make(Kind::kBinary, token.text, std::move(left), (this->*parse_operand)());
  }
}

ExpressionPointer ExpressionParser::parse_sum() {
  return parse_binary(&ExpressionParser::parse_concatenation, {"+", "-"});
}

ExpressionPointer ExpressionParser::parse_concatenation() {
  return parse_binary(&ExpressionParser::parse_product, {"~"});
}

ExpressionPointer ExpressionParser::parse_product() {
  return parse_binary(&ExpressionParser::parse_unary, {"*", "/", "//", "%"});
}

ExpressionPointer ExpressionParser::parse_unary() { return parse_signed(true); }

ExpressionPointer ExpressionParser::parse_signed(bool with_filters) {
  ExpressionPointer base;
  if (tokens_.take_operator("-")) {
    if (++depth_ > kMaxDepth) tokens_.fail("expressions are nested too deeply");
    base = make(Kind::kNegative, {}, parse_signed(false));
    --depth_;
  } else {
    base = parse_primary();
  }
  base = parse_postfix(std::move(base));
  return with_filters ? parse_filters(std::move(base)) : std::move(base);
}

ExpressionPointer ExpressionParser::parse_primary() {
  const Token token = tokens_.next();
  ExpressionPointer literal;
  switch (token.kind) {
    case Token::Kind::kName:
      return parse_name(token.text);
    case Token::Kind::kInteger:
      literal = make(Kind::kLiteral);
      literal->value = parse_number<int64_t>(token);
      return literal;
    case Token::Kind::kFloat:
      literal = make(Kind::kLiteral);
      literal->value = parse_number<double>(token);
      return literal;
    case Token::Kind::kString: {
      literal = make(Kind::kLiteral);
      std::string text = token.text;
      while (tokens_.peek().kind == Token::Kind::kString) text += tokens_.next().text;
      literal->value = std::move(text);
      return literal;
    }
    case Token::Kind::kOperator:
      if (token.text == "[") return parse_elements(Kind::kList, "]");
      if (token.text == "{") return parse_elements(Kind::kDictionary, "}");
      if (token.text == "(") {
        if (tokens_.take_operator(")")) return make(Kind::kList);
        ExpressionPointer inner = parse_list();
        require_operator(")");
        return inner;
      }
      [[fallthrough]];
    default:
      tokens_.fail("expected an expression" +
                   (token.text.empty() ? "" : ", found '" + token.text.substr(0, 40) + "'"));
  }
}

ExpressionPointer ExpressionParser::parse_name(const std::string& name) {
  ExpressionPointer expression = make(Kind::kLiteral);
  if (name == "true" || name == "True") {
    expression->value = true;
  } else if (name == "false" || name == "False") {
    expression->value = false;
  } else if (name == "none" || name == "None") {
    expression->value = None{};
  } else {
    expression->kind = Kind::kName;
    expression->text = name;
  }
  return expression;
}

ExpressionPointer ExpressionParser::parse_elements(Kind kind, std::string_view end) {
  ExpressionPointer elements = make(kind);
  while (!tokens_.take_operator(end)) {
    if (!elements->parts.empty()) {
      require_operator(",");
      if (tokens_.take_operator(end)) break;
    }
    elements->parts.push_back(parse());
    if (kind != Kind::kDictionary) continue;
    require_operator(":");
    elements->parts.push_back(parse());
  }
  return elements;
}

ExpressionPointer ExpressionParser::parse_postfix(ExpressionPointer base) {
  while (true) {
    if (tokens_.take_operator(".")) {
      const Token& token = tokens_.next();
      if (token.kind != Token::Kind::kName) tokens_.fail("expected a name behind '.'");
      base = make(Kind::kAttribute, token.text, std::move(base));
    } else if (tokens_.take_operator("[")) {
      base = parse_subscript(std::move(base));
    } else if (tokens_.take_operator("(")) {
      base = make(Kind::kCall, {}, std::move(base));
      parse_arguments(*base);
    } else {
      return base;
    }
  }
}

ExpressionPointer ExpressionParser::parse_subscript(ExpressionPointer base) {
  const auto ends_part = [&] {
    return tokens_.peek().kind == Token::Kind::kOperator &&
           (tokens_.peek().text == ":" || tokens_.peek().text == "]");
  };
  ExpressionPointer first = ends_part() ? nullptr : parse();
  if (first && tokens_.take_operator("]")) {
    return make(Kind::kItem, {}, std::move(base), std::move(first));
  }
  ExpressionPointer slice = make(Kind::kSlice, {}, std::move(base), std::move(first));
  while (slice->parts.size() < 4 && tokens_.take_operator(":")) {
    slice->parts.push_back(ends_part() ? nullptr : parse());
  }
  if (slice->parts.size() < 3) tokens_.fail("expected an index");
  slice->parts.resize(4);
  require_operator("]");
  return slice;
}

void ExpressionParser::parse_arguments(Expression& call) {
  bool is_first = true;
  while (!tokens_.take_operator(")")) {
    if (!is_first) {
      require_operator(",");
      if (tokens_.take_operator(")")) return;
    }
    is_first = false;
    ExpressionPointer value = parse();
    if (value->kind == Kind::kName && tokens_.take_operator("=")) {
      call.named.emplace_back(value->text, parse());
    } else {
      call.parts.push_back(std::move(value));
    }
  }
}

ExpressionPointer ExpressionParser::parse_filters(ExpressionPointer base) {
  while (true) {
    if (tokens_.take_operator("|")) {
      base =
          make(Kind::kFilter, tokens_.expect(Token::Kind::kName, "a filter").text, std::move(base));
      if (tokens_.take_operator("(")) parse_arguments(*base);
    } else if (tokens_.take_name("is")) {
      base = parse_test(std::move(base));
    } else {
      return base;
    }
  }
}

ExpressionPointer ExpressionParser::parse_test(ExpressionPointer base) {
  const bool negated = tokens_.take_name("not");
  ExpressionPointer test =
      make(Kind::kTest, tokens_.expect(Token::Kind::kName, "a test").text, std::move(base));
  const Token& token = tokens_.peek();
  const bool takes_value = token.kind == Token::Kind::kString ||
                           token.kind == Token::Kind::kInteger || token.kind == Token::Kind::kFloat;
  if (tokens_.take_operator("(")) {
    parse_arguments(*test);
  } else if (takes_value) {
    test->parts.push_back(parse_primary());
  }
  return negated ? make(Kind::kNot, {}, std::move(test)) : std::move(test);
}

void ExpressionParser::require_operator(std::string_view text) {
  if (tokens_.take_operator(text)) return;
  tokens_.fail("expected '" + std::string(text) + "'" +
               (tokens_.peek().text.empty() ? "" : ", found '" + tokens_.peek().text + "'"));
}

}  // namespace aios::tokenizer::chat
