/// The syntax of chat templates, as a tree.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/chat/value.h"

namespace aios::tokenizer::chat {

struct Expression;
using ExpressionPointer = std::unique_ptr<Expression>;

struct Expression {
  enum class Kind {
    kLiteral,      ///< `value`
    kName,         ///< `text`
    kAttribute,    ///< parts[0].text
    kItem,         ///< parts[0][parts[1]]
    kSlice,        ///< parts[0][parts[1]:parts[2]:parts[3]]; parts may be nullptr
    kCall,         ///< parts[0](parts[1]…, named)
    kFilter,       ///< parts[0] | text(parts[1]…, named)
    kTest,         ///< parts[0] is text(parts[1]…)
    kNot,          ///< not parts[0]
    kNegative,     ///< -parts[0]
    kBinary,       ///< parts[0] text parts[1]: + - * / // % ~
    kAnd,          ///< parts[0] and parts[1]
    kOr,           ///< parts[0] or parts[1]
    kCompare,      ///< parts[0] text parts[1]: == != < <= > >= in "not in"
    kConditional,  ///< parts[1] if parts[0] else parts[2]; parts[2] may be nullptr
    kList,         ///< [parts…]
    kDictionary,   ///< {parts[0]: parts[1], …}
  };
  Kind kind;
  int line;
  std::string text;
  Value value;
  std::vector<ExpressionPointer> parts;
  std::vector<std::pair<std::string, ExpressionPointer>> named;
};

struct Statement;
using Statements = std::vector<Statement>;

struct Statement {
  enum class Kind {
    kText,      ///< `text`
    kOutput,    ///< {{ expression }}
    kIf,        ///< branches; a nullptr condition is else
    kFor,       ///< for `names` in expression if condition: branches[0], else branches[1]
    kSet,       ///< set `names` = expression, or names[0].text = expression
    kSetBlock,  ///< set names[0] to what branches[0] writes
    kGroup,     ///< branches[0], as it stands
    kBreak,
    kContinue,
  };
  Kind kind;
  int line;
  std::string text;
  std::vector<std::string> names;
  ExpressionPointer expression;
  ExpressionPointer condition;
  std::vector<std::pair<ExpressionPointer, Statements>> branches;
};

/// Source of the grammar: parser.py of Jinja2 3.1. What is not here (macros, imports, inheritance,
/// calls with blocks, powers) is refused by name.
/// @throws FormatError naming the line
[[nodiscard]] Statements parse_template(std::string_view source);

}  // namespace aios::tokenizer::chat
