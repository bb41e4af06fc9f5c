#include "kernels/kernels.h"

#include "kernels/kernel_tables.h"

namespace aios {

const Kernels& kernels_for(Isa isa) noexcept {
  static_cast<void>(isa);
  return kScalarKernels;
}

}  // namespace aios
