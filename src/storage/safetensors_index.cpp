#include "storage/safetensors_index.h"

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "aios/error.h"
#include "base/text_file.h"
#include "storage/multi_file_loader.h"
#include "storage/safetensors_header.h"
#include "storage/safetensors_reader.h"

namespace aios {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 8;

/// Refuses names that occur twice in an object, and nesting that no index has.
class StrictObjects {
 public:
  explicit StrictObjects(const std::string& path) : path_(path) {}

  bool operator()(int depth, json::parse_event_t event, const json& token) {
    if (depth > kMaxDepth) throw FormatError("'" + path_ + "' nests too deep for an index");
    if (event == json::parse_event_t::object_start) {
      keys_.resize(static_cast<std::size_t>(depth) + 1);
      keys_.back().clear();
    } else if (event == json::parse_event_t::key) {
      const auto& name = token.get_ref<const std::string&>();
      if (!keys_[static_cast<std::size_t>(depth) - 1].insert(name).second) {
        throw FormatError("'" + path_ + "' has '" + name + "' twice");
      }
    }
    return true;
  }

 private:
  const std::string& path_;
  std::vector<std::set<std::string>> keys_;  // of the open objects, by depth
};

json parse_index(const std::string& path) {
  try {
    return json::parse(read_text_file(path, kMaxSafetensorsHeaderBytes), StrictObjects(path));
  } catch (const json::exception& error) {
    throw FormatError("'" + path + "' is no JSON: " + error.what());
  }
}

/// The names of each shard, sorted.
std::map<std::string, std::vector<std::string>> names_by_shard(const json& index,
                                                               const std::string& path) {
  const auto weight_map = index.find("weight_map");
  if (!index.is_object() || weight_map == index.end() || !weight_map->is_object() ||
      weight_map->empty()) {
    throw FormatError("'" + path + "' has no weight_map from tensors to files");
  }
  std::map<std::string, std::vector<std::string>> shards;
  for (const auto& [name, file] : weight_map->items()) {  // in ascending order of names
    const std::string shard = file.is_string() ? file.get<std::string>() : "";
    if (shard.empty() || shard == "." || shard == ".." ||
        shard.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos) {
      throw FormatError("'" + path + "': tensor '" + name +
                        "' must be in a file of the same folder, not in " + file.dump());
    }
    shards[shard].push_back(name);
  }
  return shards;
}

}  // namespace

std::unique_ptr<WeightLoader> open_safetensors_index(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  auto loader = std::make_unique<MultiFileLoader>(path);
  for (const auto& [shard, names] : names_by_shard(parse_index(path), path)) {
    loader->add_file(std::make_unique<SafetensorsReader>((folder / shard).string()), names);
  }
  return loader;
}

}  // namespace aios
