#include "tokenizer/chat/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "aios/error.h"

namespace aios::tokenizer::chat {
namespace {

/// Python's repr of a float: the shortest digits that read back, with ".0" where that is whole.
std::string float_text(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  char buffer[32];
  const double size = std::abs(number);
  const bool plain = size == 0 || (size >= 1e-4 && size < 1e16);
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), number,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(buffer, end.ptr);
  if (plain && text.find('.') == std::string::npos) text += ".0";
  return text;
}

std::string quoted(const std::string& text) {
  const bool use_double =
      text.find('\'') != std::string::npos && text.find('"') == std::string::npos;
  const char quote = use_double ? '"' : '\'';
  std::string result(1, quote);
  for (const char byte : text) {
    if (byte == quote || byte == '\\') result += '\\';
    if (byte == '\n') {
      result += "\\n";
    } else if (byte == '\t') {
      result += "\\t";
    } else if (byte == '\r') {
      result += "\\r";
    } else {
      result += byte;
    }
  }
  return result + quote;
}

/// Writes "[a, b]" of what `write` gives for each entry, on lines of their own with an indent.
template <typename Entries, typename Write>
std::string bracketed(char open, char close, const Entries& entries, int64_t indent, int depth,
                      Write write) {
  const auto new_line = [&](int levels) {
    return "\n" + std::string(static_cast<std::size_t>(indent * levels), ' ');
  };
  if (entries.empty()) return {open, close};
  std::string text(1, open);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i > 0) text += indent < 0 ? ", " : ",";
    if (indent >= 0) text += new_line(depth + 1);
    text += write(entries[i]);
  }
  if (indent >= 0) text += new_line(depth);
  return text + close;
}

}  // namespace

Value::Value(List list) : depth_(1), held_(std::make_shared<List>(std::move(list))) {
  for (const Value& element : *as_list()) count(element);
}

Value::Value(Dictionary entries)
    : depth_(1), held_(std::make_shared<Dictionary>(std::move(entries))) {
  for (const auto& [key, element] : *as_dictionary()) count(element);
}

Value Value::make_namespace(Dictionary entries) {
  Value made(std::move(entries));
  made.is_namespace_ = true;
  return made;
}

void Value::count(const Value& element) {
  constexpr uint64_t kMost = uint64_t{1} << 62U;
  holds_namespace_ = holds_namespace_ || element.is_namespace_;
  depth_ = std::max(depth_, element.depth_ + 1);
  size_ = std::min(size_ + element.size_, kMost);
}

Value Value::from_json(const nlohmann::ordered_json& json, int depth) {
  constexpr int kMaxDepth = 64;
  if (depth > kMaxDepth) throw FormatError("a chat's values are nested too deeply");
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array()) {
    List list;
    for (const auto& element : json) list.push_back(from_json(element, depth + 1));
    return list;
  }
  if (json.is_object()) {
    Dictionary entries;
    for (const auto& [key, value] : json.items()) {
      entries.emplace_back(key, from_json(value, depth + 1));
    }
    return entries;
  }
  return None{};
}

const List* Value::as_list() const {
  const auto* list = std::get_if<std::shared_ptr<List>>(&held_);
  return list != nullptr ? list->get() : nullptr;
}

Dictionary* Value::as_dictionary() const {
  const auto* entries = std::get_if<std::shared_ptr<Dictionary>>(&held_);
  return entries != nullptr ? entries->get() : nullptr;
}

bool Value::truth() const {
  if (const auto* boolean = as_boolean()) return *boolean;
  if (const auto* integer = as_integer()) return *integer != 0;
  if (const auto* number = as_float()) return *number != 0;
  if (const auto* string = as_string()) return !string->empty();
  if (const auto* list = as_list()) return !list->empty();
  if (const auto* entries = as_dictionary()) return !entries->empty();
  return false;
}

