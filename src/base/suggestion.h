/// "Did you mean": the nearest of the known words.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace aios {

/// The known word with the fewest edits (insert, delete, replace, swap of neighbours; Damerau 1964)
/// from `word`, if they are at most a third of its length, rounded up; else empty. Ties: the first.
[[nodiscard]] std::string nearest_word(std::string_view word, std::span<const std::string> known);

/// `; did you mean 'x'?`, or nothing when no known word is near.
[[nodiscard]] std::string suggestion(std::string_view word, std::span<const std::string> known);

}  // namespace aios
