/// A durable memory of texts with their embeddings, and the search in it.
///
/// A store is a folder: `catalog.sqlite` and immutable `segment-*.parquet`
/// (docs/formats/memory-store.md). What a call has acknowledged (returned from) survives a kill and
/// a power failure. One process at a time may write; any number may read meanwhile, each call a
/// consistent snapshot. Objects are safe to use from several threads; calls that change the store
/// take turns. All times are microseconds since 1970 UTC. Vectors come from the caller: the
/// engine's encoder or any other.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aios {

/// How alike two vectors are; greater is more alike. `kL2`: minus the squared Euclidean distance.
enum class Metric { kCosine, kInnerProduct, kL2 };

[[nodiscard]] std::string_view metric_name(Metric metric) noexcept;
/// @throws ConfigError
[[nodiscard]] Metric metric_from_name(std::string_view name);

inline constexpr const char* kDefaultCollection = "default";

/// What all memories of a collection have in common.
struct CollectionInfo {
  std::string name = kDefaultCollection;
  int32_t dimension = 0;
  Metric metric = Metric::kCosine;
  std::string embedding_model;  ///< what made the vectors; empty: unknown
};

struct MemoryMetadata {
  std::string category;
  std::string source;
  float quality_score = 0;   ///< in [0, 1]
  std::string extra = "{}";  ///< a JSON object
};

struct Memory {
  std::string memory_id;  ///< unique in its collection; empty in `add`: one is made (UUID v7)
  int64_t timestamp = 0;  ///< 0 in `add`: now
  std::string content;    ///< UTF-8, at most 16 MiB
  std::vector<float> embedding;
  MemoryMetadata metadata;
  std::optional<int64_t> expires_at;  ///< from then on it is as if it were not there
};

struct AddResult {
  std::vector<std::string> memory_ids;  ///< per memory
  int64_t num_added = 0;                ///< those whose id was new (upsert: or replaced)
};

struct StorageConfig {
  bool read_only = false;
  double lock_timeout = 0;             ///< seconds to wait for another writer
  int64_t seal_rows = 8192;            ///< hot rows that are sealed into a segment
  int64_t max_segment_rows = 1 << 18;  ///< compaction merges up to this
  bool maintain_in_background = true;  ///< seal and compact without being asked
  /// Sealed rows of a collection that make graphs worthwhile: below, searches read all of them, and
  /// miss nothing. 0: no graphs.
  int64_t graph_rows = 1 << 20;
};

/// Which memories: all predicates of an expression must hold, e.g.
/// `category = "notes" and timestamp >= 2026-01-31 and not content match "draft"`
/// (docs/memory.md). Empty: all.
using MemoryFilter = std::string;

struct ListRequest {
  std::string collection = kDefaultCollection;
  MemoryFilter filter;
  int64_t limit = 100;
  int64_t offset = 0;
  bool newest_first = false;  ///< by `timestamp`; else in order of arrival
};

struct CollectionStats {
  CollectionInfo info;
  int64_t num_memories = 0;  ///< live, not expired
  int64_t num_hot = 0;       ///< rows not yet in a segment
  int64_t num_segments = 0;
  int64_t num_dead = 0;        ///< rows in segments that are removed, replaced or expired
  int64_t num_graph_rows = 0;  ///< rows in segments that have a graph
};

struct StorageStats {
  std::vector<CollectionStats> collections;
  int64_t catalog_bytes = 0;  ///< with its write-ahead log
  int64_t segment_bytes = 0;
  int64_t graph_bytes = 0;
};

struct VerifyMemoryReport {
  int64_t num_memories = 0;
  int64_t num_segments = 0;
  int64_t num_bytes = 0;
};

struct RepairMemoryReport {
  std::vector<std::string> findings;   ///< what was wrong, a line each; empty: nothing
  std::vector<std::string> set_aside;  ///< files that keep what was damaged
  int64_t num_memories = 0;            ///< that the store has now
  int64_t num_restored = 0;            ///< of them, those that only a segment knew of
  int64_t num_lost = 0;                ///< whose text or vector is readable nowhere
};

/// Makes vectors of texts: an engine's encoder (`engine_embeddings`), or a caller's own.
class EmbeddingProvider {
 public:
  virtual ~EmbeddingProvider() = default;
  /// What makes them, as collections record it.
  [[nodiscard]] virtual std::string embedding_model() const = 0;
  /// [texts, dimension], one after another.
  [[nodiscard]] virtual std::vector<float> embed(std::span<const std::string> texts) = 0;
};

