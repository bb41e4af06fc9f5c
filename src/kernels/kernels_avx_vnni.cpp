#include "kernels/isa_avx2.h"
#include "kernels/kernel_table_impl.h"
#include "kernels/quantized_avx_vnni.h"

namespace aios {

constinit const Kernels kAvxVnniKernels = make_kernels<AvxVnni>();

}  // namespace aios
