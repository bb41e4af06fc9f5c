#include "kernels/isa_avx2.h"
#include "kernels/kernel_table_impl.h"
#include "kernels/quantize_block_avx2.h"
#include "kernels/quantized_avx2.h"
#include "kernels/quantized_int2_avx2.h"
#include "kernels/quantized_row_avx2.h"

namespace aios {

constinit const Kernels kAvx2Kernels = make_kernels<Avx2>();

}  // namespace aios
