/// The table of kernels_avx_vnni.cpp with vpdpbusd as AVX-512 encodes it, for processors that have
/// it in no other way. Products and rounding are the same code; what vector_rows_impl.h chooses by
/// macros is AVX-512's here, AVX2's there.
#include "kernels/isa_avx2.h"
#include "kernels/kernel_table_impl.h"
#include "kernels/quantized_avx_vnni.h"

namespace aios::kernel_test {

extern const Kernels kAvxVnniTwin;
constinit const Kernels kAvxVnniTwin = make_kernels<AvxVnni>();

}  // namespace aios::kernel_test
