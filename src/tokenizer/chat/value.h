/// Values of chat templates, with Python's meaning: what Jinja2 would compute with.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace aios::tokenizer::chat {

class Value;
using List = std::vector<Value>;
/// In the order of insertion.
using Dictionary = std::vector<std::pair<std::string, Value>>;

struct Undefined {};
struct None {};

/// Copies share lists and dictionaries. Only `namespace` objects change after they are made: a
/// renderer lets nothing hold one, so that nothing contains itself.
class Value {
 public:
  Value() : held_(Undefined{}) {}
  Value(None none) : held_(none) {}
  Value(bool value) : held_(value) {}
  Value(int64_t value) : held_(value) {}
  Value(double value) : held_(value) {}
  Value(std::string value) : size_(1 + value.size()), held_(std::move(value)) {}
  Value(const char* value) : Value(std::string(value)) {}
  Value(List list);
  Value(Dictionary entries);
  static Value make_namespace(Dictionary entries);
  /// @throws FormatError if it is nested more than 64 deep
  static Value from_json(const nlohmann::ordered_json& json, int depth = 0);

  [[nodiscard]] bool is_undefined() const { return std::holds_alternative<Undefined>(held_); }
  [[nodiscard]] bool is_none() const { return std::holds_alternative<None>(held_); }
  [[nodiscard]] const bool* as_boolean() const { return std::get_if<bool>(&held_); }
  [[nodiscard]] const int64_t* as_integer() const { return std::get_if<int64_t>(&held_); }
  [[nodiscard]] const double* as_float() const { return std::get_if<double>(&held_); }
  [[nodiscard]] const std::string* as_string() const { return std::get_if<std::string>(&held_); }
  [[nodiscard]] const List* as_list() const;
  [[nodiscard]] Dictionary* as_dictionary() const;

  /// Whether `if` takes the branch.
  [[nodiscard]] bool truth() const;
  /// The entry of a dictionary; nullptr if there is none.
  [[nodiscard]] const Value* find(std::string_view key) const;
  /// What `{{ … }}` writes: str(); an undefined value is empty.
  [[nodiscard]] std::string text() const;
  /// As it stands within a list: repr().
  [[nodiscard]] std::string repr() const;
  /// json.dumps(ensure_ascii=False); `indent` < 0: on one line.
  [[nodiscard]] std::string json(int64_t indent = -1, int depth = 0) const;
  [[nodiscard]] bool is_namespace() const { return is_namespace_; }
  /// Whether one is among its elements.
  [[nodiscard]] bool holds_namespace() const { return holds_namespace_; }
  /// Lists and dictionaries in each other, when it was made.
  [[nodiscard]] int depth() const { return depth_; }
  /// Values and bytes of text within, when it was made; what is shared counts each time.
  [[nodiscard]] uint64_t size() const { return size_; }
  /// "a string", "an integer" …, for messages.
  [[nodiscard]] const char* kind() const;

 private:
  void count(const Value& element);

  bool is_namespace_ = false;
  bool holds_namespace_ = false;
  int depth_ = 0;
  uint64_t size_ = 1;
  std::variant<Undefined, None, bool, int64_t, double, std::string, std::shared_ptr<List>,
               std::shared_ptr<Dictionary>>
      held_;
};

[[nodiscard]] bool equal(const Value& left, const Value& right);
/// -1, 0 or 1 of numbers or of strings. @returns false if they have no order
[[nodiscard]] bool compare(const Value& left, const Value& right, int& order);
/// Booleans and numbers. @returns false if it is none
[[nodiscard]] bool as_number(const Value& value, double& number);

}  // namespace aios::tokenizer::chat
