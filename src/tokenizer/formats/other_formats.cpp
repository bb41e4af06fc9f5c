#include "tokenizer/formats/other_formats.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <vector>

#include "aios/error.h"
#include "base/text_file.h"
#include "tokenizer/file_limits.h"
#include "tokenizer/formats/sentence_piece.h"
#include "tokenizer/formats/tiktoken.h"

namespace aios::tokenizer {
namespace {

namespace fs = std::filesystem;

/// Files of SentencePiece and tiktoken in `folder`, by name.
std::vector<fs::path> model_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    if (is_model_file(entry.path())) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

bool is_model_file(const fs::path& file) {
  return file.extension() == ".model" || file.extension() == ".tiktoken";
}

TokenizerDocument read_model_file(const fs::path& file) {
  const std::string bytes = read_text_file(file.string(), kMaxModelFileBytes);
  const FolderConfig config(file.has_parent_path() ? file.parent_path() : fs::path("."));
  // A SentencePiece model begins with its first piece, field 1 with a length; base64 has no such
  // byte.
  if (bytes.starts_with('\n')) return read_sentence_piece(bytes, file, config);
  return read_tiktoken(bytes, file, config);
}

bool has_other_format(const fs::path& folder) {
  return fs::exists(folder / "vocab.json") || fs::exists(folder / "vocab.txt") ||
         !model_files(folder).empty();
}

std::optional<TokenizerDocument> read_other_format(const fs::path& folder) {
  if (fs::exists(folder / "vocab.json")) return read_vocab_json(folder, FolderConfig(folder));
  if (fs::exists(folder / "vocab.txt")) return read_vocab_txt(folder, FolderConfig(folder));
  const std::vector<fs::path> files = model_files(folder);
  if (files.empty()) return std::nullopt;
  if (files.size() > 1) {
    throw FormatError("'" + folder.string() + "' has both " + files[0].filename().string() +
                      " and " + files[1].filename().string() +
                      ", and no tokenizer.json: give the path of one of them");
  }
  return read_model_file(files.front());
}

}  // namespace aios::tokenizer
