#include "kernels/isa_avx512.h"
#include "kernels/kernel_table_impl.h"
#include "kernels/quantize_block_avx512.h"
#include "kernels/quantized_avx512.h"

namespace aios {

constinit const Kernels kAvx512VnniKernels = make_kernels<Avx512>();

}  // namespace aios