/// Files that memories go to and come from. Parquet: the columns of segments, all zstd. JSON lines:
/// an object a line with `memory_id`, `timestamp`, `expires_at`, `content`, `metadata` and
/// `embedding`; only `content` is needed.
enum class MemoryFormat { kParquet, kJsonLines };

struct ExportRequest {
  std::string collection = kDefaultCollection;
  MemoryFilter filter;
  MemoryFormat format = MemoryFormat::kParquet;
};

struct ImportRequest {
  std::string collection = kDefaultCollection;
  bool replaces = false;                    ///< as `upsert`; else as `add`
  EmbeddingProvider* embeddings = nullptr;  ///< for memories without a vector; borrowed
};

struct ImportResult {
  int64_t num_read = 0;
  int64_t num_added = 0;  ///< as in `AddResult`
};

struct ReembedResult {
  int64_t num_embedded = 0;  ///< by this call
  int64_t num_resumed = 0;   ///< found done by an earlier one that did not end
};

class VectorSearch;

class ArrowStorage {
 public:
  /// Opens the store in `directory`; a writer creates what is absent (mode 0700) and clears up
  /// after a crash.
  /// @throws IoError; StorageError if another process writes, or the store is damaged or newer
  explicit ArrowStorage(const std::string& directory, const StorageConfig& config = {});
  ArrowStorage(const ArrowStorage&) = delete;
  ArrowStorage& operator=(const ArrowStorage&) = delete;
  ~ArrowStorage();

  /// Creates a collection, or checks that it is the same (the model's name is compared only where
  /// both are known).
  /// @throws StorageError if it differs, with the cure; ConfigError
  void create_collection(const CollectionInfo& info);
  /// @throws StorageError if there is none of that name
  [[nodiscard]] CollectionInfo collection(const std::string& name) const;

  /// Adds all or none. A memory whose id is there already is left as it is; so is the second of one
  /// id in a batch.
  /// @throws FormatError naming the memory and what is wrong with it; IoError
  AddResult add(const std::string& collection, std::span<const Memory> memories);
  /// As `add`, but replaces.
  AddResult upsert(const std::string& collection, std::span<const Memory> memories);
  /// New metadata and expiry for a memory. @return false if there is none
  bool edit(const std::string& collection, const std::string& memory_id,
            const MemoryMetadata& metadata, std::optional<int64_t> expires_at);
  [[nodiscard]] std::optional<Memory> get(const std::string& collection,
                                          const std::string& memory_id) const;
  /// @return how many were there
  int64_t remove(const std::string& collection, std::span<const std::string> memory_ids);
  /// Removes, and erases every trace: rows, segments, terms of the text index, free pages and log.
  /// Rewrites the catalogue and the segments concerned.
  /// @throws StorageError if another process reads an older snapshot all the while: the memories
  /// are removed then, and the traces go with the next `forget`, `compact` or `checkpoint`
  int64_t forget(const std::string& collection, std::span<const std::string> memory_ids);
  /// Removes what has expired.
  int64_t expire();
  [[nodiscard]] std::vector<Memory> list(const ListRequest& request) const;
  [[nodiscard]] StorageStats stats() const;

  /// Gives every memory of a collection a vector by `embeddings`, of whatever dimension. New ones
  /// are kept apart, a durable batch at a time, so that a call that was killed is taken up by the
  /// next one with the same model; one with another model begins anew. Then all change at one
  /// moment: every reader sees either the old vectors or the new ones. Memories may be added, by
  /// the old model, until then. Nothing is done if the collection is by that model already.
  /// @throws FormatError naming a memory whose new vector cannot be stored; StorageError; IoError
  ReembedResult reembed(const std::string& collection, EmbeddingProvider& embeddings);
  /// Seals hot rows and rewrites segments until few are left and none has many dead rows.
  void compact();
  /// Afterwards the segments alone hold exactly the live memories, and the log is empty.
  void checkpoint();
  /// Writes the memories that pass, as one moment knows them, in order of arrival. The file appears
  /// whole or not at all. @return how many
  int64_t export_to(const std::string& path, const ExportRequest& request = {}) const;
  /// Adds what a Parquet file holds: an export, a segment or another's table with `content` and
  /// `embedding`. Creates the collection if there is none. Each thousand is durable by itself.
  /// @throws FormatError, IoError, StorageError
  ImportResult import_parquet(const std::string& path, const ImportRequest& request = {});
  /// Adds JSON lines as they come, until the end of `lines`. @param name for errors
  ImportResult import_lines(std::istream& lines, const std::string& name,
                            const ImportRequest& request = {});
  /// Copies the store as it is at one moment, while it is open. The new folder appears whole or not
  /// at all. @throws IoError, also if there is something of that name
  void backup(const std::string& directory) const;

