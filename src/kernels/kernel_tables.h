/// The tables that the translation units of the instruction sets fill.
#pragma once

#include "kernels/kernels.h"

namespace aios {

extern const Kernels kScalarKernels;

}  // namespace aios
