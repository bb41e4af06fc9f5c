/// The segment files of a store: their names, and those that are open. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "memory/vector_graph.h"
#include "storage/memory_segment.h"

namespace aios {

class SegmentFiles {
 public:
  explicit SegmentFiles(std::string directory) : directory_(std::move(directory)) {}

  [[nodiscard]] std::string path_of(int64_t segment_id) const;
  /// Opens it, or gives the open one. @throws IoError, FormatError
  [[nodiscard]] std::shared_ptr<const MemorySegment> open(int64_t segment_id);
  [[nodiscard]] std::string graph_path_of(int64_t segment_id) const;
  /// The segment's graph; null if it has none, or, what the log then says, none that is sound.
  /// @throws IoError, FormatError if the segment cannot be opened
  [[nodiscard]] std::shared_ptr<const VectorGraph> graph(int64_t segment_id);
  /// Looks for the segment's graph again when it is asked for next.
  void let_go_of_graph(int64_t segment_id);
  /// Forgets open ones that are not among `current`, and that there were no graphs; mappings stay
  /// while they are used.
  void keep_only(const std::set<int64_t>& current);
  /// Removes a segment's file and its sidecars. Readers keep what they have mapped.
  void remove(int64_t segment_id);
  /// Ids of the segment files that are there, ascending.
  [[nodiscard]] std::vector<int64_t> list() const;
  /// Removes what a killed writer left: temporary files, and segments that were never committed or
  /// are no longer used.
  void remove_all_but(const std::set<int64_t>& current);
  /// Removes what a repair set aside.
  void remove_set_aside();
  /// Makes removals certain: without it a power failure may bring a file back. @throws IoError
  void sync() const;

 private:
  std::string directory_;
  std::mutex mutex_;
  std::map<int64_t, std::shared_ptr<const MemorySegment>> open_;
  std::map<int64_t, std::shared_ptr<const VectorGraph>> graphs_;  // null: none
};

}  // namespace aios
