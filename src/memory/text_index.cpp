#include "memory/text_index.h"

#include <cstddef>
#include <span>
#include <string>

#include "base/log.h"
#include "memory/catalog_writer.h"

namespace aios {

/// The record of the index's structure: a cookie of four bytes, then the number of levels in
/// groups of seven bits, of which all but the last have the upper bit set (SQLite's
/// ext/fts5/fts5_index.c).
int64_t num_text_index_levels(Database& database) {
  constexpr std::size_t kCookie = 4;
  constexpr auto kMore = std::byte{0x80};
  Query structure(database, "SELECT block FROM text_index_data WHERE id = 10");
  if (!structure.step()) return 0;
  int64_t levels = 0;
  const std::span<const std::byte> record = structure.blob(0);
  for (std::size_t i = kCookie; i < record.size() && i < kCookie + 3; ++i) {
    levels = levels << 7 | static_cast<int64_t>(record[i] & ~kMore);
    if ((record[i] & kMore) == std::byte{0}) break;
  }
  return levels;
}

namespace {

/// Leaves the index as it is where a content cannot be read: it may become deeper still, and a
/// `forget` must not wait for a repair.
void rebuild_if_readable(Database& database, SegmentFiles& segments) {
  try {
    Transaction transaction(database, Transaction::Kind::kWrite);
    rebuild_text_index(database, segments);
    transaction.commit();
  } catch (const FormatError& error) {
    log_message(LogLevel::kWarning, error.what());
  } catch (const StorageError& error) {
    log_message(LogLevel::kWarning, error.what());
  }
}

}  // namespace

void merge_text_index(Database& database, SegmentFiles& segments) {
  if (num_text_index_levels(database) >= kMaxTextIndexLevels) {
    rebuild_if_readable(database, segments);
  }
  database.execute("INSERT INTO text_index(text_index) VALUES('optimize')");
}

void rebuild_text_index(Database& database, SegmentFiles& segments) {
  database.execute("INSERT INTO text_index(text_index) VALUES('delete-all')");
  Query memory(database, "SELECT sequence, collection_id FROM memory ORDER BY sequence");
  while (memory.step()) {
    const std::string content =
        read_content(database, segments, memory.integer(1), memory.integer(0));
    Query text(database, "INSERT INTO text_index(rowid, content) VALUES(?, ?)");
    text.bind(memory.integer(0)).bind(content).run();
  }
}

bool text_index_agrees(Database& database) {
  const int64_t num_memories = query_integer(database, "SELECT count(*) FROM memory");
  const int64_t num_texts = query_integer(database, "SELECT count(*) FROM text_index_docsize");
  const int64_t num_both = query_integer(
      database, "SELECT count(*) FROM memory JOIN text_index_docsize ON id = sequence");
  return num_memories == num_texts && num_both == num_texts;
}

void open_text_index(Database& database) {
  Query any(database, "SELECT rowid FROM text_index WHERE text_index MATCH 'a'");
  (void)any.step();
}

void check_text_index(Database& database) {
  open_text_index(database);
  if (!text_index_agrees(database)) {
    database.fail_damaged("the text index has other texts than there are memories");
  }
}

}  // namespace aios
