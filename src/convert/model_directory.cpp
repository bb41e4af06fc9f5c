#include "convert/model_directory.h"

#include "aios/error.h"
#include "base/text_file.h"
#include "storage/atomic_file.h"

namespace aios {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileBytes = std::size_t{64} << 20U;

/// What a model directory may have beside config.json and weights; all of it is copied verbatim,
/// and so are tokenizers of SentencePiece and tiktoken, `*.model` and `*.tiktoken`.
constexpr const char* kCopiedFiles[] = {
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
    "chat_template.jinja",
    "modules.json",
    "config_sentence_transformers.json",
    "sentence_bert_config.json",
    "1_Pooling/config.json",
    "README.md",
    "LICENSE",
};

bool is_inside(const fs::path& path, const fs::path& directory) {
  const fs::path relative =
      fs::weakly_canonical(path).lexically_relative(fs::weakly_canonical(directory));
  return !relative.empty() && *relative.begin() != ".." && relative != ".";
}

}  // namespace

void check_output(const std::string& input, const std::string& output, bool overwrite) {
  if (is_inside(input, output)) {
    throw ConfigError("'" + output + "' holds the input '" + input + "': choose another output");
  }
  if (!fs::exists(output)) return;
  if (!fs::is_directory(output)) throw IoError("'" + output + "' is there and is no directory");
  if (fs::is_empty(output)) return;
  if (!overwrite) {
    throw IoError("'" + output + "' is there already; choose another name, or give --overwrite");
  }
  if (!fs::exists(fs::path(output) / "config.json")) {
    throw IoError("'" + output + "' is no model directory: it is not overwritten");
  }
}

std::vector<std::string> present_model_files(const fs::path& directory) {
  std::vector<std::string> names;
  for (const char* name : kCopiedFiles) {
    if (fs::is_regular_file(directory / name)) names.emplace_back(name);
  }
  for (const auto& entry : fs::directory_iterator(directory)) {
    const fs::path extension = entry.path().extension();
    if (entry.is_regular_file() && (extension == ".model" || extension == ".tiktoken")) {
      names.push_back(entry.path().filename());
    }
  }
  return names;
}

void copy_model_file(const fs::path& from, const std::string& name, const fs::path& to) {
  fs::create_directories((to / name).parent_path());
  const std::string bytes = read_text_file(from / name, kMaxFileBytes);
  AtomicFile file(to / name);
  file.write(bytes);
  file.commit();
}

}  // namespace aios
