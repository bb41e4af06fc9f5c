#include <algorithm>
#include <cmath>

#include "aios/error.h"
#include "memory/check_memory.h"
#include "memory/for_all.h"
#include "memory/graph_search.h"
#include "memory/ranking.h"
#include "memory/storage_implementation.h"
#include "memory/vector_codes.h"

namespace aios {
namespace {

constexpr int32_t kMaxTopK = 10000;

void check_request(const SearchRequest& request) {
  if (request.top_k < 1 || request.top_k > kMaxTopK) {
    throw ConfigError("top_k must be 1 to 10000, not " + std::to_string(request.top_k));
  }
  if (request.rescore < 0 || request.rescore > kMaxTopK) {
    throw ConfigError("rescore must be 0 to 10000, not " + std::to_string(request.rescore));
  }
  if (request.ef_search < 0 || request.ef_search > kMaxTopK) {
    throw ConfigError("ef_search must be 0 to 10000, not " + std::to_string(request.ef_search));
  }
  if (!std::isfinite(request.recency_weight) || !std::isfinite(request.quality_weight) ||
      !(request.recency_half_life > 0)) {
    throw ConfigError("weights must be finite, and recency_half_life above 0 seconds");
  }
  if (request.mmr_lambda && !(*request.mmr_lambda >= 0 && *request.mmr_lambda <= 1)) {
    throw ConfigError("mmr_lambda must be in [0, 1]");
  }
}

/// Vectors of another model lie in another space, whatever their dimension.
void check_model(const SearchRequest& request, const CollectionInfo& collection) {
  const std::string& model = request.embedding_model;
  if (model.empty() || collection.embedding_model.empty() || model == collection.embedding_model) {
    return;
  }
  throw StorageError("the query's vector is by '" + model + "'; collection '" + collection.name +
                     "' has vectors by '" + collection.embedding_model +
                     "': use that model, another collection, or aios memory reembed");
}

/// Candidates per result. Halves and bytes need one. What signs need for a recall@10 of 0.99 was
/// measured (bench/memory.py): 8 to 23 of up to 100,000 rows, 18 of 300,000, 41 of a million.
std::size_t default_rescore(VectorPrecision precision, std::span<const RowBlock> blocks) noexcept {
  if (precision != VectorPrecision::kBinary) return 1;
  std::size_t num_rows = 0;
  for (const RowBlock& block : blocks) num_rows += block.sequences.size();
  constexpr std::size_t kLeast = 24;
  return std::max(kLeast, static_cast<std::size_t>(std::sqrt(num_rows)) / 16);
}

/// Results that a walk goes on for. Measured (bench/memory.py): with 128 recall@10 of 100,000
/// sentences by MiniLM is 0.966, of other sets above 0.99; with 64 it is 0.92.
std::size_t walk_width(const SearchRequest& request, std::size_t num_wanted) noexcept {
  constexpr std::size_t kLeast = 128;
  const auto asked = static_cast<std::size_t>(request.ef_search);
  return asked > 0 ? std::max(asked, num_wanted) : std::max(kLeast, 2 * num_wanted);
}

std::span<const float> query_of(const RowScan& scan, std::size_t q) {
  const auto dimension = static_cast<std::size_t>(scan.dimension);
  return scan.queries.subspan(q * dimension, dimension);
}

std::span<const float> row_of(const RowScan& scan, const Candidate& candidate) {
  const auto dimension = static_cast<std::size_t>(scan.dimension);
  return scan.blocks[candidate.block].embeddings.subspan(candidate.row * dimension, dimension);
}

/// The rows that may be found: live, not expired, and passing the filter.
std::vector<RowBits> allowed_rows(const StoreReader& reader, const Collection& collection,
                                  LiveRows& rows, const SqlCondition& filter, int64_t now) {
  if (!filter.sql.empty()) return rows.select(reader.select(collection, filter, now));
  std::vector<RowBits> allowed;
  for (const RowBlock& block : rows.blocks()) allowed.push_back(block.live);
  Query expired(reader.database(),
                // The signs keep SQLite at the index of expiry, which is short.
                "SELECT sequence FROM memory WHERE expires_at IS NOT NULL AND expires_at <= ? AND "
                "+collection_id = ? ORDER BY +sequence");
  expired.bind(now).bind(collection.id);
  std::vector<int64_t> sequences;
  while (expired.step()) sequences.push_back(expired.integer(0));
  if (sequences.empty()) return allowed;
  const std::vector<RowBits> gone = rows.select(sequences);
  for (std::size_t i = 0; i < allowed.size(); ++i) allowed[i].subtract(gone[i]);
  return allowed;
}

}  // namespace

std::string_view precision_name(VectorPrecision precision) noexcept {
  switch (precision) {
    case VectorPrecision::kF32:
      return "f32";
    case VectorPrecision::kF16:
      return "f16";
    case VectorPrecision::kBF16:
      return "bf16";
    case VectorPrecision::kInt8:
      return "int8";
    case VectorPrecision::kBinary:
      return "binary";
  }
  return "";
}

VectorPrecision precision_from_name(std::string_view name) {
  for (const auto precision : {VectorPrecision::kF32, VectorPrecision::kF16, VectorPrecision::kBF16,
                               VectorPrecision::kInt8, VectorPrecision::kBinary}) {
    if (precision_name(precision) == name) return precision;
  }
  throw ConfigError("precision must be one of f32|f16|bf16|int8|binary, not '" + std::string(name) +
                    "'");
}

std::string_view index_name(VectorIndex index) noexcept {
  return index == VectorIndex::kExact ? "exact" : "auto";
}

VectorIndex index_from_name(std::string_view name) {
  for (const auto index : {VectorIndex::kAuto, VectorIndex::kExact}) {
    if (index_name(index) == name) return index;
  }
  throw ConfigError("index must be one of auto|exact, not '" + std::string(name) + "'");
}

struct VectorSearch::Implementation {
  using Results = std::vector<std::vector<RankedMemory>>;

