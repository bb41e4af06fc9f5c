#include "tokenizer/formats/other_formats.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace aios::tokenizer {

namespace {

using Read = TokenizerDocument (*)(const std::filesystem::path& folder, const FolderConfig& config);

/// By the file that tells.
constexpr std::pair<const char*, Read> kFormats[] = {
    {"vocab.json", read_vocab_json},
    {"vocab.txt", read_vocab_txt},
};

}  // namespace

bool has_other_format(const std::filesystem::path& folder) {
  return std::any_of(std::begin(kFormats), std::end(kFormats), [&](const auto& format) {
    return std::filesystem::exists(folder / format.first);
  });
}

std::optional<TokenizerDocument> read_other_format(const std::filesystem::path& folder) {
  for (const auto& [name, read] : kFormats) {
    if (std::filesystem::exists(folder / name)) return read(folder, FolderConfig(folder));
  }
  return std::nullopt;
}

}  // namespace aios::tokenizer
