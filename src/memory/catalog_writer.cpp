#include "memory/catalog_writer.h"

#include <sys/random.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "aios/error.h"
#include "memory/check_memory.h"

namespace aios {
namespace {

/// A UUID of version 7 (RFC 9562): milliseconds, then random bits.
std::string make_memory_id(int64_t now) {
  std::array<uint8_t, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw IoError("the system gives no random numbers for a memory_id");
  }
  const auto milliseconds = static_cast<uint64_t>(now / 1000);
  for (std::size_t i = 0; i < 6; ++i) {
    bytes[i] = static_cast<uint8_t>(milliseconds >> (40U - 8U * i));
  }
  bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0fU) | 0x70U);
  bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3fU) | 0x80U);
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    char digits[3];
    std::snprintf(digits, sizeof(digits), "%02x", bytes[i]);
    text += digits;
  }
  return text;
}

Collection read_collection(const Query& query) {
  Collection collection;
  collection.id = query.integer(0);
  collection.info.name = query.text(1);
  collection.info.dimension = static_cast<int32_t>(query.integer(2));
  collection.info.metric = metric_from_name(query.text(3));
  collection.info.embedding_model = query.text(4);
  return collection;
}

constexpr const char* kCollections =
    "SELECT collection_id, name, dimension, metric, embedding_model FROM collection";

}  // namespace

