#include "tokenizer/decoders/text_replacement.h"

#include <array>
#include <utility>

#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kCleanups = {{
    {" .", "."},
    {" ?", "?"},
    {" !", "!"},
    {" ,", ","},
    {" ' ", "'"},
    {" n't", "n't"},
    {" 'm", "'m"},
    {" do not", " don't"},
    {" 's", "'s"},
    {" 've", "'ve"},
    {" 're", "'re"},
}};

}  // namespace

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  std::size_t at = text.find(from);
  if (at == std::string::npos) return;
  std::string result;
  std::size_t copied = 0;
  while (at != std::string::npos) {
    result.append(text, copied, at - copied).append(to);
    copied = at + from.size();
    if (from.empty() && at == text.size()) break;
    at = text.find(from, from.empty() ? at + utf8_size(text[at]) : copied);
  }
  result.append(text, copied);
  text = std::move(result);
}

void clean_up(std::string& text) {
  for (const auto& [from, to] : kCleanups) replace_all(text, from, to);
}

}  // namespace aios::tokenizer
