#include <algorithm>

#include "aios/error.h"
#include "memory/check_memory.h"
#include "memory/storage_implementation.h"
#include "storage/memory_file_reader.h"
#include "storage/memory_segment_writer.h"

namespace aios {
namespace {

/// Texts of the next memories without a new vector, in order of arrival.
struct Batch {
  std::vector<int64_t> sequences;
  std::vector<std::string> memory_ids;
  std::vector<std::string> contents;
};

Batch read_batch(const StoreReader& reader, const Collection& collection, int64_t after) {
  constexpr std::size_t kMaxRows = 64;
  constexpr std::size_t kMaxTextBytes = std::size_t{1} << 20U;
  Batch batch;
  std::size_t num_bytes = 0;
  Query rows(reader.database(),
             "SELECT sequence, memory_id FROM memory WHERE +collection_id = ? AND sequence > ? "
             "ORDER BY sequence");
  rows.bind(collection.id).bind(after);
  while (batch.sequences.size() < kMaxRows && num_bytes < kMaxTextBytes && rows.step()) {
    batch.sequences.push_back(rows.integer(0));
    batch.memory_ids.emplace_back(rows.text(1));
    batch.contents.push_back(
        read_content(reader.database(), reader.segments(), collection.id, rows.integer(0)));
    num_bytes += batch.contents.back().size();
  }
  return batch;
}

int64_t last_new_embedding(Database& database, int64_t collection_id) {
  Query last(database,
             "SELECT sequence FROM new_embedding WHERE collection_id = ? ORDER BY sequence DESC "
             "LIMIT 1");
  last.bind(collection_id);
  return last.step() ? last.integer(0) : 0;
}

CollectionInfo new_info(Database& database, const Collection& collection) {
  CollectionInfo info = collection.info;
  Query row(database, "SELECT dimension, embedding_model FROM reembedding WHERE collection_id = ?");
  if (!row.bind(collection.id).step()) return info;
  info.dimension = static_cast<int32_t>(row.integer(0));
  info.embedding_model = row.text(1);
  return info;
}

/// Files of segments that nobody names unless the switch is committed.
class UncommittedFiles {
 public:
  explicit UncommittedFiles(SegmentFiles& segments) : segments_(segments) {}
  UncommittedFiles(const UncommittedFiles&) = delete;
  UncommittedFiles& operator=(const UncommittedFiles&) = delete;
  ~UncommittedFiles() {
    for (const int64_t id : ids_) {
      try {
        segments_.remove(id);
      } catch (const Error&) {  // the next writer removes it
      }
    }
  }
  void add(int64_t id) { ids_.push_back(id); }
  void keep() noexcept { ids_.clear(); }

 private:
  SegmentFiles& segments_;
  std::vector<int64_t> ids_;
};

}  // namespace

int64_t CatalogWriter::begin_reembedding(const CollectionInfo& next) {
  Transaction transaction(database_, Transaction::Kind::kWrite);
  const Collection collection = find_collection(database_, next.name);
  const CollectionInfo pending = new_info(database_, collection);
  if (pending.embedding_model != next.embedding_model || pending.dimension != next.dimension) {
    Query(database_, "DELETE FROM new_embedding WHERE collection_id = ?").bind(collection.id).run();
    Query space(database_,
                "INSERT OR REPLACE INTO reembedding(collection_id, dimension, embedding_model) "
                "VALUES(?, ?, ?)");
    space.bind(collection.id).bind(next.dimension).bind(next.embedding_model).run();
  }
  int64_t num_there = 0;
  {
    Query count(database_, "SELECT count(*) FROM new_embedding WHERE collection_id = ?");
    if (count.bind(collection.id).step()) num_there = count.integer(0);
  }
  transaction.commit();
  return num_there;
}

void CatalogWriter::add_new_embeddings(std::span<const int64_t> sequences,
                                       std::span<const float> embeddings) {
  const std::size_t dimension = embeddings.size() / sequences.size();
  Transaction transaction(database_, Transaction::Kind::kWrite);
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    Query row(database_,
              "INSERT OR REPLACE INTO new_embedding(sequence, collection_id, embedding) SELECT "
              "sequence, collection_id, ? FROM memory WHERE sequence = ?");
    row.bind(std::as_bytes(embeddings.subspan(i * dimension, dimension))).bind(sequences[i]).run();
  }
  transaction.commit();
}

bool Maintainer::every_memory_has_a_new_embedding(int64_t collection_id) {
  Query missing(database_,
                "SELECT 1 FROM memory WHERE collection_id = ? AND sequence NOT IN (SELECT sequence "
                "FROM new_embedding) LIMIT 1");
  return !missing.bind(collection_id).step();
}

