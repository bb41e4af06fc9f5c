#include <algorithm>
#include <filesystem>
#include <set>

#include "aios/error.h"
#include "memory/catalog_schema.h"
#include "memory/storage_implementation.h"

namespace aios {
namespace {

namespace fs = std::filesystem;

void check_config(const StorageConfig& config) {
  if (config.seal_rows < 1 || config.max_segment_rows < 1) {
    throw ConfigError("seal_rows and max_segment_rows must be at least 1");
  }
  if (config.graph_rows < 0) throw ConfigError("graph_rows must be at least 0");
  if (!(config.lock_timeout >= 0)) throw ConfigError("lock_timeout must be at least 0 seconds");
}

int64_t file_bytes(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  return error ? 0 : static_cast<int64_t>(size);
}

}  // namespace

std::string_view metric_name(Metric metric) noexcept {
  switch (metric) {
    case Metric::kCosine:
      return "cosine";
    case Metric::kInnerProduct:
      return "inner_product";
    case Metric::kL2:
      return "l2";
  }
  return "";
}

Metric metric_from_name(std::string_view name) {
  for (const Metric metric : {Metric::kCosine, Metric::kInnerProduct, Metric::kL2}) {
    if (metric_name(metric) == name) return metric;
  }
  throw ConfigError("metric must be one of cosine|inner_product|l2, not '" + std::string(name) +
                    "'");
}

ArrowStorage::Implementation::Implementation(const std::string& path, const StorageConfig& options)
    : directory(path), config(options), segments(path) {
  check_config(config);
  if (!config.read_only) writer = std::make_unique<StoreWriter>(directory, config, segments);
  reader = std::make_unique<StoreReader>(directory, segments);
}

StoreWriter& ArrowStorage::Implementation::writing() const {
  if (writer == nullptr) {
    throw StorageError("'" + directory + "' was opened read-only: open it for writing");
  }
  return *writer;
}

ArrowStorage::ArrowStorage(const std::string& directory, const StorageConfig& config)
    : implementation_(std::make_unique<Implementation>(directory, config)) {}

ArrowStorage::~ArrowStorage() = default;

const std::string& ArrowStorage::directory() const noexcept { return implementation_->directory; }

void ArrowStorage::create_collection(const CollectionInfo& info) {
  implementation_->writing().change([&](CatalogWriter& catalog) {
    catalog.create_collection(info);
    return 0;
  });
}

CollectionInfo ArrowStorage::collection(const std::string& name) const {
  const StoreReader& reader = *implementation_->reader;
  return reader.read([&] { return find_collection(reader.database(), name).info; });
}

AddResult ArrowStorage::add(const std::string& collection, std::span<const Memory> memories) {
  return implementation_->writing().change(
      [&](CatalogWriter& catalog) { return catalog.add(collection, memories, false); });
}

AddResult ArrowStorage::upsert(const std::string& collection, std::span<const Memory> memories) {
  return implementation_->writing().change(
      [&](CatalogWriter& catalog) { return catalog.add(collection, memories, true); });
}

bool ArrowStorage::edit(const std::string& collection, const std::string& memory_id,
                        const MemoryMetadata& metadata, std::optional<int64_t> expires_at) {
  return implementation_->writing().change([&](CatalogWriter& catalog) {
    return catalog.edit(collection, memory_id, metadata, expires_at);
  });
}

int64_t ArrowStorage::remove(const std::string& collection,
                             std::span<const std::string> memory_ids) {
  return implementation_->writing().change(
      [&](CatalogWriter& catalog) { return catalog.remove(collection, memory_ids, false); });
}

int64_t ArrowStorage::expire() {
  return implementation_->writing().change(
      [&](CatalogWriter& catalog) { return catalog.expire(); });
}

int64_t ArrowStorage::forget(const std::string& collection,
                             std::span<const std::string> memory_ids) {
  StoreWriter& writer = implementation_->writing();
  const int64_t num_removed = writer.change(
      [&](CatalogWriter& catalog) { return catalog.remove(collection, memory_ids, true); });
  writer.maintainer().erase_traces();
  return num_removed;
}

std::optional<Memory> ArrowStorage::get(const std::string& collection,
                                        const std::string& memory_id) const {
  const StoreReader& reader = *implementation_->reader;
  return reader.read([&]() -> std::optional<Memory> {
    const Collection found = find_collection(reader.database(), collection);
    int64_t sequence = 0;
    {
      Query row(reader.database(),
                "SELECT sequence FROM memory WHERE collection_id = ? AND memory_id = ? AND "
                "(expires_at IS NULL OR expires_at > ?)");
      if (!row.bind(found.id).bind(memory_id).bind(now_microseconds()).step()) return std::nullopt;
      sequence = row.integer(0);
    }
    return reader.load(found, sequence);
  });
}

std::vector<Memory> ArrowStorage::list(const ListRequest& request) const {
  if (request.limit < 0 || request.offset < 0) {
    throw ConfigError("limit and offset must not be negative");
  }
  const SqlCondition filter = parse_filter(request.filter);
  const StoreReader& reader = *implementation_->reader;
  return reader.read([&] {
    const Collection collection = find_collection(reader.database(), request.collection);
    std::vector<int64_t> sequences;
    {
      Query query(reader.database(),
                  "SELECT sequence FROM memory WHERE collection_id = ? AND (expires_at IS NULL OR "
                  "expires_at > ?)" +
                      (filter.sql.empty() ? std::string() : " AND (" + filter.sql + ")") +
                      (request.newest_first ? " ORDER BY timestamp DESC, sequence DESC"
                                            : " ORDER BY sequence") +
                      " LIMIT ? OFFSET ?");
      query.bind(collection.id).bind(now_microseconds());
      filter.bind_to(query);
      query.bind(request.limit).bind(request.offset);
      while (query.step()) sequences.push_back(query.integer(0));
    }
    std::vector<Memory> memories;
    for (const int64_t sequence : sequences) memories.push_back(reader.load(collection, sequence));
    return memories;
  });
}

StorageStats ArrowStorage::stats() const {
  const StoreReader& reader = *implementation_->reader;
  StorageStats stats = reader.read([&] {
    StorageStats counts;
    Database& database = reader.database();
    for (const Collection& collection : list_collections(database)) {
      const auto count = [&](const char* sql, bool timed = false) {
        Query query(database, sql);
        query.bind(collection.id);
        if (timed) query.bind(now_microseconds());
        return query.step() ? query.integer(0) : 0;
      };
      CollectionStats& entry = counts.collections.emplace_back();
      entry.info = collection.info;
      entry.num_memories = count(
          "SELECT count(*) FROM memory WHERE collection_id = ? AND (expires_at IS NULL OR "
          "expires_at > ?)",
          true);
      entry.num_hot = count("SELECT count(*) FROM hot WHERE collection_id = ?");
      entry.num_segments = count("SELECT count(*) FROM segment WHERE collection_id = ?");
      entry.num_dead =
          count("SELECT count(*) FROM tombstone WHERE collection_id = ? AND in_segment = 1");
      Query segments(database, "SELECT segment_id, num_rows FROM segment WHERE collection_id = ?");
      segments.bind(collection.id);
      while (segments.step()) {
        const int64_t bytes = file_bytes(reader.segments().graph_path_of(segments.integer(0)));
        entry.num_graph_rows += bytes > 0 ? segments.integer(1) : 0;
        counts.graph_bytes += bytes;
      }
    }
    Query bytes(database, "SELECT coalesce(sum(num_bytes), 0) FROM segment");
    if (bytes.step()) counts.segment_bytes = bytes.integer(0);
    return counts;
  });
  const std::string catalog = implementation_->directory + "/" + kCatalogName;
  stats.catalog_bytes = file_bytes(catalog) + file_bytes(catalog + "-wal");
  return stats;
}

void ArrowStorage::compact() {
  StoreWriter& writer = implementation_->writing();
  writer.change([](CatalogWriter& catalog) { return catalog.expire(); });
  writer.maintainer().seal(1);
  writer.maintain();
  writer.maintainer().shrink();
  writer.maintainer().build_graphs(0, [] { return false; });
}

void ArrowStorage::checkpoint() {
  StoreWriter& writer = implementation_->writing();
  writer.change([](CatalogWriter& catalog) { return catalog.expire(); });
  if (writer.maintainer().erasure_pending()) writer.maintainer().erase_traces();
  writer.maintainer().seal(1);
  writer.maintainer().purge_dead_rows();
  writer.maintainer().empty_log();
}

}  // namespace aios
