#include "tokenizer/chat/renderer.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "aios/error.h"
#include "tokenizer/chat/builtins.h"

namespace aios::tokenizer::chat {
namespace {

/// Statements and expressions run; a conversation of a thousand messages needs some 100,000.
constexpr int64_t kMaxSteps = 5'000'000;
constexpr int kMaxDepth = 128;
constexpr const char* kNoHolder = "nothing can hold a namespace";
constexpr uint64_t kMaxValueSize = 4 * kMaxTextBytes;

/// start:stop:step of Python, on `size` elements.
struct Range {
  int64_t begin, end, step;
};

Range resolve(const std::optional<int64_t> (&parts)[3], int64_t size) {
  const int64_t step = parts[2].value_or(1);
  if (step == 0) throw TemplateProblem("a slice wants a step other than 0");
  const auto clamp = [&](int64_t at) {
    at = at < 0 ? std::max<int64_t>(at, -size) + size : at;
    return step > 0 ? std::clamp<int64_t>(at, 0, size) : std::clamp<int64_t>(at, -1, size - 1);
  };
  // From the right, what lies before the first element is place -1.
  const auto resolve_end = [&](std::optional<int64_t> at, int64_t usual) {
    if (!at) return usual;
    return step < 0 && *at < -size ? int64_t{-1} : clamp(*at);
  };
  return {resolve_end(parts[0], step > 0 ? 0 : size - 1),
          resolve_end(parts[1], step > 0 ? size : -1), step};
}

class Renderer {
 public:
  explicit Renderer(Dictionary context) { scopes_.push_back(std::move(context)); }

  std::string run(const Statements& statements) {
    try {
      execute(statements);
    } catch (const TemplateProblem& problem) {
      throw FormatError("chat template line " + std::to_string(line_) + ": " + problem.what());
    }
    return std::move(output_);
  }

 private:
  using Kind = Expression::Kind;
  enum class Flow { kNext, kBreak, kContinue };

  void step(int line) {
    line_ = line;
    if (++num_steps_ > kMaxSteps) throw TemplateProblem("the template runs too long");
  }

  void write(std::string_view text) {
    output_ += text;
    if (output_.size() > kMaxTextBytes) throw TemplateProblem("a text is too long");
  }

  Flow execute(const Statements& statements) {
    for (const Statement& statement : statements) {
      step(statement.line);
      const Flow flow = execute(statement);
      if (flow != Flow::kNext) return flow;
    }
    return Flow::kNext;
  }

  Flow execute(const Statement& statement) {
    switch (statement.kind) {
      case Statement::Kind::kText:
        write(statement.text);
        return Flow::kNext;
      case Statement::Kind::kOutput:
        write(evaluate(*statement.expression).text());
        return Flow::kNext;
      case Statement::Kind::kIf:
        for (const auto& [condition, body] : statement.branches) {
          if (!condition || evaluate(*condition).truth()) return execute(body);
        }
        return Flow::kNext;
      case Statement::Kind::kFor:
        return loop(statement);
      case Statement::Kind::kSet:
        assign(statement, evaluate(*statement.expression));
        return Flow::kNext;
      case Statement::Kind::kSetBlock: {
        std::string outer = std::exchange(output_, {});
        scopes_.emplace_back();
        const Flow flow = execute(statement.branches[0].second);
        scopes_.pop_back();
        std::swap(outer, output_);
        assign(statement, std::move(outer));
        return flow;
      }
      case Statement::Kind::kGroup:
        return execute(statement.branches[0].second);
      case Statement::Kind::kBreak:
        return Flow::kBreak;
      case Statement::Kind::kContinue:
        return Flow::kContinue;
    }
    return Flow::kNext;
  }

  void assign(const Statement& statement, Value value) {
    if (!statement.text.empty()) {
      const Value space = look_up(statement.names[0]);
      if (!space.is_namespace()) {
        throw TemplateProblem("'" + statement.names[0] + "' is no namespace");
      }
      if (value.is_namespace()) throw TemplateProblem(kNoHolder);
      Dictionary& entries = *space.as_dictionary();
      set(entries, statement.text, std::move(value));
      uint64_t size = 0;
      for (const auto& [name, entry] : entries) size += entry.size();
      if (size > kMaxValueSize) throw TemplateProblem("a value is too large");
    } else {
      bind(statement.names, std::move(value));
    }
  }

  static void set(Dictionary& entries, const std::string& name, Value value) {
    for (auto& [key, entry] : entries) {
      if (key != name) continue;
      entry = std::move(value);
      return;
    }
    entries.emplace_back(name, std::move(value));
  }

  /// Gives names to a value, or to the elements of one.
  void bind(const std::vector<std::string>& names, Value value) {
    if (names.size() == 1) return set(scopes_.back(), names[0], std::move(value));
    const List elements = elements_of(value);
    if (elements.size() != names.size()) {
      throw TemplateProblem("expected " + std::to_string(names.size()) + " values, found " +
                            std::to_string(elements.size()));
    }
    for (std::size_t i = 0; i < names.size(); ++i) set(scopes_.back(), names[i], elements[i]);
  }

