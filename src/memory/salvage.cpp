#include "memory/salvage.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "aios/error.h"
#include "memory/catalog_schema.h"
#include "memory/catalog_writer.h"
#include "memory/text_index.h"

namespace aios {
namespace {

struct Table {
  const char* name;
  const char* key;
  int num_columns;
};

// Those whose rows are memories or say which are live; all else can be made from them and from the
// segments.
constexpr std::array<Table, 4> kTables = {
    Table{"collection", "collection_id", 5}, Table{"memory", "sequence", 9},
    Table{"hot", "sequence", 4}, Table{"tombstone", "tombstone_id", 4}};

/// Copies rows in one order until the end or until one cannot be read. @return what stopped it
std::string copy_rows(Database& from, Database& to, const Table& table, const char* order) {
  std::string marks = "?";
  for (int i = 1; i < table.num_columns; ++i) marks += ", ?";
  try {
    Query rows(from, std::string("SELECT * FROM ") + table.name + " NOT INDEXED ORDER BY " +
                         table.key + order);
    Query insert(to, std::string("INSERT OR IGNORE INTO ") + table.name + " VALUES(" + marks + ")");
    while (rows.step()) {
      for (int i = 0; i < table.num_columns; ++i) insert.bind_column(rows, i);
      insert.run();
    }
  } catch (const StorageError& error) {
    return error.what();
  }
  return {};
}

void copy_tables(Database& from, Database& to, std::vector<std::string>& findings) {
  for (const Table& table : kTables) {
    const std::string stop = copy_rows(from, to, table, "");
    if (stop.empty()) continue;
    copy_rows(from, to, table, " DESC");
    findings.push_back(std::string("table ") + table.name + ": not all rows can be read: " + stop);
  }
  // Rows whose values were damaged without their shape.
  to.execute(
      "DELETE FROM collection WHERE typeof(name) != 'text' OR typeof(dimension) != 'integer' OR "
      "dimension NOT BETWEEN 1 AND 65536 OR metric NOT IN ('cosine', 'inner_product', 'l2');"
      "DELETE FROM memory WHERE typeof(memory_id) != 'text' OR typeof(timestamp) != 'integer';");
}

/// The segments that the old catalogue names; none if that cannot be read to its end.
std::set<int64_t> named_segments(Database& from) {
  std::set<int64_t> ids;
  try {
    Query query(from, "SELECT segment_id FROM segment NOT INDEXED ORDER BY 1");
    while (query.step()) ids.insert(query.integer(0));
  } catch (const StorageError&) {
    ids.clear();
  }
  return ids;
}

/// Names a sound segment in the catalogue, and the collection that it says it is of where that is
/// not there; unless another collection of that name differs, or another segment overlaps it.
void adopt_segment(Database& database, const MemorySegment& segment, int64_t segment_id) {
  const SegmentCollection& of = segment.collection();
  {
    Query insert(database,
                 "INSERT OR IGNORE INTO collection(name, dimension, metric, embedding_model) "
                 "VALUES(?, ?, ?, ?)");
    insert.bind(of.name).bind(of.dimension).bind(of.metric).bind(of.embedding_model).run();
  }
  const Collection collection = find_collection(database, of.name);
  if (collection.info.dimension != of.dimension) return;
  if (metric_name(collection.info.metric) != of.metric) return;
  const int64_t first = segment.groups().front().sequences.front();
  const int64_t last = segment.groups().back().sequences.back();
  Query overlap(database,
                "SELECT 1 FROM segment WHERE collection_id = ? AND first_sequence <= ? AND "
                "last_sequence >= ?");
  if (overlap.bind(collection.id).bind(last).bind(first).step()) return;
  Query insert(database,
               "INSERT INTO segment(segment_id, collection_id, num_rows, num_bytes, "
               "first_sequence, last_sequence) VALUES(?, ?, ?, ?, ?, ?)");
  insert.bind(segment_id).bind(collection.id).bind(segment.num_rows());
  insert.bind(segment.num_bytes()).bind(first).bind(last).run();
}

}  // namespace

std::string damage_of(const std::string& catalog) {
  if (!std::filesystem::exists(catalog)) return "it is missing";
  try {
    Database database(catalog, DatabaseMode::kReadWrite);
    Query check(database, "PRAGMA integrity_check(1)");
    if (check.step() && check.text(0) != "ok") return "it has damaged pages";
    check_catalog(database);
    open_text_index(database);
  } catch (const DamageError& error) {
    return error.what();
  }
  return {};
}

std::vector<int64_t> salvage_catalog(const std::string& damaged, Database& database,
                                     SegmentFiles& segments, std::vector<std::string>& findings) {
  std::vector<int64_t> unreadable;
  std::set<int64_t> named;
  if (std::filesystem::exists(damaged)) {
    try {
      Database old(damaged, DatabaseMode::kReadWrite);
      named = named_segments(old);
      copy_tables(old, database, findings);
    } catch (const StorageError& error) {
      findings.push_back(std::string("nothing of it can be read: ") + error.what());
    }
  }
  std::vector<int64_t> files = segments.list();
  std::reverse(files.begin(), files.end());  // a newer one may have been merged from older ones
  for (const int64_t id : files) {
    if (!named.empty() && !named.contains(id)) continue;  // a leftover
    try {
      const auto segment = segments.open(id);
      if (segment->num_rows() > 0) adopt_segment(database, *segment, id);
    } catch (const FormatError& error) {
      findings.push_back(error.what());
      unreadable.push_back(id);
    }
  }
  return unreadable;
}

}  // namespace aios
