#include "memory/store_reader.h"

#include <filesystem>
#include <set>

#include "aios/error.h"
#include "memory/catalog_schema.h"

namespace aios {
namespace {

std::string catalog_in(const std::string& directory) {
  const std::string path = directory + "/" + kCatalogName;
  if (!std::filesystem::exists(path)) {
    throw StorageError("'" + directory + "' holds no memory store: it has no " + kCatalogName);
  }
  return path;
}

}  // namespace

StoreReader::StoreReader(const std::string& directory, SegmentFiles& segments)
    : database_(catalog_in(directory), DatabaseMode::kReadOnly), segments_(segments) {
  check_catalog(database_);
}

int64_t StoreReader::generation() const {
  return query_integer(database_, "SELECT generation FROM state");
}

void StoreReader::let_go_of_replaced_segments(int64_t generation) const {
  std::set<int64_t> current;
  Query query(database_, "SELECT segment_id FROM segment");
  while (query.step()) current.insert(query.integer(0));
  segments_.keep_only(current);
  seen_generation_ = generation;
}

LiveRows& StoreReader::live_rows(const Collection& collection) const {
  const auto old = live_rows_.find(collection.id);
  if (old != live_rows_.end() &&
      (old->second.collection().dimension != collection.info.dimension ||
       old->second.collection().embedding_model != collection.info.embedding_model)) {
    live_rows_.erase(old);  // its vectors were made anew
  }
  const auto [rows, is_new] =
      live_rows_.try_emplace(collection.id, database_, segments_, collection);
  rows->second.refresh();
  return rows->second;
}

std::vector<int64_t> StoreReader::select(const Collection& collection, const SqlCondition& filter,
                                         int64_t now) const {
  Query query(database_,
              "SELECT sequence FROM memory WHERE collection_id = ? AND (expires_at IS NULL OR "
              "expires_at > ?)" +
                  (filter.sql.empty() ? std::string() : " AND (" + filter.sql + ")") +
                  " ORDER BY sequence");
  query.bind(collection.id).bind(now);
  filter.bind_to(query);
  std::vector<int64_t> sequences;
  while (query.step()) sequences.push_back(query.integer(0));
  return sequences;
}

Memory StoreReader::load(const Collection& collection, int64_t sequence,
                         const MemoryParts& parts) const {
  Memory memory;
  {
    Query row(database_,
              "SELECT memory_id, timestamp, expires_at, category, source, quality_score, extra "
              "FROM memory WHERE sequence = ?");
    if (!row.bind(sequence).step()) {
      throw StorageError("'" + database_.path() + "' lacks memory " + std::to_string(sequence) +
                         "; run aios memory repair on its folder");
    }
    memory.memory_id = row.text(0);
    memory.timestamp = row.integer(1);
    memory.expires_at = row.optional_integer(2);
    memory.metadata.category = row.text(3);
    memory.metadata.source = row.text(4);
    memory.metadata.quality_score = static_cast<float>(row.real(5));
    memory.metadata.extra = row.text(6);
  }
  if (parts.content) {
    memory.content = read_content(database_, segments_, collection.id, sequence);
  }
  if (parts.embedding) {
    memory.embedding = read_embedding(database_, segments_, collection.id, sequence);
  }
  return memory;
}

}  // namespace aios
