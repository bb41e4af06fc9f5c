#include "tokenizer/chat/parser.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>

#include "aios/error.h"
#include "tokenizer/chat/expression_parser.h"

namespace aios::tokenizer::chat {
namespace {

constexpr int kMaxDepth = 64;  // of blocks in each other

class Parser {
 public:
  explicit Parser(std::string_view source) : tokens_(tokenize(source)), expressions_(tokens_) {}

  Statements run() {
    Statements statements = parse_until({});
    return statements;
  }

 private:
  using Kind = Token::Kind;

  /// Statements up to a block that begins with one of `ends`, which is left at its name; an empty
  /// list: up to the end of the template.
  Statements parse_until(std::initializer_list<std::string_view> ends) {
    if (++depth_ > kMaxDepth) tokens_.fail("blocks are nested too deeply");
    Statements statements;
    const int line = tokens_.peek().line;
    while (true) {
      const Token& token = tokens_.peek();
      if (token.kind == Kind::kEnd) {
        if (ends.size() == 0) break;
        tokens_.fail_at(line,
                        "a block does not end: '" + std::string(*ends.begin()) + "' is missing");
      }
      if (token.kind == Kind::kText) {
        statements.push_back(make(Statement::Kind::kText));
        statements.back().text = tokens_.next().text;
      } else if (token.kind == Kind::kOutputBegin) {
        tokens_.next();
        statements.push_back(make(Statement::Kind::kOutput));
        statements.back().expression = expressions_.parse_list();
        tokens_.expect(Kind::kOutputEnd, "}}");
      } else {
        tokens_.next();  // {%
        const std::string& name = tokens_.peek().text;
        if (std::find(ends.begin(), ends.end(), name) != ends.end()) break;
        statements.push_back(parse_block());
      }
    }
    --depth_;
    return statements;
  }

  Statement make(Statement::Kind kind) {
    Statement statement{};
    statement.kind = kind;
    statement.line = tokens_.peek().line;
    return statement;
  }

  Statement parse_block() {
    const Token name = tokens_.expect(Kind::kName, "the name of a block");
    if (name.text == "if") return parse_if();
    if (name.text == "for") return parse_for();
    if (name.text == "set") return parse_set();
    if (name.text == "generation") return parse_generation();
    if (name.text == "break" || name.text == "continue") {
      if (loops_ == 0) tokens_.fail("'" + name.text + "' stands in no loop");
      end_block();
      return make(name.text == "break" ? Statement::Kind::kBreak : Statement::Kind::kContinue);
    }
    tokens_.fail("block '" + name.text +
                 "' is not supported; supported are if, for, set, break, continue, generation");
  }

  void end_block() { tokens_.expect(Kind::kBlockEnd, "%}"); }

  /// Steps over "name %}".
  void end_block(std::string_view name) {
    const Token token = tokens_.expect(Kind::kName, name);
    if (token.text != name) tokens_.fail("expected '" + std::string(name) + "'");
    end_block();
  }

  Statement parse_if() {
    Statement statement = make(Statement::Kind::kIf);
    ExpressionPointer condition = expressions_.parse();
    end_block();
    while (true) {
      Statements body = parse_until({"endif", "elif", "else"});
      statement.branches.emplace_back(std::move(condition), std::move(body));
      const std::string end = tokens_.next().text;
      if (end == "endif") break;
      if (end == "else") {
        end_block();
        statement.branches.emplace_back(nullptr, parse_until({"endif"}));
        tokens_.next();
        break;
      }
      condition = expressions_.parse();
      end_block();
    }
    end_block();
    return statement;
  }

  Statement parse_for() {
    Statement statement = make(Statement::Kind::kFor);
    statement.names = parse_names();
    if (tokens_.next().text != "in") tokens_.fail("expected 'in'");
    statement.expression = expressions_.parse_without_condition();
    if (tokens_.take_name("if")) statement.condition = expressions_.parse();
    if (tokens_.peek().text == "recursive") tokens_.fail("recursive loops are not supported");
    end_block();
    ++loops_;
    statement.branches.emplace_back(nullptr, parse_until({"endfor", "else"}));
    --loops_;
    if (tokens_.next().text == "else") {
      end_block();
      statement.branches.emplace_back(nullptr, parse_until({"endfor"}));
      tokens_.next();
    }
    end_block();
    return statement;
  }

  std::vector<std::string> parse_names() {
    std::vector<std::string> names;
    const bool bracketed = tokens_.take_operator("(");
    do {
      names.push_back(tokens_.expect(Kind::kName, "a name").text);
    } while (tokens_.take_operator(","));
    if (bracketed && !tokens_.take_operator(")")) tokens_.fail("expected ')'");
    return names;
  }

  Statement parse_set() {
    Statement statement = make(Statement::Kind::kSet);
    statement.names = parse_names();
    if (tokens_.take_operator(".")) {
      statement.text = tokens_.expect(Kind::kName, "a name").text;
    }
    if (tokens_.take_operator("=")) {
      statement.expression = expressions_.parse_list();
      end_block();
      return statement;
    }
    if (statement.names.size() != 1 || !statement.text.empty()) tokens_.fail("expected '='");
    statement.kind = Statement::Kind::kSetBlock;
    end_block();
    statement.branches.emplace_back(nullptr, parse_until({"endset"}));
    end_block("endset");
    return statement;
  }

  /// {% generation %}, which transformers adds to mark what the assistant wrote.
  Statement parse_generation() {
    Statement statement = make(Statement::Kind::kGroup);
    end_block();
    statement.branches.emplace_back(nullptr, parse_until({"endgeneration"}));
    end_block("endgeneration");
    return statement;
  }

  TokenStream tokens_;
  ExpressionParser expressions_;
  int depth_ = 0;
  int loops_ = 0;
};

}  // namespace

Statements parse_template(std::string_view source) { return Parser(source).run(); }

}  // namespace aios::tokenizer::chat