  /// What is set in a loop is gone after each round.
  Flow loop(const Statement& statement) {
    List elements = elements_of(evaluate(*statement.expression));
    if (statement.condition) elements = chosen(statement, elements);
    const auto size = static_cast<int64_t>(elements.size());
    for (int64_t i = 0; i < size; ++i) {
      step(statement.line);
      scopes_.push_back({{"loop", loop_variable(elements, i)}});
      bind(statement.names, elements[static_cast<std::size_t>(i)]);
      const Flow flow = execute(statement.branches[0].second);
      scopes_.pop_back();
      if (flow == Flow::kBreak) break;
    }
    if (size > 0 || statement.branches.size() < 2) return Flow::kNext;
    return execute(statement.branches[1].second);
  }

  List chosen(const Statement& statement, const List& elements) {
    List kept;
    for (const Value& element : elements) {
      scopes_.emplace_back();
      bind(statement.names, element);
      if (evaluate(*statement.condition).truth()) kept.push_back(element);
      scopes_.pop_back();
    }
    return kept;
  }

  static Value loop_variable(const List& elements, int64_t index) {
    const auto size = static_cast<int64_t>(elements.size());
    const auto at = static_cast<std::size_t>(index);
    return Dictionary{{"index", index + 1},
                      {"index0", index},
                      {"revindex", size - index},
                      {"revindex0", size - index - 1},
                      {"first", index == 0},
                      {"last", index + 1 == size},
                      {"length", size},
                      {"previtem", index > 0 ? elements[at - 1] : Value()},
                      {"nextitem", index + 1 < size ? elements[at + 1] : Value()}};
  }

  [[nodiscard]] Value look_up(const std::string& name) const {
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
      for (const auto& [key, value] : *scope) {
        if (key == name) return value;
      }
    }
    return {};
  }

  /// Values share their parts, so a few steps could make one that is endless when it is written.
  Value evaluate(const Expression& expression) {
    step(expression.line);
    Value value = compute(expression);
    if (value.holds_namespace()) throw TemplateProblem(kNoHolder);
    if (value.depth() > kMaxDepth) throw TemplateProblem("values are nested too deeply");
    if (value.size() > kMaxValueSize) throw TemplateProblem("a value is too large");
    return value;
  }

  Value compute(const Expression& expression) {
    const auto part = [&](std::size_t i) { return evaluate(*expression.parts[i]); };
    switch (expression.kind) {
      case Kind::kLiteral:
        return expression.value;
      case Kind::kName:
        return look_up(expression.text);
      case Kind::kAttribute:
        return member_of(part(0), expression.text);
      case Kind::kItem: {
        const Value object = part(0);
        return member_of(object, part(1));
      }
      case Kind::kSlice:
        return slice(expression);
      case Kind::kCall:
        return call(expression);
      case Kind::kFilter: {
        const Value value = part(0);
        return apply_filter(expression.text, value, arguments_of(expression));
      }
      case Kind::kTest: {
        const Value value = part(0);
        return apply_test(expression.text, value, arguments_of(expression));
      }
      case Kind::kNot:
        return !part(0).truth();
      case Kind::kNegative:
        return calculate("-", int64_t{0}, part(0));
      case Kind::kAnd: {
        Value left = part(0);
        return left.truth() ? part(1) : left;
      }
      case Kind::kOr: {
        Value left = part(0);
        return left.truth() ? left : part(1);
      }
      case Kind::kBinary: {
        const Value left = part(0);
        return calculate(expression.text, left, part(1));
      }
      case Kind::kCompare: {
        const Value left = part(0);
        return holds(expression.text, left, part(1));
      }
      case Kind::kConditional:
        if (part(0).truth()) return part(1);
        return expression.parts[2] ? part(2) : Value();
      case Kind::kList:
      case Kind::kDictionary:
        return collect(expression);
    }
    return {};
  }

  Value collect(const Expression& expression) {
    List list;
    Dictionary entries;
    for (std::size_t i = 0; i < expression.parts.size(); ++i) {
      Value value = evaluate(*expression.parts[i]);
      if (expression.kind == Kind::kList) {
        list.push_back(std::move(value));
        continue;
      }
      if (value.as_string() == nullptr) throw TemplateProblem("keys of a dictionary are strings");
      set(entries, *value.as_string(), evaluate(*expression.parts[++i]));
    }
    if (expression.kind == Kind::kList) return list;
    return entries;
  }

  Arguments arguments_of(const Expression& expression) {
    Arguments arguments;
    for (std::size_t i = 1; i < expression.parts.size(); ++i) {
      arguments.values.push_back(evaluate(*expression.parts[i]));
    }
    for (const auto& [name, value] : expression.named) {
      arguments.named.emplace_back(name, evaluate(*value));
    }
    return arguments;
  }

