// Compiled for AVX-512 F, BW, DQ and VL; called only where the processor has them.
#include "kernels/matmul/row_kernel.h"

#if defined(__AVX512F__) && defined(__AVX512BW__)
#include "kernels/matmul/avx512.h"

namespace dsv4::kernels {

const KernelTable* avx512_kernels() {
  static constexpr KernelTable kTable = kernel_table<Avx512>();
  return &kTable;
}

}  // namespace dsv4::kernels

#else

namespace dsv4::kernels {
const KernelTable* avx512_kernels() { return nullptr; }
}  // namespace dsv4::kernels

#endif
