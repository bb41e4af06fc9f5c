#include "backend/cpu/linear_map.h"

#include <string>

namespace aios {

LinearMap::LinearMap(const LinearContext& context, const Linear& linear, const char* role)
    : context_(&context),
      linear_(&linear),
      weight_(&matrix_of(linear.weight, linear.out_features, linear.in_features, role)),
      bias_(vector_of(linear.bias, linear.out_features, role)) {
  for (const LowRankAdapter& adapter : linear.adapters) {
    adapters_.push_back(
        {.lora_a = &matrix_of(adapter.lora_a, adapter.lora_rank, linear.in_features, role),
         .lora_b = &matrix_of(adapter.lora_b, linear.out_features, adapter.lora_rank, role),
         .scale = adapter.lora_scale,
         .low_rank = nullptr});
  }
}

MatmulForms LinearMap::forms_of(const CpuTensor& weight) const noexcept {
  if (weight.is_quantized()) return {.int8 = true};
  const bool bf16 = weight.dtype() == DType::kBF16 && context_->compute == ComputeType::kAuto &&
                    context_->kernels.matmul_bf16_bf16 != nullptr;
  return {.f32 = !bf16, .bf16 = bf16};
}

MatmulForms LinearMap::forms() const noexcept {
  MatmulForms forms = forms_of(*weight_);
  for (const Adapter& adapter : adapters_) forms |= forms_of(*adapter.lora_a);
  return forms;
}

void LinearMap::multiply(const CpuTensor& weight, const MatmulInput& x, const Tile& tile,
                         Ending ending, float* out, int64_t out_stride) const noexcept {
  const Kernels& kernels = context_->kernels;
  if (weight.is_quantized()) {
    QuantizedMatmulArguments arguments{.weights = &weight.quantized(),
                                       .column = tile.column_begin,
                                       .columns = tile.columns(),
                                       .bias = ending.bias,
                                       .adds = ending.adds,
                                       .out = out,
                                       .out_stride = out_stride,
                                       .rows = tile.rows()};
    x.set_int8_rows(tile.row_begin, arguments);
    return kernels.quantized_matmul(arguments);
  }
  const bool bf16 = forms_of(weight).bf16;
  MatmulFunction matmul = kernels.matmul_f32_f32;
  if (weight.dtype() == DType::kF16) matmul = kernels.matmul_f32_f16;
  if (weight.dtype() == DType::kBF16) {
    matmul = bf16 ? kernels.matmul_bf16_bf16 : kernels.matmul_f32_bf16;
  }
  matmul({.x = bf16 ? static_cast<const void*>(x.bf16_row(tile.row_begin))
                    : static_cast<const void*>(x.f32_row(tile.row_begin)),
          .x_stride = x.stride(),
          .weights = weight.row(tile.column_begin),
          .weight_stride = weight.columns(),
          .out = out,
          .out_stride = out_stride,
          .rows = tile.rows(),
          .columns = tile.columns(),
          .depth = weight.columns()});
  for (int64_t row = 0; row < tile.rows() && ending.bias != nullptr; ++row) {
    kernels.add(ending.bias, out + row * out_stride, tile.columns());
  }
}

void LinearMap::set_input(const MatmulInput& x, int64_t rows, std::vector<MatmulInput>& low_rank) {
  input_ = &x;
  low_rank.resize(std::max(low_rank.size(), adapters_.size()));
  for (std::size_t i = 0; i < adapters_.size(); ++i) {
    Adapter& adapter = adapters_[i];
    MatmulInput& reduced = low_rank[i];
    const int64_t rank = adapter.lora_a->rows();
    reduced.reset(context_->kernels, forms_of(*adapter.lora_b), rows, rank);
    adapter.low_rank = &reduced;
    const TileGrid grid =
        matmul_grid(context_->pool, rows, rank, context_->kernels.tile_size, reduced.column_unit());
    context_->slots.reserve(context_->pool.num_threads(), grid.max_tile_size());
    for_each_item(context_->pool, grid.num_tiles(), [&](int64_t item, int64_t slot) {
      const Tile tile = grid.tile(item);
      float* const values = context_->slots.slot(slot);
      multiply(*adapter.lora_a, x, tile, {}, values, tile.columns());
      reduced.store(tile, values, tile.columns());
    });
  }
}

void LinearMap::apply(const Tile& tile, float* out, int64_t out_stride,
                      float* scratch) const noexcept {
  const Kernels& kernels = context_->kernels;
  multiply(*weight_, *input_, tile, {.bias = bias_of(tile)}, out, out_stride);
  for (const Adapter& adapter : adapters_) {
    multiply(*adapter.lora_b, *adapter.low_rank, tile, {}, scratch, tile.columns());
    for (int64_t row = 0; row < tile.rows(); ++row) {
      kernels.scale_add(adapter.scale, scratch + row * tile.columns(), out + row * out_stride,
                        tile.columns());
    }
  }
}

void LinearMap::add_to(const Tile& tile, float* out, int64_t out_stride,
                       float* scratch) const noexcept {
  if (weight_->is_quantized() && adapters_.empty()) {
    multiply(*weight_, *input_, tile, {.bias = bias_of(tile), .adds = true}, out, out_stride);
    return;
  }
  const int64_t columns = tile.columns();
  apply(tile, scratch, columns, scratch + tile.rows() * columns);
  for (int64_t row = 0; row < tile.rows(); ++row) {
    context_->kernels.add(scratch + row * columns, out + row * out_stride, columns);
  }
}

}  // namespace aios