Maintainer::NewSegment Maintainer::write_reembedded(const Segment& old, const CollectionInfo& info,
                                                    int64_t id) {
  NewSegment segment{id, old.collection_id};
  MemorySegmentWriter writer(segments_.path_of(id), segment_collection(info),
                             MemoryFileKind::kSegment);
  read_memory_file(segments_.path_of(old.id), [&](const MemoryRow& row) {
    Query query(snapshot_, "SELECT embedding FROM new_embedding WHERE sequence = ?");
    if (!query.bind(row.sequence).step()) return;  // it was removed
    const std::span<const std::byte> blob = query.blob(0);
    MemoryRow renewed = row;
    renewed.embedding = {reinterpret_cast<const float*>(blob.data()), blob.size() / sizeof(float)};
    if (segment.num_rows++ == 0) segment.first_sequence = row.sequence;
    segment.last_sequence = row.sequence;
    writer.add(renewed);
  });
  if (segment.num_rows > 0) segment.num_bytes = writer.finish();
  return segment;
}

bool Maintainer::switch_embeddings(const std::string& name) {
  const std::scoped_lock alone(turn_, sealing_);
  Collection collection;
  CollectionInfo next;
  std::vector<Segment> old;
  int64_t id = 0;
  {
    const std::lock_guard lock(write_mutex_);
    collection = find_collection(database_, name);
    next = new_info(database_, collection);
    old = list_segments(collection.id);
    id = next_segment_id(database_);
    if (!every_memory_has_a_new_embedding(collection.id)) return false;
  }
  UncommittedFiles files(segments_);
  std::vector<NewSegment> segments;
  for (const Segment& each : old) {
    const NewSegment segment = write_reembedded(each, next, id);
    if (segment.num_rows == 0) continue;
    files.add(id++);
    segments.push_back(segment);
  }
  {
    const std::lock_guard lock(write_mutex_);
    if (!every_memory_has_a_new_embedding(collection.id)) return false;
    commit_switch(collection, next, old, segments);
  }
  files.keep();
  for (const Segment& each : old) segments_.remove(each.id);
  return true;
}

/// Tombstones stay: they are of rows that the new segments lack, or that were removed meanwhile.
void Maintainer::commit_switch(const Collection& collection, const CollectionInfo& next,
                               const std::vector<Segment>& old,
                               const std::vector<NewSegment>& segments) {
  Transaction transaction(database_, Transaction::Kind::kWrite);
  for (const Segment& each : old) {
    Query(database_, "DELETE FROM segment WHERE segment_id = ?").bind(each.id).run();
  }
  for (const NewSegment& segment : segments) insert_segment(database_, segment);
  Query(database_,
        "UPDATE hot SET embedding = (SELECT embedding FROM new_embedding WHERE "
        "new_embedding.sequence = hot.sequence) WHERE collection_id = ?")
      .bind(collection.id)
      .run();
  Query(database_,
        "UPDATE collection SET dimension = ?, embedding_model = ? WHERE collection_id = ?")
      .bind(next.dimension)
      .bind(next.embedding_model)
      .bind(collection.id)
      .run();
  Query(database_, "DELETE FROM new_embedding WHERE collection_id = ?").bind(collection.id).run();
  Query(database_, "DELETE FROM reembedding WHERE collection_id = ?").bind(collection.id).run();
  database_.execute("UPDATE state SET generation = generation + 1");
  transaction.commit();
}

namespace {

/// The vectors of a batch, each of which can be stored.
std::vector<float> embed_batch(EmbeddingProvider& embeddings, const Batch& batch,
                               const CollectionInfo& next) {
  std::vector<float> vectors = embeddings.embed(batch.contents);
  const auto dimension = static_cast<std::size_t>(next.dimension);
  if (vectors.size() != batch.contents.size() * dimension) {
    throw StorageError("'" + next.embedding_model + "' makes vectors of different dimensions");
  }
  for (std::size_t i = 0; i < batch.memory_ids.size(); ++i) {
    check_embedding(std::span(vectors).subspan(i * dimension, dimension), next,
                    "memory '" + batch.memory_ids[i] + "'");
  }
  return vectors;
}

}  // namespace

ReembedResult ArrowStorage::reembed(const std::string& name, EmbeddingProvider& embeddings) {
  StoreWriter& writer = implementation_->writing();
  const StoreReader& reader = *implementation_->reader;
  ReembedResult result;
  CollectionInfo next = collection(name);
  if (next.embedding_model == embeddings.embedding_model()) return result;
  next.embedding_model = embeddings.embedding_model();
  const std::string any_text = "dimension";
  next.dimension = static_cast<int32_t>(embeddings.embed(std::span(&any_text, 1)).size());
  check_collection(next);
  result.num_resumed =
      writer.change([&](CatalogWriter& catalog) { return catalog.begin_reembedding(next); });
  do {
    while (true) {
      const Batch batch = reader.read([&] {
        const Collection found = find_collection(reader.database(), name);
        return read_batch(reader, found, last_new_embedding(reader.database(), found.id));
      });
      if (batch.sequences.empty()) break;
      const std::vector<float> vectors = embed_batch(embeddings, batch, next);
      writer.change([&](CatalogWriter& catalog) {
        catalog.add_new_embeddings(batch.sequences, vectors);
        return 0;
      });
      result.num_embedded += static_cast<int64_t>(batch.sequences.size());
    }
  } while (!writer.maintainer().switch_embeddings(name));
  return result;
}

}  // namespace aios
