#include <algorithm>
#include <functional>
#include <optional>

#include "aios/error.h"
#include "memory/memory_json.h"
#include "memory/storage_implementation.h"
#include "storage/atomic_file.h"
#include "storage/memory_file_reader.h"
#include "storage/memory_segment_writer.h"

namespace aios {
namespace {

/// Where rows of an export go.
class RowSink {
 public:
  virtual ~RowSink() = default;
  virtual void add(const MemoryRow& row) = 0;
  virtual void finish() = 0;
};

class ParquetSink final : public RowSink {
 public:
  ParquetSink(const std::string& path, const CollectionInfo& info)
      : writer_(path,
                {info.name, info.dimension, std::string(metric_name(info.metric)),
                 info.embedding_model},
                MemoryFileKind::kExport) {}
  void add(const MemoryRow& row) override { writer_.add(row); }
  void finish() override { (void)writer_.finish(); }

 private:
  MemorySegmentWriter writer_;
};

class JsonLinesSink final : public RowSink {
 public:
  explicit JsonLinesSink(const std::string& path) : file_(path) {}
  void add(const MemoryRow& row) override {
    lines_ += memory_to_json(row);
    constexpr std::size_t kBufferBytes = 1U << 20U;
    if (lines_.size() >= kBufferBytes) flush();
  }
  void finish() override {
    flush();
    file_.commit();
  }

 private:
  void flush() {
    file_.write(lines_);
    lines_.clear();
  }
  AtomicFile file_;
  std::string lines_;
};

/// Gives the sink the memories of these sequences, which ascend: from segments, read once through,
/// then hot ones, whose sequences are the latest.
void write_rows(const StoreReader& reader, const Collection& collection,
                std::span<const int64_t> sequences, RowSink& sink) {
  std::vector<int64_t> segments;
  {
    Query query(reader.database(),
                "SELECT segment_id FROM segment WHERE collection_id = ? ORDER BY first_sequence");
    query.bind(collection.id);
    while (query.step()) segments.push_back(query.integer(0));
  }
  auto next = sequences.begin();
  for (const int64_t id : segments) {
    read_memory_file(reader.segments().path_of(id), [&](const MemoryRow& row) {
      if (next == sequences.end() || *next != row.sequence) return;
      sink.add(row);
      ++next;
    });
  }
  for (; next != sequences.end(); ++next) sink.add(to_row(reader.load(collection, *next), *next));
}

}  // namespace

int64_t ArrowStorage::export_to(const std::string& path, const ExportRequest& request) const {
  const SqlCondition filter = parse_filter(request.filter);
  const StoreReader& reader = *implementation_->reader;
  return reader.read([&] {
    const Collection collection = find_collection(reader.database(), request.collection);
    const std::vector<int64_t> sequences = reader.select(collection, filter, now_microseconds());
    std::unique_ptr<RowSink> sink;
    if (request.format == MemoryFormat::kParquet) {
      sink = std::make_unique<ParquetSink>(path, collection.info);
    } else {
      sink = std::make_unique<JsonLinesSink>(path);
    }
    write_rows(reader, collection, sequences, *sink);
    sink->finish();
    return static_cast<int64_t>(sequences.size());
  });
}

}  // namespace aios
