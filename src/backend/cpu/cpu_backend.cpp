#include "backend/cpu/cpu_backend.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "aios/error.h"
#include "backend/cpu/cpu_backend_impl.h"

namespace aios {
namespace {

/// Adds, or with `first` writes, row `index` of a table of any weight type.
class RowGatherer {
 public:
  RowGatherer(const Kernels& kernels, const DeviceTensorPtr& table, int64_t columns) {
    if (table == nullptr) return;
    table_ = static_cast<const CpuTensor*>(table.get());
    matrix_of(table, table_->rows(), columns, "an embedding table");
    if (table_->is_quantized()) return;
    widen_ = table_->dtype() == DType::kF32    ? kernels.f32_to_f32
             : table_->dtype() == DType::kBF16 ? kernels.bf16_to_f32
                                               : kernels.f16_to_f32;
  }
  explicit operator bool() const noexcept { return table_ != nullptr; }

  void check(std::span<const int32_t> indices, const char* what) const {
    for (const int32_t index : indices) {
      if (index < 0 || index >= table_->rows()) {
        throw InferenceError(std::string(what) + " " + std::to_string(index) +
                             " is outside the model's table of " + std::to_string(table_->rows()));
      }
    }
  }
  void copy(int64_t index, float* out) const noexcept {
    if (table_->is_quantized()) return dequantize_row(table_->quantized(), index, out);
    widen_(table_->row(index), out, table_->columns());
  }

 private:
  const CpuTensor* table_ = nullptr;
  void (*widen_)(const void*, float*, int64_t) noexcept = nullptr;
};

/// A quantised matrix in f32: what `--compute f32` computes with.
TensorView widened(const TensorView& tensor) {
  const QuantizedMatrix matrix = tensor.quantized_matrix();
  auto floats =
      std::make_shared<AlignedBuffer<float>>(static_cast<std::size_t>(matrix.rows * matrix.depth));
  for (int64_t row = 0; row < matrix.rows; ++row) {
    dequantize_row(matrix, row, floats->data() + row * matrix.depth);
  }
  const auto bytes = std::as_bytes(floats->span());
  return {DType::kF32, tensor.shape, bytes.data(), bytes.size(), floats};
}

}  // namespace

RowNorm::RowNorm(const Kernels& kernels, const Norm& norm, int64_t size)
    : epsilon_(norm.epsilon), size_(size) {
  if (!norm) return;
  function_ = norm.kind == NormKind::kRmsNorm ? kernels.rms_norm : kernels.layer_norm;
  weight_ = vector_of(norm.weight, size, "a norm's weight");
  bias_ = vector_of(norm.bias, size, "a norm's bias");
}

DeviceTensorPtr CpuBackend::load(const TensorView& tensor) {
  if (tensor.is_quantized() && compute_ == ComputeType::kF32) {
    return std::make_shared<CpuTensor>(widened(tensor));
  }
  return std::make_shared<CpuTensor>(tensor);
}

BufferPtr CpuBackend::allocate(int64_t rows, int64_t columns) {
  return std::make_unique<CpuBuffer>(rows, columns, buffer_pool_);
}

void CpuBackend::read(const Buffer& source, int64_t row, std::span<float> destination) {
  std::copy_n(cpu(source).row(row), destination.size(), destination.data());
}

void CpuBackend::write(std::span<const float> source, Buffer& destination, int64_t row) {
  std::copy_n(source.data(), source.size(), cpu(destination).row(row));
}

void CpuBackend::copy_rows(const Buffer& source, int64_t source_row, Buffer& destination,
                           int64_t destination_row, int64_t num_rows) {
  std::copy_n(cpu(source).row(source_row), num_rows * source.columns(),
              cpu(destination).row(destination_row));
}

void CpuBackend::embed(const EmbedOp& op, const PackedSequences& sequences, Buffer& hidden) {
  const int64_t size = hidden.columns();
  const RowGatherer token(kernels_, op.token, size);
  const RowGatherer position(kernels_, op.position, size);
  const RowGatherer type(kernels_, op.type, size);
  const RowNorm norm(kernels_, op.norm, size);
  token.check(sequences.token_ids, "token id");
  if (position) position.check(sequences.positions, "position");
  if (type) type.check(sequences.type_ids, "token type");

  const auto loan = workspaces_.borrow();
  loan->slots.reserve(pool_->num_threads(), size);
  const auto num_rows = static_cast<int64_t>(sequences.token_ids.size());
  for_each_row(*pool_, num_rows, size, [&](int64_t row, int64_t slot) {
    const auto index = static_cast<std::size_t>(row);
    float* const out = cpu(hidden).row(row);
    float* const addend = loan->slots.slot(slot);
    token.copy(sequences.token_ids[index], out);
    if (type) {
      type.copy(sequences.type_ids.empty() ? 0 : sequences.type_ids[index], addend);
      kernels_.add(addend, out, size);
    }
    if (position) {
      position.copy(sequences.positions[index], addend);
      kernels_.add(addend, out, size);
    }
    if (norm) norm.apply(out, out);
  });
}

void CpuBackend::normalize(const Norm& norm, int64_t num_rows, const Buffer& input,
                           Buffer& output) {
  const RowNorm row_norm(kernels_, norm, input.columns());
  for_each_row(*pool_, num_rows, input.columns(), [&](int64_t row, int64_t /*slot*/) {
    row_norm.apply(cpu(input).row(row), cpu(output).row(row));
  });
}

void CpuBackend::pool(PoolKind kind, bool normalize, std::span<const int32_t> starts,
                      const Buffer& hidden, Buffer& output) {
  const int64_t size = hidden.columns();
  const auto num_sequences = static_cast<int64_t>(starts.size()) - 1;
  for_each_item(*pool_, num_sequences, [&](int64_t sequence, int64_t /*slot*/) {
    const int32_t begin = starts[static_cast<std::size_t>(sequence)];
    const int32_t end = starts[static_cast<std::size_t>(sequence) + 1];
    float* const out = cpu(output).row(sequence);
    std::copy_n(cpu(hidden).row(kind == PoolKind::kLast ? end - 1 : begin), size, out);
    if (kind == PoolKind::kMean) {
      for (int32_t row = begin + 1; row < end; ++row) {
        kernels_.add(cpu(hidden).row(row), out, size);
      }
      kernels_.scale(1.0F / static_cast<float>(end - begin), out, size);
    }
    if (normalize) {
      constexpr float kSmallest = 1e-12F;  // as torch.nn.functional.normalize
      kernels_.scale(1 / std::max(std::sqrt(kernels_.dot(out, out, size)), kSmallest), out, size);
    }
  });
}

std::unique_ptr<Backend> make_cpu_backend(std::shared_ptr<ThreadPool> pool, Isa isa,
                                          ComputeType compute) {
  return std::make_unique<CpuBackend>(std::move(pool), isa, compute);
}

}  // namespace aios
