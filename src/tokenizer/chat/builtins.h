/// Filters, tests, methods and functions of chat templates. All are those of Jinja2 and Python.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/chat/value.h"

namespace aios::tokenizer::chat {

/// What a template may make at most, so that a small one cannot eat the machine.
inline constexpr std::size_t kMaxTextBytes = std::size_t{16} << 20U;
inline constexpr std::size_t kMaxElements = 100'000;

/// Values given to a filter, test, method or function.
struct Arguments {
  std::vector<Value> values;
  std::vector<std::pair<std::string, Value>> named;

  /// By place or by name; nullptr if it was not given.
  [[nodiscard]] const Value* find(std::size_t index, std::string_view name) const;
};

/// A complaint, which the renderer puts a line to.
class TemplateProblem : public std::exception {
 public:
  explicit TemplateProblem(std::string why) : why_(std::move(why)) {}
  [[nodiscard]] const char* what() const noexcept override { return why_.c_str(); }

 private:
  std::string why_;
};

/// All @throws TemplateProblem for what is not supported, or does not fit the value
[[nodiscard]] Value apply_filter(const std::string& name, const Value& value,
                                 const Arguments& arguments);
[[nodiscard]] bool apply_test(const std::string& name, const Value& value,
                              const Arguments& arguments);
[[nodiscard]] Value call_method(const Value& object, const std::string& name,
                                const Arguments& arguments);
/// `range` and `namespace`.
[[nodiscard]] Value call_function(const std::string& name, const Arguments& arguments);
/// Whether `needle` is in a list, a string or the keys of a dictionary.
[[nodiscard]] bool contains(const Value& container, const Value& needle);
/// The elements that `for` and filters go through.
[[nodiscard]] List elements_of(const Value& value);
/// An attribute or entry; undefined if there is none.
[[nodiscard]] Value member_of(const Value& object, const Value& key);

}  // namespace aios::tokenizer::chat
