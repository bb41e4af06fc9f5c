#include "engine/canvas_text.h"

namespace aios {
namespace {

bool ends_with_space(std::string_view text) {
  return !text.empty() && std::string_view(" \t\r\n").find(text.back()) != std::string_view::npos;
}

}  // namespace

std::string text_of_range(const FastTokenizer& tokenizer, std::span<const int32_t> token_ids,
                          std::size_t begin, std::size_t end) {
  const std::string before = tokenizer.decode(token_ids.first(begin));
  const std::string whole = tokenizer.decode(token_ids.first(end));
  if (whole.starts_with(before)) return whole.substr(before.size());
  return tokenizer.decode(token_ids.subspan(begin, end - begin));
}

std::string text_of_hole(const FastTokenizer& tokenizer, std::span<const int32_t> token_ids,
                         std::size_t begin, std::size_t end, std::string_view given) {
  std::string text = text_of_range(tokenizer, token_ids, begin, end);
  const bool swallowed =
      ends_with_space(given) && !ends_with_space(tokenizer.decode(token_ids.first(begin)));
  if (swallowed && text.starts_with(' ')) text.erase(0, 1);
  return text;
}

}  // namespace aios
