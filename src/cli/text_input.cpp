#include "cli/text_input.h"

#include "aios/error.h"
#include "base/text_file.h"
#include "base/utf8.h"
#include "cli/command.h"

namespace aios {
namespace {

constexpr std::size_t kMaxInputBytes = std::size_t{1} << 30U;

std::string read_utf8(const std::string& path) {
  std::string text = read_text_file(path, kMaxInputBytes);
  check_utf8(text, path == "-" ? "standard input" : path);
  return text;
}

/// A positional argument as it was typed.
void add_text(CLI::App& command, const std::string& name, const std::string& description,
              std::optional<std::string>& text) {
  const auto set = [&text](const CLI::results_t& words) {
    text = words.front();
    return true;
  };
  command.add_option(name, set, description)->type_name("");
}

void check_one_source(bool typed, bool input, const std::string& name) {
  if (typed && input) throw ConfigError("give " + name + " or --input, not both");
  if (!typed && !input) throw ConfigError("no text: give " + name + " or --input FILE");
}

/// A lone `-` is meant for standard input.
void check_typed(const std::string& text, const std::string& name) {
  if (text == "-") throw ConfigError(name + " is '-': give --input - for standard input");
  check_utf8(text, name);
}

}  // namespace

void check_utf8(std::string_view text, const std::string& where) {
  const std::size_t invalid = find_invalid_utf8(text);
  if (invalid == text.size()) return;
  throw TokenizerError(where + ": byte " + std::to_string(invalid) +
                       " is not UTF-8; convert the text first, e.g. with iconv");
}

void TextArgument::add_to(CLI::App& command, const std::string& name,
                          const std::string& description) {
  name_ = name;
  add_text(command, name, description, text_);
  command.add_option("--input", input_, "read it from a file, or - for standard input")
      ->type_name("FILE");
}

std::string TextArgument::read() const {
  check_one_source(text_.has_value(), !input_.empty(), name_);
  if (text_) {
    check_typed(*text_, name_);
    return *text_;
  }
  std::string text = read_utf8(input_);
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

void TextListArgument::add_to(CLI::App& command, std::string default_input) {
  command_ = &command;
  default_input_ = std::move(default_input);
  add_text(command, "TEXT", "one text, or several", first_);
  command.allow_extras();
  command
      .add_option("--input", input_,
                  "read one text a line from a file, or - for standard input" +
                      std::string(default_input_ == "-" ? " (default)" : ""))
      ->type_name("FILE");
}

std::vector<std::string> TextListArgument::read() const {
  if (!first_ && !default_input_.empty()) {
    return read_lines(input_.empty() ? default_input_ : input_);
  }
  check_one_source(first_.has_value(), !input_.empty(), "TEXT");
  if (!first_) {
    std::vector<std::string> lines = read_lines(input_);
    if (lines.empty()) throw ConfigError("--input " + input_ + ": it has no text");
    return lines;
  }
  std::vector<std::string> texts = {*first_};
  bool flags_may_follow = true;
  for (const std::string& word : command_->remaining()) {
    if (flags_may_follow && word == "--") {
      flags_may_follow = false;
      continue;
    }
    if (flags_may_follow && word.starts_with("-")) throw ConfigError(unknown_flag(*command_, word));
    texts.push_back(word);
  }
  for (const std::string& text : texts) check_typed(text, "TEXT");
  return texts;
}

std::string read_named_text(const char* flag, const std::string& path) {
  if (path.empty()) return {};
  std::string text = read_utf8(path);
  if (text.empty()) throw ConfigError(std::string(flag) + " '" + path + "' is empty");
  return text;
}

std::vector<std::string> read_lines(const std::string& path) {
  const std::string text = read_utf8(path);
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(std::move(line));
    at = end + 1;
  }
  return lines;
}

}  // namespace aios
