#include "tokenizer/chat/lexer.h"

#include <algorithm>
#include <array>
#include <optional>

#include "aios/error.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer::chat {
namespace {

constexpr std::string_view kSpaces = " \t\n\r\f\v";

bool is_space(char byte) { return kSpaces.find(byte) != std::string_view::npos; }
bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }
bool begins_name(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

class Lexer {
 public:
  explicit Lexer(std::string source) : source_(std::move(source)) {}

  std::vector<Token> run() {
    while (at_ < source_.size()) {
      const std::size_t tag = next_tag();
      add_text(tag);
      if (tag == source_.size()) break;
      read_tag(tag);
    }
    add(Token::Kind::kEnd, "");
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] std::size_t next_tag() const {
    std::size_t tag = at_;
    while ((tag = source_.find('{', tag)) != std::string::npos) {
      const char next = tag + 1 < source_.size() ? source_[tag + 1] : '\0';
      if (next == '{' || next == '%' || next == '#') return tag;
      ++tag;
    }
    return source_.size();
  }

  /// What lies before the tag, less the white space that the tag takes away.
  void add_text(std::size_t tag) {
    std::string_view text = std::string_view(source_).substr(at_, tag - at_);
    const int lines = static_cast<int>(std::count(text.begin(), text.end(), '\n'));
    const char sign = tag + 2 < source_.size() ? source_[tag + 2] : '\0';
    if (tag < source_.size() && sign == '-') {
      text = text.substr(0, text.find_last_not_of(kSpaces) + 1);
    } else if (tag < source_.size() && sign != '+' && source_[tag + 1] != '{') {
      const std::size_t line = text.rfind('\n') + 1;  // npos + 1 = 0
      const bool is_blank = text.find_first_not_of(kSpaces, line) == std::string_view::npos;
      if ((line > 0 || starts_line_) && is_blank) text = text.substr(0, line);
    }
    if (!text.empty()) add(Token::Kind::kText, std::string(text));
    line_ += lines;
    at_ = tag;
  }

  void read_tag(std::size_t tag) {
    const char kind = source_[tag + 1];
    at_ = tag + 2;
    if (kind == '#') return skip_comment();
    if (at_ < source_.size() && (source_[at_] == '-' || source_[at_] == '+')) ++at_;
    const bool is_block = kind == '%';
    add(is_block ? Token::Kind::kBlockBegin : Token::Kind::kOutputBegin, "");
    const std::string_view end = is_block ? "%}" : "}}";
    depth_ = 0;
    while (!ends_tag(end)) read_token();
    add(is_block ? Token::Kind::kBlockEnd : Token::Kind::kOutputEnd, "");
    leave_tag(is_block);
  }

  /// Steps over white space; whether the tag ends there. Braces may be open in a dictionary.
  bool ends_tag(std::string_view end) {
    while (at_ < source_.size() && is_space(source_[at_])) line_ += source_[at_++] == '\n' ? 1 : 0;
    if (at_ == source_.size()) fail("a tag does not end");
    const std::string_view rest = std::string_view(source_).substr(at_);
    const bool signed_end = (rest[0] == '-' || rest[0] == '+') && rest.substr(1).starts_with(end);
    return depth_ == 0 && (signed_end || rest.starts_with(end));
  }

  void leave_tag(bool is_block) {
    const char sign = source_[at_];
    const bool has_sign = sign == '-' || sign == '+';
    at_ += has_sign ? 3 : 2;
    const std::size_t begin = at_;
    if (sign == '-') {
      while (at_ < source_.size() && is_space(source_[at_])) ++at_;
    } else if (sign != '+' && is_block && at_ < source_.size() && source_[at_] == '\n') {
      ++at_;
    }
    count_lines(begin);
    starts_line_ = at_ > begin && source_[at_ - 1] == '\n';
  }

  void count_lines(std::size_t begin) {
    line_ += static_cast<int>(std::count(source_.begin() + static_cast<std::ptrdiff_t>(begin),
                                         source_.begin() + static_cast<std::ptrdiff_t>(at_), '\n'));
  }

  void skip_comment() {
    const std::size_t begin = at_;
    const std::size_t end = source_.find("#}", at_);
    if (end == std::string::npos) fail("a comment does not end");
    const bool has_sign = end > begin && (source_[end - 1] == '-' || source_[end - 1] == '+');
    at_ = has_sign ? end - 1 : end;
    count_lines(begin);
    leave_tag(true);
  }

  void read_token() {
    const char first = source_[at_];
    if (begins_name(first)) return read_name();
    if (is_digit(first)) return read_number();
    if (first == '\'' || first == '"') return read_string(first);
    constexpr std::array<std::string_view, 26> kOperators = {
        "==", "!=", ">=", "<=", "//", "**", "+", "-", "*", "/", "%", "~", "(",
        ")",  "[",  "]",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ",", ";"};
    const std::string_view rest = std::string_view(source_).substr(at_);
    const auto* found = std::find_if(kOperators.begin(), kOperators.end(),
                                     [&](std::string_view text) { return rest.starts_with(text); });
    if (found == kOperators.end()) fail("unexpected character '" + std::string(1, first) + "'");
    if (*found == "{" || *found == "(" || *found == "[") ++depth_;
    if (*found == "}" || *found == ")" || *found == "]") --depth_;
    add(Token::Kind::kOperator, std::string(*found));
    at_ += found->size();
  }

  void read_name() {
    const std::size_t begin = at_;
    while (at_ < source_.size() && (begins_name(source_[at_]) || is_digit(source_[at_]))) ++at_;
    add(Token::Kind::kName, source_.substr(begin, at_ - begin));
  }

  void read_number() {
    const std::size_t begin = at_;
    const auto skip_digits = [&] {
      while (at_ < source_.size() && is_digit(source_[at_])) ++at_;
    };
    skip_digits();
    bool is_float = false;
    if (at_ + 1 < source_.size() && source_[at_] == '.' && is_digit(source_[at_ + 1])) {
      is_float = true;
      ++at_;
      skip_digits();
    }
    add(is_float ? Token::Kind::kFloat : Token::Kind::kInteger, source_.substr(begin, at_ - begin));
  }

  void read_string(char quote) {
    std::string text;
    const int line = line_;
    for (++at_; at_ < source_.size() && source_[at_] != quote; ++at_) {
      line_ += source_[at_] == '\n' ? 1 : 0;
      if (source_[at_] == '\\' && at_ + 1 < source_.size()) {
        ++at_;
        add_escape(text);
      } else {
        text += source_[at_];
      }
    }
    if (at_ == source_.size()) fail("a string does not end");
    ++at_;
    tokens_.push_back({Token::Kind::kString, std::move(text), line});
  }

  /// Python's escapes; one it does not know stays as it is.
  void add_escape(std::string& text) {
    constexpr std::string_view kLetters = "ntrfvab0\\'\"";
    constexpr std::string_view kMeanings("\n\t\r\f\v\a\b\0\\'\"", 11);
    const char letter = source_[at_];
    if (const std::size_t known = kLetters.find(letter); known != std::string_view::npos) {
      text += kMeanings[known];
    } else if (const std::size_t digits = letter == 'x' ? 2 : letter == 'u' ? 4 : 0; digits > 0) {
      text += hexadecimal(digits);
    } else if (letter != '\n') {
      text += '\\';
      text += letter;
    }
  }

  std::string hexadecimal(std::size_t digits) {
    char32_t code_point = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      const std::size_t value = ++at_ < source_.size()
                                    ? std::string_view("0123456789abcdef").find(source_[at_] | 0x20)
                                    : std::string_view::npos;
      if (value == std::string_view::npos) fail("an escape in a string is cut off");
      code_point = code_point * 16 + static_cast<char32_t>(value);
    }
    if (code_point >= 0xD800 && code_point < 0xE000) fail("an escape is no character");
    std::string text;
    append_utf8(code_point, text);
    return text;
  }

  void add(Token::Kind kind, std::string text) {
    tokens_.push_back({kind, std::move(text), line_});
  }

  [[noreturn]] void fail(const std::string& why) const {
    throw FormatError("chat template line " + std::to_string(line_) + ": " + why);
  }

  std::string source_;
  std::size_t at_ = 0;
  int line_ = 1;
  int depth_ = 0;            // of brackets in a tag
  bool starts_line_ = true;  // whether what was read last ends a line
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) {
  std::string lines;  // with LF, and without the last one
  for (std::size_t at = 0; at < source.size(); ++at) {
    const bool returns = source[at] == '\r';
    if (returns && at + 1 < source.size() && source[at + 1] == '\n') continue;
    lines += returns ? '\n' : source[at];
  }
  if (lines.ends_with('\n')) lines.pop_back();
  return Lexer(std::move(lines)).run();
}

}  // namespace aios::tokenizer::chat
