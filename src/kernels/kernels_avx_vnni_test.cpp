/// The table of kernels_avx_vnni.cpp, for processors with AVX-512 VNNI: some of them have the
/// instruction in that encoding alone.
#include "kernels/isa_avx2.h"
#include "kernels/kernel_table_impl.h"
#include "kernels/quantized_avx_vnni.h"

namespace aios::kernel_test {

extern const Kernels kAvxVnniTwin;
constinit const Kernels kAvxVnniTwin = make_kernels<AvxVnni>();

}  // namespace aios::kernel_test
