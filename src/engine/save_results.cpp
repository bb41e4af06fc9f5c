#include "aios/results.h"
#include "storage/embedding_parquet.h"
#include "storage/npy_writer.h"

namespace aios {

void save_npy(const std::string& path, int64_t num_rows, int64_t num_columns,
              std::span<const float> values) {
  write_npy(path, values, num_rows, num_columns);
}

void save_embeddings(const std::string& path, std::span<const std::string> texts,
                     const EncodeResult& result) {
  write_embedding_parquet(path, texts, result.embeddings, result.dimension);
}

}  // namespace aios