const Value* Value::find(std::string_view key) const {
  const Dictionary* entries = as_dictionary();
  if (entries == nullptr) return nullptr;
  const auto entry = std::find_if(entries->begin(), entries->end(),
                                  [&](const auto& candidate) { return candidate.first == key; });
  return entry == entries->end() ? nullptr : &entry->second;
}

std::string Value::text() const {
  if (is_undefined()) return {};
  if (const auto* string = as_string()) return *string;
  return repr();
}

std::string Value::repr() const {
  if (is_undefined()) return "Undefined";
  if (is_none()) return "None";
  if (const auto* boolean = as_boolean()) return *boolean ? "True" : "False";
  if (const auto* integer = as_integer()) return std::to_string(*integer);
  if (const auto* number = as_float()) return float_text(*number);
  if (const auto* string = as_string()) return quoted(*string);
  if (const auto* list = as_list()) {
    return bracketed('[', ']', *list, -1, 0, [](const Value& value) { return value.repr(); });
  }
  return bracketed('{', '}', *as_dictionary(), -1, 0, [](const auto& entry) {
    return quoted(entry.first) + ": " + entry.second.repr();
  });
}

std::string Value::json(int64_t indent, int depth) const {
  const auto string_json = [](const std::string& string) {
    return nlohmann::json(string).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  };
  if (is_undefined() || is_none()) return "null";
  if (const auto* boolean = as_boolean()) return *boolean ? "true" : "false";
  if (const auto* string = as_string()) return string_json(*string);
  if (const auto* list = as_list()) {
    return bracketed('[', ']', *list, indent, depth,
                     [&](const Value& value) { return value.json(indent, depth + 1); });
  }
  if (const auto* entries = as_dictionary()) {
    return bracketed('{', '}', *entries, indent, depth, [&](const auto& entry) {
      return string_json(entry.first) + ": " + entry.second.json(indent, depth + 1);
    });
  }
  return repr();
}

const char* Value::kind() const {
  constexpr const char* kKinds[] = {"undefined", "none",     "a boolean", "an integer",
                                    "a float",   "a string", "a list",    "a dictionary"};
  return kKinds[held_.index()];
}

bool as_number(const Value& value, double& number) {
  if (const auto* boolean = value.as_boolean()) number = *boolean ? 1 : 0;
  if (const auto* integer = value.as_integer()) number = static_cast<double>(*integer);
  if (const auto* real = value.as_float()) number = *real;
  return value.as_boolean() != nullptr || value.as_integer() != nullptr ||
         value.as_float() != nullptr;
}

bool equal(const Value& left, const Value& right) {
  double a = 0;
  double b = 0;
  if (as_number(left, a) && as_number(right, b)) return a == b;
  if (left.is_none() || left.is_undefined()) {
    return left.is_none() == right.is_none() && left.is_undefined() == right.is_undefined();
  }
  if (left.as_string() != nullptr && right.as_string() != nullptr) {
    return *left.as_string() == *right.as_string();
  }
  if (left.as_list() != nullptr && right.as_list() != nullptr) {
    return std::equal(left.as_list()->begin(), left.as_list()->end(), right.as_list()->begin(),
                      right.as_list()->end(), equal);
  }
  const Dictionary* entries = left.as_dictionary();
  const Dictionary* others = right.as_dictionary();
  if (entries == nullptr || others == nullptr || entries->size() != others->size()) return false;
  return std::all_of(entries->begin(), entries->end(), [&](const auto& entry) {
    const Value* other = right.find(entry.first);
    return other != nullptr && equal(entry.second, *other);
  });
}

bool compare(const Value& left, const Value& right, int& order) {
  double a = 0;
  double b = 0;
  if (as_number(left, a) && as_number(right, b)) {
    order = a < b ? -1 : a > b ? 1 : 0;
    return true;
  }
  if (left.as_string() == nullptr || right.as_string() == nullptr) return false;
  order = left.as_string()->compare(*right.as_string());
  return true;
}

}  // namespace aios::tokenizer::chat