  /// Reads every byte: checksums, and that catalogue, text index, segments and graphs agree.
  /// @throws StorageError, FormatError at the first that is wrong
  VerifyMemoryReport verify() const;

  /// Makes a store sound that `verify` or the constructor finds damaged; what can be read is kept.
  /// Damaged files are set aside as `.damaged` until the next `forget`, damaged graphs removed.
  /// Where the list of removed memories is damaged, removed ones may come back (`num_restored`).
  /// @throws StorageError if another process writes, or the store is newer; IoError: nothing was
  /// changed then
  static RepairMemoryReport repair(const std::string& directory);

  [[nodiscard]] const std::string& directory() const noexcept;

 private:
  friend class VectorSearch;
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// How stored vectors are read in the first pass; all but f32 are followed by exact rescoring of
/// `rescore` candidates per result.
enum class VectorPrecision { kF32, kF16, kBF16, kInt8, kBinary };

[[nodiscard]] std::string_view precision_name(VectorPrecision precision) noexcept;
/// @throws ConfigError
[[nodiscard]] VectorPrecision precision_from_name(std::string_view name);

/// Whether graphs (docs/adr/0008-a-graph-for-each-segment.md) may stand in for reading every
/// vector, where segments have one. `kAuto`: where that is quicker; nearly all of the best are
/// found. `kExact`: never.
enum class VectorIndex { kAuto, kExact };

[[nodiscard]] std::string_view index_name(VectorIndex index) noexcept;
/// @throws ConfigError
[[nodiscard]] VectorIndex index_from_name(std::string_view name);

struct SearchRequest {
  std::string collection = kDefaultCollection;
  std::vector<float> embedding;  ///< empty: by text alone
  std::string embedding_model;   ///< what made `embedding`; compared where both are known
  std::string text;              ///< BM25; with `embedding`: both, by reciprocal rank fusion
  MemoryFilter filter;
  int32_t top_k = 10;
  std::optional<float> min_score;
  VectorPrecision precision = VectorPrecision::kF32;
  int32_t rescore = 0;  ///< candidates per result; 0: by precision
  VectorIndex index = VectorIndex::kAuto;
  int32_t ef_search = 0;                    ///< width of a graph's search; 0: by `top_k`
  float recency_weight = 0;                 ///< adds weight * 2^(-age / recency_half_life)
  double recency_half_life = 30 * 86400.0;  ///< seconds
  float quality_weight = 0;                 ///< adds weight * quality_score
  std::optional<float>
      mmr_lambda;                 ///< maximal marginal relevance: 1 relevance only, 0 variety only
  bool include_content = true;    ///< else hits have none: reading texts takes longer than finding
  bool include_embedding = true;  ///< else hits have none
};

struct SearchHit {
  Memory memory;
  float score =
      0;  ///< by the collection's metric; fused: reciprocal ranks, at most 1; with weights
  std::optional<float> vector_score;
  std::optional<float> text_score;  ///< BM25, greater is better
};

/// Search in a store; exact but for `precision`. Of equal scores the earlier memory comes first.
class VectorSearch {
 public:
  /// Borrows the store. @param num_threads 0: one per physical core
  explicit VectorSearch(const ArrowStorage& storage, int num_threads = 0);
  ~VectorSearch();

  /// The best `top_k` of the live memories that pass the filter: as many as there are, up to it.
  /// @throws ConfigError, StorageError (dimension), FormatError (vector not finite)
  [[nodiscard]] std::vector<SearchHit> search(const SearchRequest& request) const;
  /// Many queries at once, [queries, dimension], over one pass of the vectors; by vector only.
  /// Other fields as in `request`.
  [[nodiscard]] std::vector<std::vector<SearchHit>> search_batch(
      const SearchRequest& request, std::span<const float> embeddings) const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace aios
