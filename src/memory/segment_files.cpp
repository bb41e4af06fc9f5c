#include "memory/segment_files.h"

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "aios/error.h"
#include "base/log.h"
#include "memory/graph_file.h"
#include "storage/atomic_file.h"

namespace aios {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "segment-";

/// The number in `segment-00000012.parquet` and in the names of its sidecars and temporary files.
std::optional<int64_t> segment_id_of(std::string_view name) {
  if (name.starts_with('.')) name.remove_prefix(1);
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  int64_t id = 0;
  const auto [rest, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error != std::errc() || rest == name.data() + name.size() || *rest != '.')
    return std::nullopt;
  return id;
}

template <typename Visit>
void for_each_file(const std::string& directory, Visit visit) {
  std::error_code error;
  for (fs::directory_iterator file(directory, error), end; !error && file != end;
       file.increment(error)) {
    visit(*file);
  }
  if (error) throw IoError("cannot list '" + directory + "': " + error.message());
}

void remove_files(const std::vector<fs::path>& files) {
  for (const fs::path& file : files) {
    std::error_code error;
    fs::remove(file, error);
    if (error) throw IoError("cannot remove '" + file.string() + "': " + error.message());
  }
}

std::string named(const std::string& directory, int64_t segment_id, const char* suffix) {
  char name[48];
  std::snprintf(name, sizeof(name), "/segment-%08lld.%s", static_cast<long long>(segment_id),
                suffix);
  return directory + name;
}

/// A graph is worth less than a search that goes on without it.
std::shared_ptr<const VectorGraph> open_sound_graph(const std::string& path,
                                                    const MemorySegment& segment) {
  if (!fs::exists(path)) return nullptr;
  try {
    return std::make_shared<const VectorGraph>(open_graph(path, GraphRows::of(segment)));
  } catch (const Error& error) {
    log_message(LogLevel::kWarning, error.what());
    return nullptr;
  }
}

}  // namespace

std::string SegmentFiles::path_of(int64_t segment_id) const {
  return named(directory_, segment_id, "parquet");
}

std::string SegmentFiles::graph_path_of(int64_t segment_id) const {
  return named(directory_, segment_id, "graph");
}

std::shared_ptr<const MemorySegment> SegmentFiles::open(int64_t segment_id) {
  const std::lock_guard lock(mutex_);
  auto& segment = open_[segment_id];
  if (segment == nullptr) segment = MemorySegment::open(path_of(segment_id));
  return segment;
}

std::shared_ptr<const VectorGraph> SegmentFiles::graph(int64_t segment_id) {
  const auto segment = open(segment_id);
  const std::lock_guard lock(mutex_);
  const auto [entry, is_new] = graphs_.try_emplace(segment_id);
  if (is_new) entry->second = open_sound_graph(graph_path_of(segment_id), *segment);
  return entry->second;
}

void SegmentFiles::let_go_of_graph(int64_t segment_id) {
  const std::lock_guard lock(mutex_);
  graphs_.erase(segment_id);
}

void SegmentFiles::keep_only(const std::set<int64_t>& current) {
  const std::lock_guard lock(mutex_);
  std::erase_if(graphs_, [&](const auto& entry) {
    return entry.second == nullptr || !current.contains(entry.first);
  });
  std::erase_if(open_, [&](const auto& entry) { return !current.contains(entry.first); });
}

void SegmentFiles::remove(int64_t segment_id) {
  std::vector<fs::path> files;
  for_each_file(directory_, [&](const fs::directory_entry& file) {
    if (segment_id_of(file.path().filename().string()) == segment_id) files.push_back(file.path());
  });
  remove_files(files);
  const std::lock_guard lock(mutex_);
  open_.erase(segment_id);
  graphs_.erase(segment_id);
}

std::vector<int64_t> SegmentFiles::list() const {
  std::set<int64_t> ids;
  for_each_file(directory_, [&](const fs::directory_entry& file) {
    const std::string name = file.path().filename().string();
    const auto id = segment_id_of(name);
    if (id && path_of(*id) == directory_ + "/" + name) ids.insert(*id);
  });
  return {ids.begin(), ids.end()};
}

void SegmentFiles::remove_all_but(const std::set<int64_t>& current) {
  std::vector<fs::path> files;
  for_each_file(directory_, [&](const fs::directory_entry& file) {
    const std::string name = file.path().filename().string();
    const auto id = segment_id_of(name);
    const bool damaged = name.ends_with(".damaged");  // set aside by a repair
    if (id && !damaged && (name.starts_with('.') || !current.contains(*id))) {
      files.push_back(file.path());
    }
  });
  remove_files(files);
}

void SegmentFiles::remove_set_aside() {
  std::vector<fs::path> files;
  for_each_file(directory_, [&](const fs::directory_entry& file) {
    const std::string name = file.path().filename().string();
    if (name.find(".damaged") != std::string::npos) files.push_back(file.path());
  });
  remove_files(files);
}

void SegmentFiles::sync() const { sync_folder(directory_, directory_); }

}  // namespace aios
