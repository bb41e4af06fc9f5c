/// Writes Parquet V2 model files (docs/formats/parquet-v2.md).
///
/// Tensors are written as they are added and need not live longer than the call. The file gets its
/// name in `finish`; a writer that is destroyed before leaves nothing behind. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "storage/quantization_schema.h"
#include "tensor/tensor_view.h"

namespace aios {

class ParquetModelWriter {
 public:
  /// @param max_value_bytes tensors beyond are sharded; a multiple of kShardAlignment, at most
  /// kMaxValueBytes
  /// @throws IoError, ConfigError
  explicit ParquetModelWriter(const std::string& path,
                              std::size_t max_value_bytes = quantization_schema::kMaxValueBytes);
  ParquetModelWriter(const ParquetModelWriter&) = delete;
  ParquetModelWriter& operator=(const ParquetModelWriter&) = delete;
  ~ParquetModelWriter();

  /// Writes one tensor; it takes about twice the memory of its largest shard meanwhile.
  /// @throws FormatError if the name was added before or is not UTF-8, a limit of
  /// quantization_schema.h or an extent of 2^31 - 1 is exceeded, or the bytes do not fit the shape;
  /// IoError
  void add(const std::string& name, const TensorView& tensor);

  /// Writes the footer, makes all durable and names the file. Nothing may follow it.
  /// @throws IoError
  void finish();

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace aios
