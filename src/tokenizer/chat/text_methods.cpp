#include "tokenizer/chat/text_methods.h"

#include <utf8proc.h>

#include <algorithm>

#include "tokenizer/unicode_tables.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer::chat {
namespace {

/// str.isspace(): White_Space and the four separators of ASCII.
bool is_space(char32_t c) { return has_flag(c, kWhiteSpaceFlag) || (c >= 0x1C && c <= 0x1F); }

std::string map_characters(std::string_view text, char32_t (*map)(char32_t)) {
  std::string result;
  for_each_character(text, [&](char32_t c) { append_utf8(map(c), result); });
  return result;
}

char32_t upper_of(char32_t c) {
  return static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c)));
}
char32_t lower_of(char32_t c) {
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}

const std::string& text_argument(const Arguments& arguments, std::size_t index,
                                 const std::string& method) {
  const Value* value = index < arguments.values.size() ? &arguments.values[index] : nullptr;
  if (value == nullptr || value->as_string() == nullptr) {
    throw TemplateProblem("method '" + method + "' wants a string");
  }
  return *value->as_string();
}

/// Whether an end of `text` is the argument, or one of a list of them.
bool has_end(const std::string& text, const Arguments& arguments, const std::string& method) {
  const auto fits = [&](const std::string& end) {
    return method == "startswith" ? text.starts_with(end) : text.ends_with(end);
  };
  const List* list = arguments.values.empty() ? nullptr : arguments.values[0].as_list();
  if (list == nullptr) return fits(text_argument(arguments, 0, method));
  return std::any_of(list->begin(), list->end(), [&](const Value& end) {
    return end.as_string() != nullptr && fits(*end.as_string());
  });
}

/// At white space, whose runs count as one.
List split_words(std::string_view text, int64_t limit) {
  List words;
  std::string_view rest = text;
  while (true) {
    const std::string stripped = strip(rest, true, false);
    rest = rest.substr(rest.size() - stripped.size());
    if (rest.empty()) return words;
    std::size_t end = 0;
    while (end < rest.size() && !is_space(decode_utf8(rest.data() + end).code_point)) {
      end += utf8_size(rest[end]);
    }
    if (limit >= 0 && static_cast<int64_t>(words.size()) == limit) end = rest.size();
    words.emplace_back(limit >= 0 && end == rest.size() ? strip(rest, false, true)
                                                        : std::string(rest.substr(0, end)));
    if (words.size() > kMaxElements) throw TemplateProblem("a list is too long");
    rest = rest.substr(end);
  }
}

List split(const std::string& text, const Arguments& arguments) {
  const Value* separator = arguments.find(0, "sep");
  const Value* most = arguments.find(1, "maxsplit");
  const int64_t limit = most != nullptr && most->as_integer() != nullptr ? *most->as_integer() : -1;
  if (separator == nullptr || separator->is_none()) return split_words(text, limit);
  const std::string* mark = separator->as_string();
  if (mark == nullptr || mark->empty()) throw TemplateProblem("split: the separator is empty");
  List parts;
  std::size_t begin = 0;
  while (limit < 0 || static_cast<int64_t>(parts.size()) < limit) {
    const std::size_t end = text.find(*mark, begin);
    if (end == std::string::npos) break;
    parts.emplace_back(text.substr(begin, end - begin));
    if (parts.size() > kMaxElements) throw TemplateProblem("a list is too long");
    begin = end + mark->size();
  }
  parts.emplace_back(text.substr(begin));
  return parts;
}

}  // namespace

std::string strip(std::string_view text, bool left, bool right, const std::string* set) {
  const auto goes = [&](std::size_t at) {
    if (set == nullptr) return is_space(decode_utf8(text.data() + at).code_point);
    return set->find(text.substr(at, utf8_size(text[at]))) != std::string::npos;
  };
  while (left && !text.empty() && goes(0)) text.remove_prefix(utf8_size(text[0]));
  while (right && !text.empty()) {
    std::size_t last = text.size() - 1;
    while (is_continuation(text[last])) --last;
    if (!goes(last)) break;
    text = text.substr(0, last);
  }
  return std::string(text);
}

std::string to_upper(std::string_view text) { return map_characters(text, upper_of); }
std::string to_lower(std::string_view text) { return map_characters(text, lower_of); }

std::string capitalize(std::string_view text) {
  if (text.empty()) return {};
  const std::size_t size = utf8_size(text[0]);
  return to_upper(text.substr(0, size)) + to_lower(text.substr(size));
}

std::string replace_all(std::string_view text, std::string_view old, std::string_view fresh,
                        int64_t count) {
  if (old.empty()) throw TemplateProblem("replace: what is replaced is empty");
  std::string result;
  std::size_t begin = 0;
  for (; count != 0; --count) {
    const std::size_t at = text.find(old, begin);
    if (at == std::string_view::npos) break;
    result.append(text.substr(begin, at - begin)).append(fresh);
    if (result.size() > kMaxTextBytes) throw TemplateProblem("a text is too long");
    begin = at + old.size();
  }
  return result.append(text.substr(begin));
}

std::size_t num_characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return !is_continuation(byte); }));
}

Value call_text_method(const std::string& text, const std::string& name,
                       const Arguments& arguments) {
  if (name == "strip" || name == "lstrip" || name == "rstrip") {
    const std::string* set = arguments.values.empty() ? nullptr : arguments.values[0].as_string();
    return strip(text, name != "rstrip", name != "lstrip", set);
  }
  if (name == "upper") return to_upper(text);
  if (name == "lower") return to_lower(text);
  if (name == "capitalize") return capitalize(text);
  if (name == "startswith" || name == "endswith") return has_end(text, arguments, name);
  if (name == "split") return split(text, arguments);
  if (name == "replace") {
    const Value* count = arguments.find(2, "count");
    const bool all = count == nullptr || count->as_integer() == nullptr;
    return replace_all(text, text_argument(arguments, 0, name), text_argument(arguments, 1, name),
                       all ? -1 : *count->as_integer());
  }
  if (name == "removeprefix" || name == "removesuffix") {
    const std::string& end = text_argument(arguments, 0, name);
    const bool prefix = name == "removeprefix";
    if (!(prefix ? text.starts_with(end) : text.ends_with(end))) return text;
    return prefix ? text.substr(end.size()) : text.substr(0, text.size() - end.size());
  }
  if (name == "find") {
    const std::size_t at = text.find(text_argument(arguments, 0, name));
    if (at == std::string::npos) return int64_t{-1};
    return static_cast<int64_t>(num_characters(std::string_view(text).substr(0, at)));
  }
  throw TemplateProblem("method '" + name + "' of a string is not supported");
}

}  // namespace aios::tokenizer::chat
