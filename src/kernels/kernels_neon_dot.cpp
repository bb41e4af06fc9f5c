#include "kernels/isa_neon.h"
#include "kernels/kernel_table_impl.h"
#include "kernels/quantized_neon.h"

namespace aios {

constinit const Kernels kNeonDotKernels = make_kernels<Neon>();

}  // namespace aios