  Implementation(const StoreReader& store_reader, int num_threads)
      : reader(store_reader),
        pool(num_threads),
        kernels(kernels_for(choose_isa())),
        walks(static_cast<std::size_t>(pool.num_threads()), GraphWalk(kernels)) {}

  /// The best `count` by vector, per query.
  [[nodiscard]] Results by_vector(const Collection& collection, const SearchRequest& request,
                                  const SqlCondition& filter, std::span<const float> queries,
                                  std::size_t count, int64_t now) const;
  [[nodiscard]] std::vector<std::vector<Candidate>> candidates(RowScan scan, LiveRows& rows,
                                                               const CollectionInfo& collection,
                                                               const SearchRequest& request,
                                                               std::size_t num_wanted) const;
  void rescore_candidates(const RowScan& scan, std::span<std::vector<Candidate>> found) const;
  [[nodiscard]] std::vector<RankedMemory> by_text(const Collection& collection,
                                                  const std::string& text,
                                                  const SqlCondition& filter, std::size_t count,
                                                  int64_t now) const;
  [[nodiscard]] std::vector<RankedMemory> search(const Collection& collection,
                                                 const SearchRequest& request, int64_t now) const;
  void add_weights(std::vector<RankedMemory>& ranked, const SearchRequest& request,
                   int64_t now) const;
  [[nodiscard]] std::vector<SearchHit> load(const Collection& collection,
                                            std::span<const RankedMemory> ranked,
                                            const SearchRequest& request) const;

