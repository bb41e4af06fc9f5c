#include <algorithm>

#include "memory/graph_file.h"
#include "memory/maintainer.h"

namespace aios {
namespace {

/// Below, a walk would read as many rows as there are.
constexpr int64_t kMinGraphRows = 256;

}  // namespace

std::vector<int64_t> Maintainer::segments_without_graph() {
  const std::lock_guard lock(write_mutex_);
  std::vector<int64_t> ids;
  for (const Collection& collection : list_collections(database_)) {
    int64_t num_sealed = 0;
    std::vector<int64_t> large;
    for (const Segment& segment : list_segments(collection.id)) {
      num_sealed += segment.num_rows;
      if (segment.num_rows >= std::min(kMinGraphRows, config_.graph_rows))
        large.push_back(segment.id);
    }
    if (num_sealed >= config_.graph_rows) ids.insert(ids.end(), large.begin(), large.end());
  }
  std::erase_if(ids, [&](int64_t id) { return segments_.graph(id) != nullptr; });
  return ids;
}

void Maintainer::build_graphs(int num_threads, FunctionRef<bool()> interrupted) {
  if (config_.graph_rows == 0) return;
  const std::vector<int64_t> ids = segments_without_graph();
  if (ids.empty()) return;
  ThreadPool pool(num_threads);
  for (const int64_t id : ids) {
    if (!build_graph_of(id, pool, interrupted)) return;
  }
}

/// Without locks but to publish it, so that a `forget` need not wait: a segment that was replaced
/// meanwhile gets none. @return false if it was interrupted
bool Maintainer::build_graph_of(int64_t segment_id, ThreadPool& pool,
                                FunctionRef<bool()> interrupted) {
  const int64_t before = num_rewrites_;
  const auto segment = [&] {
    const std::lock_guard turn(turn_);
    return is_current(segment_id) ? segments_.open(segment_id) : nullptr;
  }();
  if (segment == nullptr) return true;
  const GraphRows rows = GraphRows::of(*segment);
  const auto graph = build_graph(rows, kernels_for(choose_isa()), pool,
                                 [&] { return num_rewrites_ != before || interrupted(); });
  if (!graph) return false;
  const std::lock_guard turn(turn_);
  if (!is_current(segment_id)) return true;
  write_graph(segments_.graph_path_of(segment_id), *graph, rows);
  segments_.let_go_of_graph(segment_id);
  const std::lock_guard lock(write_mutex_);
  Transaction transaction(database_, Transaction::Kind::kWrite);
  database_.execute("UPDATE state SET generation = generation + 1");  // readers look again
  transaction.commit();
  return true;
}

bool Maintainer::is_current(int64_t segment_id) {
  const std::lock_guard lock(write_mutex_);
  Query query(database_, "SELECT 1 FROM segment WHERE segment_id = ?");
  return query.bind(segment_id).step();
}

}  // namespace aios