  Value call(const Expression& expression) {
    const Expression& callee = *expression.parts[0];
    if (callee.kind == Kind::kAttribute) {
      const Value object = evaluate(*callee.parts[0]);
      return call_method(object, callee.text, arguments_of(expression));
    }
    if (callee.kind != Kind::kName) throw TemplateProblem("only functions and methods are called");
    const Arguments arguments = arguments_of(expression);
    if (callee.text == "raise_exception") {
      const std::string message = arguments.values.empty() ? "" : arguments.values[0].text();
      throw ConfigError("the model's chat template refuses the conversation: " + message);
    }
    return call_function(callee.text, arguments);
  }

  Value slice(const Expression& expression) {
    const Value object = evaluate(*expression.parts[0]);
    std::optional<int64_t> bounds[3];
    for (std::size_t i = 0; i < 3; ++i) {
      if (!expression.parts[i + 1]) continue;
      const Value bound = evaluate(*expression.parts[i + 1]);
      if (bound.is_none()) continue;
      if (bound.as_integer() == nullptr) throw TemplateProblem("a slice wants whole numbers");
      bounds[i] = *bound.as_integer();
    }
    if (object.as_string() == nullptr && object.as_list() == nullptr) {
      throw TemplateProblem(std::string(object.kind()) + " has no slices");
    }
    const List elements = elements_of(object);
    const Range range = resolve(bounds, static_cast<int64_t>(elements.size()));
    List kept;
    for (int64_t at = range.begin; range.step > 0 ? at < range.end : at > range.end;) {
      kept.push_back(elements[static_cast<std::size_t>(at)]);
      if (__builtin_add_overflow(at, range.step, &at)) break;
    }
    if (object.as_list() != nullptr) return kept;
    std::string text;
    for (const Value& character : kept) text += *character.as_string();
    return text;
  }

  static bool holds(const std::string& comparison, const Value& left, const Value& right) {
    if (comparison == "==") return equal(left, right);
    if (comparison == "!=") return !equal(left, right);
    if (comparison == "in") return contains(right, left);
    if (comparison == "not in") return !contains(right, left);
    int order = 0;
    if (!compare(left, right, order)) {
      throw TemplateProblem(std::string(left.kind()) + " and " + right.kind() + " have no order");
    }
    const bool equals = comparison.ends_with('=');
    return (order == 0 && equals) || (comparison[0] == '<' ? order < 0 : order > 0);
  }

  static Value calculate(const std::string& operation, const Value& left, const Value& right) {
    if (operation == "~") return joined(left.text(), right.text());
    if (operation == "+" && left.as_string() != nullptr && right.as_string() != nullptr) {
      return joined(*left.as_string(), *right.as_string());
    }
    if (operation == "+" && left.as_list() != nullptr && right.as_list() != nullptr) {
      List list = *left.as_list();
      list.insert(list.end(), right.as_list()->begin(), right.as_list()->end());
      if (list.size() > kMaxElements) throw TemplateProblem("a list is too long");
      return list;
    }
    double a = 0;
    double b = 0;
    if (!as_number(left, a) || !as_number(right, b)) {
      throw TemplateProblem("'" + operation + "' of " + left.kind() + " and " + right.kind() +
                            " is not supported");
    }
    if (b == 0 && (operation[0] == '/' || operation == "%")) {
      throw TemplateProblem("division by 0");
    }
    const bool whole = left.as_float() == nullptr && right.as_float() == nullptr;
    if (whole && operation != "/") {
      constexpr double kLimit = 1LL << 53U;  // below, doubles have every integer
      if (std::abs(a) >= kLimit || std::abs(b) >= kLimit) {
        throw TemplateProblem("a number is too large");
      }
      return whole_result(operation, static_cast<int64_t>(a), static_cast<int64_t>(b));
    }
    if (operation == "+") return a + b;
    if (operation == "-") return a - b;
    if (operation == "*") return a * b;
    if (operation == "/") return a / b;
    if (operation == "//") return std::floor(a / b);
    return a - b * std::floor(a / b);
  }

  static Value joined(std::string left, const std::string& right) {
    left += right;
    if (left.size() > kMaxTextBytes) throw TemplateProblem("a text is too long");
    return left;
  }

  static Value whole_result(const std::string& operation, int64_t left, int64_t right) {
    if (operation == "+") return left + right;
    if (operation == "-") return left - right;
    if (operation == "*") {
      int64_t product = 0;
      if (__builtin_mul_overflow(left, right, &product)) {
        throw TemplateProblem("a number is too large");
      }
      return product;
    }
    // Rounded down, as Python does.
    const int64_t quotient = left / right - (left % right != 0 && (left < 0) != (right < 0));
    return operation == "//" ? quotient : left - quotient * right;
  }

  std::vector<Dictionary> scopes_;
  std::string output_;
  int64_t num_steps_ = 0;
  int line_ = 1;
};

}  // namespace

std::string render(const Statements& statements, Dictionary context) {
  return Renderer(std::move(context)).run(statements);
}

}  // namespace aios::tokenizer::chat
