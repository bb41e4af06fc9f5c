#include <algorithm>
#include <istream>

#include "aios/error.h"
#include "memory/memory_json.h"
#include "memory/storage_implementation.h"
#include "storage/memory_file_reader.h"

namespace aios {
namespace {

/// Gathers memories into batches, makes the vectors that they lack, and adds them.
class Importer {
 public:
  Importer(ArrowStorage& storage, const StoreReader& reader, const ImportRequest& request)
      : storage_(storage), request_(request) {
    info_.name = request.collection;
    reader.read([&] {
      for (const Collection& collection : list_collections(reader.database())) {
        if (collection.info.name == request.collection) info_.metric = collection.info.metric;
      }
      return 0;
    });
  }

  /// What a file says of the vectors in it.
  void set_origin(Metric metric, const std::string& embedding_model) {
    info_.metric = metric;
    info_.embedding_model = embedding_model;
  }

  void add(Memory memory) {
    ++result_.num_read;
    num_bytes_ += memory.content.size();
    batch_.push_back(std::move(memory));
    constexpr std::size_t kBatchRows = 1000;
    constexpr std::size_t kBatchBytes = 16U << 20U;
    if (batch_.size() == kBatchRows || num_bytes_ >= kBatchBytes) flush();
  }

  ImportResult finish() {
    flush();
    return result_;
  }

 private:
  void flush() {
    if (batch_.empty()) return;
    embed_the_rest();
    if (!is_checked_) {
      info_.dimension = static_cast<int32_t>(batch_.front().embedding.size());
      storage_.create_collection(info_);
      is_checked_ = true;
    }
    const AddResult added =
        request_.replaces ? storage_.upsert(info_.name, batch_) : storage_.add(info_.name, batch_);
    result_.num_added += added.num_added;
    batch_.clear();
    num_bytes_ = 0;
  }

  void embed_the_rest() {
    std::vector<std::string> texts;
    for (const Memory& memory : batch_) {
      if (memory.embedding.empty()) texts.push_back(memory.content);
    }
    if (texts.empty()) return;
    if (request_.embeddings == nullptr) {
      throw FormatError("a memory has no embedding, and nothing to make one: '" +
                        texts.front().substr(0, 40) + "'");
    }
    const std::vector<float> vectors = request_.embeddings->embed(texts);
    if (const std::string model = request_.embeddings->embedding_model();
        model != info_.embedding_model) {
      info_.embedding_model = model;
      is_checked_ = false;
    }
    const auto dimension = static_cast<std::ptrdiff_t>(vectors.size() / texts.size());
    auto next = vectors.begin();
    for (Memory& memory : batch_) {
      if (!memory.embedding.empty()) continue;
      memory.embedding.assign(next, next + dimension);
      next += dimension;
    }
  }

  ArrowStorage& storage_;
  const ImportRequest& request_;
  CollectionInfo info_;
  bool is_checked_ = false;  // whether the collection is as `info_` says
  std::vector<Memory> batch_;
  std::size_t num_bytes_ = 0;
  ImportResult result_;
};

Memory to_memory(const MemoryRow& row) {
  Memory memory;
  memory.memory_id = row.memory_id;
  memory.timestamp = row.timestamp;
  memory.expires_at = row.expires_at;
  memory.content = row.content;
  memory.embedding.assign(row.embedding.begin(), row.embedding.end());
  memory.metadata.category = row.category;
  memory.metadata.source = row.source;
  memory.metadata.quality_score = row.quality_score;
  memory.metadata.extra = row.extra;
  return memory;
}

}  // namespace

ImportResult ArrowStorage::import_parquet(const std::string& path, const ImportRequest& request) {
  (void)implementation_->writing();
  Importer importer(*this, *implementation_->reader, request);
  if (const auto origin = read_memory_collection(path)) {
    importer.set_origin(metric_from_name(origin->metric), origin->embedding_model);
  }
  read_memory_file(path, [&](const MemoryRow& row) { importer.add(to_memory(row)); });
  return importer.finish();
}

ImportResult ArrowStorage::import_lines(std::istream& lines, const std::string& name,
                                        const ImportRequest& request) {
  (void)implementation_->writing();
  Importer importer(*this, *implementation_->reader, request);
  std::string line;
  for (int64_t number = 1; std::getline(lines, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    importer.add(memory_from_json(line, "'" + name + "' line " + std::to_string(number)));
  }
  if (lines.bad()) throw IoError("cannot read '" + name + "'");
  return importer.finish();
}

}  // namespace aios
