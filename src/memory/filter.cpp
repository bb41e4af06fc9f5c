#include "memory/filter.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>

#include "aios/error.h"

namespace aios {
namespace {

enum class FieldType { kText, kNumber, kTime, kAny };

struct Field {
  std::string_view name;
  FieldType type;
};
constexpr std::array<Field, 6> kFields = {{{"memory_id", FieldType::kText},
                                           {"category", FieldType::kText},
                                           {"source", FieldType::kText},
                                           {"quality_score", FieldType::kNumber},
                                           {"timestamp", FieldType::kTime},
                                           {"expires_at", FieldType::kTime}}};

constexpr std::size_t kMaxFilterBytes = 65536;
constexpr int kMaxDepth = 100;
constexpr int kMaxPredicates = 500;  // SQLite's own limit is an expression 1000 deep

bool is_word(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool equal_ignoring_case(std::string_view word, std::string_view lower) noexcept {
  if (word.size() != lower.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char c = word[i] >= 'A' && word[i] <= 'Z' ? static_cast<char>(word[i] + 32) : word[i];
    if (c != lower[i]) return false;
  }
  return true;
}

/// Digits at `position` of `text`, exactly `count`; moves on.
std::optional<int> digits(std::string_view text, std::size_t& position, std::size_t count) {
  if (text.size() < position + count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const char c = text[position + i];
    if (c < '0' || c > '9') return std::nullopt;
    value = 10 * value + (c - '0');
  }
  position += count;
  return value;
}

/// Microseconds of 2026-01-31 or 2026-01-31T12:30:00[Z].
std::optional<int64_t> parse_date(std::string_view text) {
  std::size_t at = 0;
  const auto skip = [&](char c) { return at < text.size() && text[at] == c && ++at > 0; };
  const auto year = digits(text, at, 4);
  if (!year || !skip('-')) return std::nullopt;
  const auto month = digits(text, at, 2);
  if (!month || !skip('-')) return std::nullopt;
  const auto day = digits(text, at, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  int64_t seconds = std::chrono::sys_days(date).time_since_epoch().count() * int64_t{86400};
  if (skip('T')) {
    const auto hour = digits(text, at, 2);
    if (!hour || *hour > 23 || !skip(':')) return std::nullopt;
    const auto minute = digits(text, at, 2);
    if (!minute || *minute > 59 || !skip(':')) return std::nullopt;
    const auto second = digits(text, at, 2);
    if (!second || *second > 60) return std::nullopt;
    seconds += *hour * 3600 + *minute * 60 + *second;
    skip('Z');
  }
  if (at != text.size()) return std::nullopt;
  return seconds * 1000000;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  SqlCondition parse() {
    if (text_.size() > kMaxFilterBytes) fail("is longer than 65536 bytes");
    skip_spaces();
    if (position_ == text_.size()) return {};
    expression(0);
    if (position_ != text_.size()) fail("has something after its end");
    return std::move(condition_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw ConfigError("filter " + what + " at byte " + std::to_string(position_) +
                      " (see docs/memory.md for its language)");
  }

  void skip_spaces() {
    while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\t' ||
                                        text_[position_] == '\n' || text_[position_] == '\r')) {
      ++position_;
    }
  }
  bool accept(std::string_view symbol) {
    if (!text_.substr(position_).starts_with(symbol)) return false;
    position_ += symbol.size();
    skip_spaces();
    return true;
  }
  void expect(std::string_view symbol) {
    if (!accept(symbol)) fail("lacks '" + std::string(symbol) + "'");
  }
  [[nodiscard]] std::string_view peek_word() const {
    std::size_t end = position_;
    while (end < text_.size() && is_word(text_[end])) ++end;
    return text_.substr(position_, end - position_);
  }
  bool accept_word(std::string_view lower) {
    const std::string_view word = peek_word();
    if (!equal_ignoring_case(word, lower)) return false;
    position_ += word.size();
    skip_spaces();
    return true;
  }

  void expression(int depth) {
    term(depth);
    while (accept_word("or")) {
      condition_.sql += " OR ";
      term(depth);
    }
  }
  void term(int depth) {
    factor(depth);
    while (accept_word("and")) {
      condition_.sql += " AND ";
      factor(depth);
    }
  }
  void factor(int depth) {
    if (depth == kMaxDepth) fail("is nested too deeply");
    if (accept_word("not")) {
      condition_.sql += "NOT ";
      return factor(depth + 1);
    }
    condition_.sql += '(';
    if (accept("(")) {
      expression(depth + 1);
      expect(")");
    } else {
      predicate();
    }
    condition_.sql += ')';
  }

  void predicate() {
    if (++num_predicates_ > kMaxPredicates) fail("has more than 500 predicates");
    if (accept_word("content")) return match();
    const FieldType type = field();
    if (accept_word("in")) {
      condition_.sql += " IN (";
      expect("(");
      value(type);
      while (accept(",")) {
        condition_.sql += ',';
        value(type);
      }
      expect(")");
      condition_.sql += ')';
      return;
    }
    // Longer symbols first.
    for (const std::string_view symbol : {"<=", ">=", "!=", "=", "<", ">"}) {
      if (!accept(symbol)) continue;
      condition_.sql += ' ' + std::string(symbol) + ' ';
      return value(type);
    }
    fail("lacks one of = != < <= > >= in");
  }

  void match() {
    if (!accept_word("match")) fail("lacks 'match' after 'content'");
    const std::string words = text_query(string(), WordQuery::kAll);
    if (words.empty()) fail("matches no word");
    condition_.sql += "memory.sequence IN (SELECT rowid FROM text_index WHERE text_index MATCH ?)";
    condition_.parameters.emplace_back(words);
  }

  FieldType field() {
    const std::string_view word = peek_word();
    for (const Field& known : kFields) {
      if (word != known.name) continue;
      position_ += word.size();
      skip_spaces();
      condition_.sql += known.name;
      return known.type;
    }
    if (word == "extra") {
      position_ += word.size();
      if (position_ == text_.size() || text_[position_] != '.') fail("lacks a name after 'extra'");
      ++position_;
      const std::string name(peek_word());
      if (name.empty()) fail("lacks a name after 'extra.'");
      position_ += name.size();
      skip_spaces();
      condition_.sql += "json_extract(extra, ?)";
      condition_.parameters.emplace_back("$.\"" + name + "\"");
      return FieldType::kAny;
    }
    fail(
        "names no field (memory_id, category, source, quality_score, timestamp, expires_at, "
        "extra.NAME, content)");
  }

  /// What a value may be depends on its field.
  void value(FieldType type) {
    condition_.sql += '?';
    if (position_ < text_.size() && (text_[position_] == '"' || text_[position_] == '\'')) {
      if (type == FieldType::kNumber) fail("has a string where a number belongs");
      const std::string text = string();
      if (type != FieldType::kTime) {
        condition_.parameters.emplace_back(text);
      } else if (const auto time = parse_date(text)) {
        condition_.parameters.emplace_back(*time);
      } else {
        fail("has no date");
      }
      return;
    }
    if (type == FieldType::kAny) {
      for (const bool truth : {false, true}) {
        if (!accept_word(truth ? "true" : "false")) continue;
        condition_.parameters.emplace_back(int64_t{truth});
        return;
      }
    }
    if (type == FieldType::kText) fail("lacks a string in quotes");
    number(type);
  }

  void number(FieldType type) {
    std::size_t end = position_;
    while (end < text_.size() && (is_word(text_[end]) || text_[end] == '.' || text_[end] == '-' ||
                                  text_[end] == '+' || text_[end] == ':')) {
      ++end;
    }
    const std::string_view word = text_.substr(position_, end - position_);
    const char* const last = word.data() + word.size();
    int64_t whole = 0;
    double real = 0;
    if (const auto time = parse_date(word); time && type == FieldType::kTime) {
      condition_.parameters.emplace_back(*time);
    } else if (const auto parsed = std::from_chars(word.data(), last, whole);
               parsed.ec == std::errc() && parsed.ptr == last) {
      condition_.parameters.emplace_back(whole);
    } else if (const auto parsed_real = std::from_chars(word.data(), last, real);
               parsed_real.ec == std::errc() && parsed_real.ptr == last && std::isfinite(real)) {
      condition_.parameters.emplace_back(real);
    } else {
      fail(type == FieldType::kTime ? "lacks a date or a number" : "lacks a number");
    }
    position_ = end;
    skip_spaces();
  }

  std::string string() {
    if (position_ == text_.size() || (text_[position_] != '"' && text_[position_] != '\'')) {
      fail("lacks a string in quotes");
    }
    const char quote = text_[position_];
    std::string text;
    for (std::size_t i = position_ + 1; i < text_.size(); ++i) {
      if (text_[i] != quote) {
        text += text_[i];
      } else if (i + 1 < text_.size() && text_[i + 1] == quote) {
        text += quote;
        ++i;
      } else {
        position_ = i + 1;
        skip_spaces();
        return text;
      }
    }
    fail("has a string without end");
  }

  std::string_view text_;
  std::size_t position_ = 0;
  int num_predicates_ = 0;
  SqlCondition condition_;
};

}  // namespace

void SqlCondition::bind_to(Query& query) const {
  for (const auto& parameter : parameters) {
    if (const auto* whole = std::get_if<int64_t>(&parameter)) query.bind(*whole);
    if (const auto* real = std::get_if<double>(&parameter)) query.bind(*real);
    if (const auto* text = std::get_if<std::string>(&parameter)) query.bind(*text);
  }
}

SqlCondition parse_filter(std::string_view filter) { return Parser(filter).parse(); }

std::string text_query(std::string_view text, WordQuery kind) {
  constexpr int kMaxWords = 1000;
  std::string query;
  std::size_t i = 0;
  for (int words = 0; i < text.size() && words < kMaxWords; ++words) {
    while (i < text.size() && !is_word(text[i])) ++i;
    const std::size_t begin = i;
    while (i < text.size() && is_word(text[i])) ++i;
    if (i == begin) break;
    if (!query.empty()) query += kind == WordQuery::kAll ? " " : " OR ";
    query += '"' + std::string(text.substr(begin, i - begin)) + '"';
  }
  return query;
}

}  // namespace aios
