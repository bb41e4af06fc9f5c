/// Filters of memories: a small language of typed predicates, turned into SQL with parameters.
///
///     expression = term { "or" term }
///     term       = factor { "and" factor }
///     factor     = "not" factor | "(" expression ")" | predicate
///     predicate  = field ("=" | "!=" | "<" | "<=" | ">" | ">=") value
///                | field "in" "(" value { "," value } ")" | "content" "match" string
///     field      = memory_id | category | source | quality_score | timestamp | expires_at
///                | extra.NAME
///     value      = "string" | 'string' | number | date | true | false
///
/// A date is 2026-01-31, 2026-01-31T12:30:00 or with a Z: UTC. A quote is doubled within a string.
/// `content match` holds where all of its words occur. Words of the language in any case.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "memory/database.h"

namespace aios {

/// A condition on columns of the table `memory`, for a WHERE clause; never holds a user's text.
struct SqlCondition {
  std::string sql;  ///< empty: no condition
  std::vector<std::variant<int64_t, double, std::string>> parameters;
  void bind_to(Query& query) const;
};

/// @throws ConfigError with the offset of what is wrong
[[nodiscard]] SqlCondition parse_filter(std::string_view filter);

/// The words of a text as an FTS5 query that no character can break out of: all of them must occur,
/// or any. Empty if there is no word.
enum class WordQuery { kAll, kAny };
[[nodiscard]] std::string text_query(std::string_view text, WordQuery kind);

}  // namespace aios
