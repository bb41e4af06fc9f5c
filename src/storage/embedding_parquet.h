/// Writes texts with their vectors as a Parquet file that any Parquet tool reads.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace aios {

/// Columns `text` (string) and `embedding` (FixedSizeList<float>[dimension]; a plain list of floats
/// to readers that know no fixed size), one row for each text, written in one step
/// (storage/atomic_file.h). `embeddings` is [texts, dimension], row major; texts are UTF-8.
/// @throws IoError
void write_embedding_parquet(const std::string& path, std::span<const std::string> texts,
                             std::span<const float> embeddings, int32_t dimension);

}  // namespace aios
