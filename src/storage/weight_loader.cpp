#include "storage/weight_loader.h"

#include <filesystem>
#include <map>
#include <regex>
#include <set>

#include "aios/error.h"
#include "storage/multi_file_loader.h"
#include "storage/parquet_reader.h"
#include "storage/safetensors_index.h"
#include "storage/safetensors_reader.h"

namespace aios {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<WeightLoader> open_file(const std::string& path) {
  if (path.ends_with(".parquet")) return std::make_unique<ParquetReader>(path);
  if (path.ends_with(".safetensors")) return std::make_unique<SafetensorsReader>(path);
  if (path.ends_with(".index.json")) return open_safetensors_index(path);
  throw FormatError("'" + path +
                    "' is no weight file: expected .parquet, .safetensors or .index.json");
}

/// The numbers i found among `weights-0000i-of-0000N.parquet` of a folder, for each N as written.
std::map<std::string, std::set<std::string>> numbered_files(const fs::path& folder) {
  static const std::regex kPattern(R"(weights-(\d{5})-of-(\d{5})\.parquet)");
  std::map<std::string, std::set<std::string>> numbers;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    std::smatch match;
    if (std::regex_match(name, match, kPattern)) numbers[match[2]].insert(match[1]);
  }
  return numbers;
}

/// All of `weights-00001-of-N.parquet` to `weights-N-of-N.parquet`; null if there is none of them.
std::unique_ptr<WeightLoader> open_numbered_files(const fs::path& folder) {
  const auto numbers = numbered_files(folder);
  if (numbers.empty()) return nullptr;
  const auto& [count, found] = *numbers.begin();
  if (numbers.size() > 1) {
    throw FormatError("'" + folder.string() + "' mixes weights of " + count + " and of " +
                      std::next(numbers.begin())->first + " files; remove the old ones");
  }
  auto loader = std::make_unique<MultiFileLoader>(folder.string());
  const int num_files = std::stoi(count);
  if (num_files == 0) throw FormatError("'" + folder.string() + "' has weights of 00000 files");
  for (int i = 1; i <= num_files; ++i) {
    const std::string digits = std::to_string(i);
    const std::string number = std::string(5 - digits.size(), '0') + digits;
    const std::string name = "weights-" + number + "-of-" + count + ".parquet";
    if (!found.contains(number)) {
      throw FormatError("'" + folder.string() + "' lacks " + name + "; fetch it again");
    }
    loader->add_file(std::make_unique<ParquetReader>((folder / name).string()));
  }
  return loader;
}

std::unique_ptr<WeightLoader> open_folder(const fs::path& folder) {
  if (fs::exists(folder / "weights.parquet")) return open_file(folder / "weights.parquet");
  if (auto loader = open_numbered_files(folder)) return loader;
  for (const char* name : {"model.safetensors", "model.safetensors.index.json"}) {
    if (fs::exists(folder / name)) return open_file(folder / name);
  }
  throw IoError("'" + folder.string() +
                "' has no weights: expected weights.parquet, weights-00001-of-N.parquet, "
                "model.safetensors or model.safetensors.index.json");
}

}  // namespace

std::unique_ptr<WeightLoader> WeightLoader::open(const std::string& path) {
  try {
    return fs::is_directory(path) ? open_folder(path) : open_file(path);
  } catch (const fs::filesystem_error& error) {
    throw IoError("cannot read '" + path + "': " + error.code().message());
  }
}

}  // namespace aios