  const StoreReader& reader;
  mutable ThreadPool pool;
  const Kernels& kernels;
  mutable std::vector<GraphWalk> walks;  // one per thread, within `reader.read`
};

VectorSearch::Implementation::Results VectorSearch::Implementation::by_vector(
    const Collection& collection, const SearchRequest& request, const SqlCondition& filter,
    std::span<const float> queries, std::size_t count, int64_t now) const {
  LiveRows& rows = reader.live_rows(collection);
  const std::vector<RowBits> allowed = allowed_rows(reader, collection, rows, filter, now);
  const std::size_t rescore = request.rescore > 0
                                  ? static_cast<std::size_t>(request.rescore)
                                  : default_rescore(request.precision, rows.blocks());
  constexpr std::size_t kSpare = 8;  // sums in float may order neighbours otherwise than in double
  RowScan scan;
  scan.queries = queries;
  scan.dimension = collection.info.dimension;
  scan.metric = collection.info.metric;
  scan.precision = request.precision;
  scan.blocks = rows.blocks();
  scan.allowed = allowed;
  scan.limit = count * rescore + kSpare;

  auto found = candidates(scan, rows, collection.info, request, count + kSpare);
  rescore_candidates(scan, found);
  Results results(found.size());
  for_all(pool, found.size(), [&](std::size_t, std::size_t q) {
    std::vector<RankedMemory>& ranked = results[q];
    for (const Candidate& candidate : best_candidates(std::move(found[q]), count + kSpare)) {
      const float score = exact_score(query_of(scan, q), row_of(scan, candidate), scan.metric);
      ranked.push_back({candidate.sequence, score, score, std::nullopt});
    }
    sort_by_score(ranked);
    ranked.resize(std::min(ranked.size(), count));
  });
  return results;
}

/// The best rows of graphs where walks are worthwhile, and of all others by reading them.
/// @param num_wanted results that there must be where there are as many rows
std::vector<std::vector<Candidate>> VectorSearch::Implementation::candidates(
    RowScan scan, LiveRows& rows, const CollectionInfo& collection, const SearchRequest& request,
    std::size_t num_wanted) const {
  std::vector<RowBits> rest(scan.allowed.begin(), scan.allowed.end());
  std::vector<std::vector<Candidate>> walked;
  if (request.index != VectorIndex::kExact) {
    const std::size_t width = walk_width(request, num_wanted);
    const auto graphs = graphs_worth_walking(rows.graphs(), scan.blocks, scan.allowed, width);
    if (!graphs.empty()) walked = walk_graphs(scan, graphs, width, walks, pool);
    const bool enough = std::all_of(walked.begin(), walked.end(), [&](const auto& found) {
      return found.size() >= num_wanted;  // else the graph is torn: read what it stands for
    });
    if (!enough) walked.clear();
    for (const SegmentGraph& graph : graphs) {
      for (std::size_t i = 0; enough && i < graph.num_blocks; ++i) {
        rest[graph.first_block + i] = RowBits(scan.blocks[graph.first_block + i].sequences.size());
      }
    }
  }
  scan.allowed = rest;
  prepare_blocks(rows.blocks(), collection, scan.precision, rest, pool);
  auto found = scan_rows(scan, kernels, pool);
  for (std::size_t q = 0; q < walked.size(); ++q) {
    found[q].insert(found[q].end(), walked[q].begin(), walked[q].end());
  }
  return found;
}

/// Scores of candidates by their vectors, in f32. The threads share a single query's.
void VectorSearch::Implementation::rescore_candidates(
    const RowScan& scan, std::span<std::vector<Candidate>> found) const {
  const bool adds = scan.metric == Metric::kL2;
  const std::size_t num_parts =
      found.size() == 1 ? static_cast<std::size_t>(pool.num_threads()) : 1;
  for_all(pool, found.size() * num_parts, [&](std::size_t, std::size_t item) {
    std::vector<Candidate>& candidates = found[item / num_parts];
    const std::size_t part = item % num_parts;
    for (std::size_t i = part; i < candidates.size(); i += num_parts) {
      Candidate& candidate = candidates[i];
      kernels.dot_rows_f32(query_of(scan, item / num_parts).data(), row_of(scan, candidate).data(),
                           1, scan.dimension, &candidate.score);
      if (scan.metric == Metric::kInnerProduct) continue;
      const float factor = (*scan.blocks[candidate.block].factors)[candidate.row];
      candidate.score = adds ? 2 * candidate.score + factor : candidate.score * factor;
    }
  });
}

std::vector<RankedMemory> VectorSearch::Implementation::by_text(const Collection& collection,
                                                                const std::string& text,
                                                                const SqlCondition& filter,
                                                                std::size_t count,
                                                                int64_t now) const {
  const std::string words = text_query(text, WordQuery::kAny);
  if (words.empty()) return {};
  Query query(reader.database(),
              "SELECT memory.sequence, bm25(text_index) FROM text_index JOIN memory ON "
              "memory.sequence = text_index.rowid WHERE text_index MATCH ? AND collection_id = ? "
              "AND (expires_at IS NULL OR expires_at > ?)" +
                  (filter.sql.empty() ? std::string() : " AND (" + filter.sql + ")") +
                  " ORDER BY bm25(text_index), memory.sequence LIMIT ?");
  query.bind(words).bind(collection.id).bind(now);
  filter.bind_to(query);
  query.bind(static_cast<int64_t>(count));
  std::vector<RankedMemory> ranked;
  while (query.step()) {
    const auto score = static_cast<float>(-query.real(1));  // SQLite's is negative for good ones
    ranked.push_back({query.integer(0), score, std::nullopt, score});
  }
  return ranked;
}

void VectorSearch::Implementation::add_weights(std::vector<RankedMemory>& ranked,
                                               const SearchRequest& request, int64_t now) const {
  for (RankedMemory& memory : ranked) {
    Query row(reader.database(), "SELECT timestamp, quality_score FROM memory WHERE sequence = ?");
    if (!row.bind(memory.sequence).step()) continue;
    const double age = static_cast<double>(std::max<int64_t>(now - row.integer(0), 0)) / 1e6;
    memory.score +=
        request.recency_weight * static_cast<float>(std::exp2(-age / request.recency_half_life)) +
        request.quality_weight * static_cast<float>(row.real(1));
  }
  sort_by_score(ranked);
}

std::vector<RankedMemory> VectorSearch::Implementation::search(const Collection& collection,
                                                               const SearchRequest& request,
                                                               int64_t now) const {
  const SqlCondition filter = parse_filter(request.filter);
  const auto top_k = static_cast<std::size_t>(request.top_k);
  const bool hybrid = !request.embedding.empty() && !request.text.empty();
  const bool weighted = request.recency_weight != 0 || request.quality_weight != 0;
  const bool reordered = hybrid || weighted || request.mmr_lambda;
  constexpr std::size_t kMinPool = 100;  // what is reordered is chosen from ten times as many
  const std::size_t pool_size = reordered ? std::max(10 * top_k, kMinPool) : top_k;

  std::vector<RankedMemory> ranked;
  if (!request.embedding.empty()) {
    check_model(request, collection.info);
    check_embedding(request.embedding, collection.info, "the query");
    ranked = by_vector(collection, request, filter, request.embedding, pool_size, now).at(0);
  }
  if (!request.text.empty()) {
    const auto texts = by_text(collection, request.text, filter, pool_size, now);
    ranked = hybrid ? fuse_ranks(ranked, texts) : texts;
  }
  if (weighted) add_weights(ranked, request, now);
  if (request.mmr_lambda) {
    std::vector<std::vector<float>> embeddings;
    ranked.resize(std::min(ranked.size(), pool_size));
    for (const RankedMemory& memory : ranked) {
      embeddings.push_back(
          read_embedding(reader.database(), reader.segments(), collection.id, memory.sequence));
    }
    ranked = choose_varied(ranked, embeddings, *request.mmr_lambda, top_k);
  }
  ranked.resize(std::min(ranked.size(), top_k));
  return ranked;
}

std::vector<SearchHit> VectorSearch::Implementation::load(const Collection& collection,
                                                          std::span<const RankedMemory> ranked,
                                                          const SearchRequest& request) const {
  const MemoryParts parts = {request.include_content, request.include_embedding};
  std::vector<SearchHit> hits;
  for (const RankedMemory& memory : ranked) {
    if (request.min_score && memory.score < *request.min_score) continue;
    hits.push_back({reader.load(collection, memory.sequence, parts), memory.score,
                    memory.vector_score, memory.text_score});
  }
  return hits;
}

VectorSearch::VectorSearch(const ArrowStorage& storage, int num_threads)
    : implementation_(
          std::make_unique<Implementation>(*storage.implementation_->reader, num_threads)) {}

VectorSearch::~VectorSearch() = default;

std::vector<SearchHit> VectorSearch::search(const SearchRequest& request) const {
  check_request(request);
  if (request.embedding.empty() && request.text.empty()) {
    throw ConfigError("a search needs an embedding, a text or both");
  }
  const Implementation& self = *implementation_;
  return self.reader.read([&] {
    const Collection collection = find_collection(self.reader.database(), request.collection);
    return self.load(collection, self.search(collection, request, now_microseconds()), request);
  });
}

std::vector<std::vector<SearchHit>> VectorSearch::search_batch(
    const SearchRequest& request, std::span<const float> embeddings) const {
  check_request(request);
  if (!request.text.empty() || !request.embedding.empty() || request.mmr_lambda ||
      request.recency_weight != 0 || request.quality_weight != 0) {
    throw ConfigError("a batch is searched by vectors alone, without text, weights or mmr_lambda");
  }
  const Implementation& self = *implementation_;
  const SqlCondition filter = parse_filter(request.filter);
  return self.reader.read([&] {
    const Collection collection = find_collection(self.reader.database(), request.collection);
    check_model(request, collection.info);
    const auto dimension = static_cast<std::size_t>(collection.info.dimension);
    const std::size_t num_queries = embeddings.size() / dimension;
    if (num_queries * dimension != embeddings.size()) {
      check_embedding(embeddings, collection.info, "the batch of queries");
    }
    for (std::size_t i = 0; i < num_queries; ++i) {
      check_embedding(embeddings.subspan(i * dimension, dimension), collection.info,
                      "query " + std::to_string(i));
    }
    std::vector<std::vector<SearchHit>> hits;
    for (const auto& ranked :
         self.by_vector(collection, request, filter, embeddings,
                        static_cast<std::size_t>(request.top_k), now_microseconds())) {
      hits.push_back(self.load(collection, ranked, request));
    }
    return hits;
  });
}

}  // namespace aios
