#include "kernels/isa_neon.h"
#include "kernels/kernel_table_impl.h"

namespace aios {

constinit const Kernels kNeonKernels = make_kernels<Neon>();

}  // namespace aios
