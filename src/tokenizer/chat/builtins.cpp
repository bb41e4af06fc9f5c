#include "tokenizer/chat/builtins.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "tokenizer/chat/text_methods.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer::chat {
namespace {

int64_t size_of(const Value& value) {
  if (const auto* text = value.as_string()) return static_cast<int64_t>(num_characters(*text));
  if (const auto* list = value.as_list()) return static_cast<int64_t>(list->size());
  if (const auto* entries = value.as_dictionary()) return static_cast<int64_t>(entries->size());
  throw TemplateProblem(std::string(value.kind()) + " has no length");
}

std::string join(const Value& value, const Arguments& arguments) {
  const Value* given = arguments.find(0, "d");
  const std::string separator = given != nullptr ? given->text() : "";
  if (arguments.find(1, "attribute") != nullptr) {
    throw TemplateProblem("filter 'join' with an attribute is not supported");
  }
  std::string text;
  bool is_first = true;
  for (const Value& element : elements_of(value)) {
    if (!is_first) text += separator;
    is_first = false;
    text += element.text();
    if (text.size() > kMaxTextBytes) throw TemplateProblem("a text is too long");
  }
  return text;
}

Value to_integer(const Value& value) {
  if (const auto* number = value.as_float()) {
    constexpr double kLimit = 9e18;
    return std::abs(*number) < kLimit ? static_cast<int64_t>(*number) : int64_t{0};
  }
  if (const auto* boolean = value.as_boolean()) return int64_t{*boolean ? 1 : 0};
  if (value.as_integer() != nullptr) return value;
  const std::string text =
      value.as_string() != nullptr ? strip(*value.as_string(), true, true) : "";
  int64_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  return end.ptr == text.data() + text.size() && end.ec == std::errc() ? number : int64_t{0};
}

Value reversed(const Value& value) {
  if (const auto* text = value.as_string()) {
    std::string result;
    for (std::size_t end = text->size(); end > 0;) {
      std::size_t begin = end - 1;
      while (is_continuation((*text)[begin])) --begin;
      result += text->substr(begin, end - begin);
      end = begin;
    }
    return result;
  }
  List list = elements_of(value);
  std::reverse(list.begin(), list.end());
  return list;
}

List items_of(const Value& value) {
  const Dictionary* entries = value.as_dictionary();
  if (entries == nullptr) {
    if (value.is_undefined()) return {};
    throw TemplateProblem(std::string(value.kind()) + " has no items");
  }
  List items;
  for (const auto& [key, entry] : *entries) items.emplace_back(List{key, entry});
  return items;
}

/// map(attribute='x'), map(attribute='x', default=…) or map('filter').
Value map(const Value& value, const Arguments& arguments) {
  const Value* attribute = nullptr;
  const Value* otherwise = nullptr;
  for (const auto& [name, given] : arguments.named) {
    if (name == "attribute") attribute = &given;
    if (name == "default") otherwise = &given;
  }
  List result;
  for (const Value& element : elements_of(value)) {
    if (attribute != nullptr) {
      Value found = member_of(element, *attribute);
      result.push_back(found.is_undefined() && otherwise != nullptr ? *otherwise : found);
    } else if (!arguments.values.empty() && arguments.values[0].as_string() != nullptr) {
      Arguments rest{{arguments.values.begin() + 1, arguments.values.end()}, arguments.named};
      result.push_back(apply_filter(*arguments.values[0].as_string(), element, rest));
    } else {
      throw TemplateProblem("filter 'map' wants a filter or an attribute");
    }
  }
  return result;
}

/// select, reject, selectattr and rejectattr.
Value select(const std::string& name, const Value& value, const Arguments& arguments) {
  const bool by_attribute = name.ends_with("attr");
  const bool wanted = name.starts_with("select");
  const std::size_t first = by_attribute ? 1 : 0;
  if (arguments.values.size() < first) throw TemplateProblem("'" + name + "' wants an attribute");
  const bool has_test = arguments.values.size() > first;
  if (has_test && arguments.values[first].as_string() == nullptr) {
    throw TemplateProblem("filter '" + name + "' wants the name of a test");
  }
  Arguments rest;
  if (has_test) {
    const auto begin = arguments.values.begin() + static_cast<std::ptrdiff_t>(first) + 1;
    rest.values.assign(begin, arguments.values.end());
  }
  List result;
  for (const Value& element : elements_of(value)) {
    const Value subject = by_attribute ? member_of(element, arguments.values[0]) : element;
    const bool fits = has_test ? apply_test(*arguments.values[first].as_string(), subject, rest)
                               : subject.truth();
    if (fits == wanted) result.push_back(element);
  }
  return result;
}

Value to_json(const Value& value, const Arguments& arguments) {
  int64_t indent = -1;
  for (const auto& [name, given] : arguments.named) {
    const bool known = name == "indent" || name == "ensure_ascii";
    const bool ascii = name == "ensure_ascii" && given.truth();
    if (!known || ascii)
      throw TemplateProblem("filter 'tojson' with " + name + " is not supported");
    if (name == "indent" && given.as_integer() != nullptr) indent = *given.as_integer();
  }
  if (const Value* given = arguments.find(0, "indent"); given != nullptr && given->as_integer()) {
    indent = *given->as_integer();
  }
  constexpr int64_t kMaxIndent = 16;
  if (indent > kMaxIndent) throw TemplateProblem("filter 'tojson': the indent is too large");
  return value.json(indent);
}

Value first_or_last(const Value& value, bool first) {
  const List list = elements_of(value);
  if (list.empty()) return {};
  return first ? list.front() : list.back();
}

bool is_in(const std::string& name, std::initializer_list<const char*> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

const Value* Arguments::find(std::size_t index, std::string_view name) const {
  if (index < values.size()) return &values[index];
  for (const auto& [key, value] : named) {
    if (key == name) return &value;
  }
  return nullptr;
}

Value apply_filter(const std::string& name, const Value& value, const Arguments& arguments) {
  if (name == "trim") {
    const Value* set = arguments.find(0, "chars");
    return strip(value.text(), true, true, set != nullptr ? set->as_string() : nullptr);
  }
  if (name == "upper") return to_upper(value.text());
  if (name == "lower") return to_lower(value.text());
  if (name == "capitalize") return capitalize(value.text());
  if (name == "tojson") return to_json(value, arguments);
  if (name == "length" || name == "count") return size_of(value);
  if (name == "default" || name == "d") {
    const Value* otherwise = arguments.find(0, "default_value");
    const Value* falsy = arguments.find(1, "boolean");
    const bool missing = value.is_undefined() || (falsy && falsy->truth() && !value.truth());
    if (!missing) return value;
    return otherwise != nullptr ? *otherwise : Value("");
  }
  if (name == "join") return join(value, arguments);
  if (name == "first" || name == "last") return first_or_last(value, name == "first");
  if (name == "string") return value.text();
  if (name == "safe") return value;
  if (name == "int") return to_integer(value);
  if (name == "list") return elements_of(value);
  if (name == "items") return items_of(value);
  if (name == "reverse") return reversed(value);
  if (name == "replace") {
    const Value* old = arguments.find(0, "old");
    const Value* fresh = arguments.find(1, "new");
    if (old == nullptr || fresh == nullptr) throw TemplateProblem("'replace' wants two strings");
    return replace_all(value.text(), old->text(), fresh->text(), -1);
  }
  if (name == "map") return map(value, arguments);
  if (is_in(name, {"select", "reject", "selectattr", "rejectattr"})) {
    return select(name, value, arguments);
  }
  throw TemplateProblem("filter '" + name + "' is not supported");
}

bool apply_test(const std::string& name, const Value& value, const Arguments& arguments) {
  const bool is_text = value.as_string() != nullptr;
  const bool is_integer = value.as_integer() != nullptr;
  if (name == "defined") return !value.is_undefined();
  if (name == "undefined") return value.is_undefined();
  if (name == "none") return value.is_none();
  if (name == "string") return is_text;
  if (name == "mapping") return value.as_dictionary() != nullptr;
  if (name == "iterable" || name == "sequence") {
    return is_text || value.as_list() != nullptr || value.as_dictionary() != nullptr ||
           (value.is_undefined() && name == "iterable");
  }
  if (name == "boolean") return value.as_boolean() != nullptr;
  if (name == "true") return value.as_boolean() != nullptr && *value.as_boolean();
  if (name == "false") return value.as_boolean() != nullptr && !*value.as_boolean();
  if (name == "integer") return is_integer;
  if (name == "float") return value.as_float() != nullptr;
  if (name == "number") {
    return is_integer || value.as_float() != nullptr || value.as_boolean() != nullptr;
  }
  if (is_in(name, {"odd", "even", "divisibleby"})) {
    const Value* divisor = arguments.find(0, "num");
    const bool by = name == "divisibleby";
    const int64_t number = !by                                           ? 2
                           : divisor != nullptr && divisor->as_integer() ? *divisor->as_integer()
                                                                         : 0;
    if (!is_integer || number == 0) throw TemplateProblem("'" + name + "' wants whole numbers");
    const bool divides = number == -1 || *value.as_integer() % number == 0;
    return divides == (name != "odd");
  }
  if (is_in(name, {"equalto", "eq", "ne", "in"})) {
    const Value* other = arguments.find(0, "other");
    if (other == nullptr) throw TemplateProblem("test '" + name + "' wants a value");
    if (name == "in") return contains(*other, value);
    return equal(value, *other) == (name != "ne");
  }
  throw TemplateProblem("test '" + name + "' is not supported");
}

Value call_method(const Value& object, const std::string& name, const Arguments& arguments) {
  if (const auto* text = object.as_string()) return call_text_method(*text, name, arguments);
  if (object.as_dictionary() != nullptr) {
    if (name == "items") return items_of(object);
    if (name == "keys") return elements_of(object);
    if (name == "values") {
      List values;
      for (const auto& [key, value] : *object.as_dictionary()) values.push_back(value);
      return values;
    }
    if (name == "get") {
      const Value* key = arguments.find(0, "key");
      const Value* otherwise = arguments.find(1, "default");
      const Value* found =
          key != nullptr && key->as_string() ? object.find(*key->as_string()) : nullptr;
      if (found != nullptr) return *found;
      return otherwise != nullptr ? *otherwise : Value(None{});
    }
  }
  throw TemplateProblem("method '" + name + "' of " + object.kind() + " is not supported");
}

Value call_function(const std::string& name, const Arguments& arguments) {
  if (name == "namespace") {
    return Value::make_namespace(Dictionary(arguments.named.begin(), arguments.named.end()));
  }
  if (name != "range") throw TemplateProblem("function '" + name + "' is not supported");
  int64_t bounds[3] = {0, 0, 1};
  const std::size_t count = arguments.values.size();
  if (count < 1 || count > 3) throw TemplateProblem("'range' wants one to three numbers");
  for (std::size_t i = 0; i < count; ++i) {
    const auto* number = arguments.values[i].as_integer();
    if (number == nullptr) throw TemplateProblem("'range' wants whole numbers");
    bounds[count == 1 ? 1 : i] = *number;
  }
  if (bounds[2] == 0) throw TemplateProblem("'range' wants a step other than 0");
  List numbers;
  for (int64_t at = bounds[0]; bounds[2] > 0 ? at < bounds[1] : at > bounds[1];) {
    numbers.emplace_back(at);
    if (numbers.size() > kMaxElements) throw TemplateProblem("a range is too long");
    if (__builtin_add_overflow(at, bounds[2], &at)) break;
  }
  return numbers;
}

bool contains(const Value& container, const Value& needle) {
  if (const auto* text = container.as_string()) {
    if (needle.as_string() == nullptr) throw TemplateProblem("only a string can be in a string");
    return text->find(*needle.as_string()) != std::string::npos;
  }
  if (const auto* list = container.as_list()) {
    return std::any_of(list->begin(), list->end(),
                       [&](const Value& element) { return equal(element, needle); });
  }
  if (container.as_dictionary() != nullptr) {
    return needle.as_string() != nullptr && container.find(*needle.as_string()) != nullptr;
  }
  if (container.is_undefined()) return false;
  throw TemplateProblem(std::string("nothing can be in ") + container.kind());
}

List elements_of(const Value& value) {
  if (value.is_undefined()) return {};
  if (const auto* list = value.as_list()) return *list;
  List elements;
  if (const auto* text = value.as_string()) {
    for_each_character(*text, [&](char32_t c) {
      std::string character;
      append_utf8(c, character);
      elements.emplace_back(std::move(character));
      if (elements.size() > kMaxElements) throw TemplateProblem("a list is too long");
    });
    return elements;
  }
  if (const auto* entries = value.as_dictionary()) {
    for (const auto& [key, entry] : *entries) elements.emplace_back(key);
    return elements;
  }
  throw TemplateProblem(std::string(value.kind()) + " has no elements");
}

Value member_of(const Value& object, const Value& key) {
  if (object.is_undefined()) {
    throw TemplateProblem("an undefined value has no member " + key.repr());
  }
  if (const auto* name = key.as_string()) {
    const Value* found = object.find(*name);
    return found != nullptr ? *found : Value();
  }
  const auto* index = key.as_integer();
  if (index == nullptr || object.as_dictionary() != nullptr) return {};
  if (object.as_string() == nullptr && object.as_list() == nullptr) return {};
  const List elements = elements_of(object);
  const auto size = static_cast<int64_t>(elements.size());
  const int64_t at = *index < 0 ? *index + size : *index;
  return at >= 0 && at < size ? elements[static_cast<std::size_t>(at)] : Value();
}

}  // namespace aios::tokenizer::chat
