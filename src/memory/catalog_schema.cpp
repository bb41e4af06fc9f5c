#include "memory/catalog_schema.h"

#include <array>
#include <string_view>

#include "aios/error.h"

namespace aios {
namespace {

/// Step n brings a catalogue of version n to version n + 1; a new one takes all steps.
constexpr std::array<const char*, 2> kMigrations = {R"sql(
CREATE TABLE state(
  generation INTEGER NOT NULL,       -- of the set of segments
  erasure_pending INTEGER NOT NULL   -- 1: removed rows are still to be erased from the files
);
INSERT INTO state VALUES(0, 0);
CREATE TABLE collection(
  collection_id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  dimension INTEGER NOT NULL,
  metric TEXT NOT NULL,
  embedding_model TEXT NOT NULL
);
CREATE TABLE memory(                 -- live memories, expired ones included until they are purged
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  collection_id INTEGER NOT NULL,
  memory_id TEXT NOT NULL,
  timestamp INTEGER NOT NULL,
  expires_at INTEGER,
  category TEXT NOT NULL,
  source TEXT NOT NULL,
  quality_score REAL NOT NULL,
  extra TEXT NOT NULL,
  UNIQUE(collection_id, memory_id)
);
CREATE INDEX memory_by_time ON memory(collection_id, timestamp);
CREATE INDEX memory_by_category ON memory(collection_id, category);
CREATE INDEX memory_by_expiry ON memory(expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE hot(                    -- content and vector of memories that are in no segment yet
  sequence INTEGER PRIMARY KEY,
  collection_id INTEGER NOT NULL,
  content TEXT NOT NULL,
  embedding BLOB NOT NULL
);
CREATE INDEX hot_by_collection ON hot(collection_id);
CREATE TABLE segment(                -- sequences of a collection's segments do not overlap
  segment_id INTEGER PRIMARY KEY AUTOINCREMENT,
  collection_id INTEGER NOT NULL,
  num_rows INTEGER NOT NULL,
  num_bytes INTEGER NOT NULL,
  first_sequence INTEGER NOT NULL,
  last_sequence INTEGER NOT NULL
);
CREATE TABLE tombstone(              -- rows that are no longer live
  tombstone_id INTEGER PRIMARY KEY AUTOINCREMENT,
  sequence INTEGER NOT NULL,
  collection_id INTEGER NOT NULL,
  in_segment INTEGER NOT NULL        -- 0: it was hot; kept until the next seal for readers' sake
);
CREATE INDEX tombstone_by_sequence ON tombstone(collection_id, sequence);
CREATE VIRTUAL TABLE text_index USING fts5(
  content, content='', tokenize = "unicode61 remove_diacritics 2"
);
)sql",
                                                    R"sql(
CREATE TABLE reembedding(            -- collections whose vectors are being made anew
  collection_id INTEGER PRIMARY KEY,
  dimension INTEGER NOT NULL,
  embedding_model TEXT NOT NULL
);
CREATE TABLE new_embedding(          -- and their new vectors, until every memory has one
  sequence INTEGER PRIMARY KEY,
  collection_id INTEGER NOT NULL,
  embedding BLOB NOT NULL
);
ALTER TABLE state ADD COLUMN num_removed INTEGER NOT NULL DEFAULT 0;  -- since it was built anew
-- Sixteen parts of the text index are merged at a time: fewer writes than four by four.
INSERT INTO text_index(text_index, rank) VALUES('automerge', 16);
)sql"};

constexpr int64_t kVersion = kMigrations.size();
constexpr int64_t kApplicationId = 0x41494f53;  // "AIOS"

int64_t version_of(Database& database) {
  const int64_t version = query_integer(database, "PRAGMA user_version");
  const int64_t application = query_integer(database, "PRAGMA application_id");
  const std::string what = "'" + database.path() + "' is ";
  if (version != 0 && application != kApplicationId) {
    throw StorageError(what + "no catalogue of memories but another SQLite database");
  }
  if (version > kVersion) {
    throw StorageError(what + "of version " + std::to_string(version) +
                       ", newer than this build (" + std::to_string(kVersion) + "): update aios");
  }
  return version;
}

}  // namespace

void prepare_catalog(Database& database) {
  // Commits sync the log (FULL); the log is moved into the catalogue after about 16 MB.
  database.execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; "
      "PRAGMA cache_size = -32000; PRAGMA secure_delete = FAST");
  if (version_of(database) == kVersion) return;
  Transaction transaction(database, Transaction::Kind::kWrite);
  for (int64_t version = version_of(database); version < kVersion; ++version) {
    database.execute(kMigrations.at(static_cast<std::size_t>(version)));
  }
  database.execute(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str());
  database.execute(("PRAGMA user_version = " + std::to_string(kVersion)).c_str());
  transaction.commit();
}

void check_catalog(Database& database) {
  const int64_t version = version_of(database);
  if (version == kVersion) return;
  throw StorageError("'" + database.path() + "' is of version " + std::to_string(version) +
                     ", older than this build (" + std::to_string(kVersion) +
                     "): open it once for writing");
}

}  // namespace aios