int64_t now_microseconds() noexcept {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

std::vector<Collection> list_collections(Database& database) {
  std::vector<Collection> collections;
  Query query(database, kCollections);
  while (query.step()) collections.push_back(read_collection(query));
  return collections;
}

Collection find_collection(Database& database, const std::string& name) {
  Query query(database, std::string(kCollections) + " WHERE name = ?");
  if (query.bind(name).step()) return read_collection(query);
  throw StorageError("'" + database.path() + "' has no collection '" + name +
                     "': create it, or add to it first");
}

MemoryRow to_row(const Memory& memory, int64_t sequence) noexcept {
  return {sequence,
          memory.memory_id,
          memory.timestamp,
          memory.expires_at,
          memory.content,
          memory.metadata.category,
          memory.metadata.source,
          memory.metadata.quality_score,
          memory.metadata.extra,
          memory.embedding};
}

SegmentRow find_sealed(Database& database, SegmentFiles& segments, int64_t collection_id,
                       int64_t sequence) {
  Query query(database,
              "SELECT segment_id FROM segment WHERE collection_id = ? AND first_sequence <= ? AND "
              "last_sequence >= ?");
  query.bind(collection_id).bind(sequence).bind(sequence);
  if (query.step()) {
    const auto segment = segments.open(query.integer(0));
    const int64_t row = segment->find(sequence);
    if (row >= 0) return {segment, row};
  }
  throw StorageError("'" + database.path() + "': no segment has memory " +
                     std::to_string(sequence) + "; run aios memory repair on its folder");
}

std::string read_content(Database& database, SegmentFiles& segments, int64_t collection_id,
                         int64_t sequence) {
  {
    Query hot(database, "SELECT content FROM hot WHERE sequence = ?");
    if (hot.bind(sequence).step()) return std::string(hot.text(0));
  }
  const SegmentRow sealed = find_sealed(database, segments, collection_id, sequence);
  return sealed.segment->content(sealed.row);
}

std::vector<float> read_embedding(Database& database, SegmentFiles& segments, int64_t collection_id,
                                  int64_t sequence) {
  {
    Query hot(database, "SELECT embedding FROM hot WHERE sequence = ?");
    if (hot.bind(sequence).step()) {
      const std::span<const std::byte> blob = hot.blob(0);
      std::vector<float> embedding(blob.size() / sizeof(float));
      std::memcpy(embedding.data(), blob.data(), embedding.size() * sizeof(float));
      return embedding;
    }
  }
  const SegmentRow sealed = find_sealed(database, segments, collection_id, sequence);
  const std::span<const float> embedding = sealed.segment->embedding(sealed.row);
  return {embedding.begin(), embedding.end()};
}

void CatalogWriter::create_collection(const CollectionInfo& info) {
  check_collection(info);
  Transaction transaction(database_, Transaction::Kind::kWrite);
  {
    Query insert(database_,
                 "INSERT INTO collection(name, dimension, metric, embedding_model) "
                 "VALUES(?, ?, ?, ?) ON CONFLICT DO NOTHING");
    insert.bind(info.name).bind(info.dimension).bind(metric_name(info.metric));
    insert.bind(info.embedding_model).run();
  }
  if (database_.num_changes() == 0) {
    const CollectionInfo there = find_collection(database_, info.name).info;
    const bool same_model = there.embedding_model == info.embedding_model ||
                            there.embedding_model.empty() || info.embedding_model.empty();
    if (there.dimension != info.dimension || there.metric != info.metric || !same_model) {
      throw StorageError(
          "collection '" + info.name + "' is of dimension " + std::to_string(there.dimension) +
          ", metric " + std::string(metric_name(there.metric)) + ", embedding model '" +
          there.embedding_model + "': use those, another collection, or aios memory reembed");
    }
  }
  transaction.commit();
}

bool CatalogWriter::insert(const Collection& collection, const Memory& memory,
                           const std::string& memory_id, int64_t now) {
  Query row(database_,
            "INSERT INTO memory(collection_id, memory_id, timestamp, expires_at, category, source, "
            "quality_score, extra) VALUES(?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
  row.bind(collection.id).bind(memory_id).bind(memory.timestamp == 0 ? now : memory.timestamp);
  row.bind(memory.expires_at).bind(memory.metadata.category).bind(memory.metadata.source);
  row.bind(static_cast<double>(memory.metadata.quality_score)).bind(memory.metadata.extra).run();
  if (database_.num_changes() == 0) return false;
  const int64_t sequence = database_.last_rowid();
  Query hot(database_,
            "INSERT INTO hot(sequence, collection_id, content, embedding) VALUES(?, ?, ?, ?)");
  hot.bind(sequence).bind(collection.id).bind(memory.content);
  hot.bind(std::as_bytes(std::span(memory.embedding))).run();
  Query text(database_, "INSERT INTO text_index(rowid, content) VALUES(?, ?)");
  text.bind(sequence).bind(memory.content).run();
  return true;
}

bool CatalogWriter::make_room(const Collection& collection, const std::string& memory_id,
                              bool replaces, int64_t now) {
  int64_t sequence = 0;
  {
    Query row(database_,
              "SELECT sequence, expires_at FROM memory WHERE collection_id = ? AND memory_id = ?");
    if (!row.bind(collection.id).bind(memory_id).step()) return true;
    const std::optional<int64_t> expires_at = row.optional_integer(1);
    const bool expired = expires_at && *expires_at <= now;
    if (!replaces && !expired) return false;
    sequence = row.integer(0);
  }
  remove_row(collection.id, sequence);
  return true;
}

AddResult CatalogWriter::add(const std::string& name, std::span<const Memory> memories,
                             bool replaces) {
  const int64_t now = now_microseconds();
  Transaction transaction(database_, Transaction::Kind::kWrite);
  const Collection collection = find_collection(database_, name);
  for (const Memory& memory : memories) check_memory(memory, collection.info);
  AddResult result;
  for (const Memory& memory : memories) {
    const std::string id = memory.memory_id.empty() ? make_memory_id(now) : memory.memory_id;
    bool added = insert(collection, memory, id, now);
    if (!added && make_room(collection, id, replaces, now)) {
      added = insert(collection, memory, id, now);
    }
    result.num_added += added ? 1 : 0;
    result.memory_ids.push_back(id);
  }
  transaction.commit();
  return result;
}

void CatalogWriter::remove_row(int64_t collection_id, int64_t sequence) {
  // A text index without contents must be told what it is to forget.
  const std::string content = read_content(database_, segments_, collection_id, sequence);
  Query text(database_,
             "INSERT INTO text_index(text_index, rowid, content) VALUES('delete', ?, ?)");
  text.bind(sequence).bind(content).run();
  Query hot(database_, "DELETE FROM hot WHERE sequence = ?");
  hot.bind(sequence).run();
  const int64_t was_hot = database_.num_changes();
  Query(database_, "DELETE FROM new_embedding WHERE sequence = ?").bind(sequence).run();
  Query row(database_, "DELETE FROM memory WHERE sequence = ?");
  row.bind(sequence).run();
  Query tombstone(database_,
                  "INSERT INTO tombstone(sequence, collection_id, in_segment) VALUES(?, ?, ?)");
  tombstone.bind(sequence).bind(collection_id).bind(1 - was_hot).run();
  Query(database_, "UPDATE state SET num_removed = num_removed + 1").run();
}

bool CatalogWriter::edit(const std::string& name, const std::string& memory_id,
                         const MemoryMetadata& metadata, std::optional<int64_t> expires_at) {
  check_metadata(metadata, "memory '" + memory_id + "'");
  Transaction transaction(database_, Transaction::Kind::kWrite);
  const Collection collection = find_collection(database_, name);
  Memory memory;
  int64_t sequence = 0;
  {
    Query row(database_,
              "SELECT sequence, timestamp FROM memory WHERE collection_id = ? AND memory_id = ? "
              "AND (expires_at IS NULL OR expires_at > ?)");
    row.bind(collection.id).bind(memory_id).bind(now_microseconds());
    if (!row.step()) return false;
    sequence = row.integer(0);
    memory.timestamp = row.integer(1);
  }
  memory.content = read_content(database_, segments_, collection.id, sequence);
  memory.embedding = read_embedding(database_, segments_, collection.id, sequence);
  memory.metadata = metadata;
  memory.expires_at = expires_at;
  remove_row(collection.id, sequence);
  insert(collection, memory, memory_id, memory.timestamp);
  transaction.commit();
  return true;
}

int64_t CatalogWriter::remove(const std::string& name, std::span<const std::string> memory_ids,
                              bool erases) {
  Transaction transaction(database_, Transaction::Kind::kWrite);
  const Collection collection = find_collection(database_, name);
  const int64_t now = now_microseconds();
  int64_t num_removed = 0;
  for (const std::string& memory_id : memory_ids) {
    int64_t sequence = 0;
    {
      Query row(
          database_,
          "SELECT sequence, expires_at FROM memory WHERE collection_id = ? AND memory_id = ?");
      if (!row.bind(collection.id).bind(memory_id).step()) continue;
      sequence = row.integer(0);
      const std::optional<int64_t> expires_at = row.optional_integer(1);
      num_removed += expires_at && *expires_at <= now ? 0 : 1;
    }
    remove_row(collection.id, sequence);
  }
  if (erases) database_.execute("UPDATE state SET erasure_pending = 1");
  transaction.commit();
  return num_removed;
}

int64_t CatalogWriter::expire() {
  struct Row {
    int64_t collection_id;
    int64_t sequence;
  };
  Transaction transaction(database_, Transaction::Kind::kWrite);
  std::vector<Row> rows;
  {
    Query expired(database_,
                  "SELECT collection_id, sequence FROM memory WHERE expires_at IS NOT NULL AND "
                  "expires_at <= ?");
    expired.bind(now_microseconds());
    while (expired.step()) rows.push_back({expired.integer(0), expired.integer(1)});
  }
  for (const Row& row : rows) remove_row(row.collection_id, row.sequence);
  transaction.commit();
  return static_cast<int64_t>(rows.size());
}

}  // namespace aios
