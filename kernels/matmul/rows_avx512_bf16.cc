// Compiled for AVX-512 with BF16 and VBMI; called only where the processor has them.
#include "kernels/matmul/row_kernel.h"

#if defined(__AVX512BF16__) && defined(__AVX512VBMI__)
#include "kernels/matmul/avx512_bf16.h"

namespace dsv4::kernels {

const KernelTable* avx512_bf16_kernels() {
  static constexpr KernelTable kTable = avx512_bf16_table();
  return &kTable;
}

const KernelTable* avx512_bytes_kernels() {
  static constexpr KernelTable kTable = avx512_bytes_table();
  return &kTable;
}

}  // namespace dsv4::kernels

#else

namespace dsv4::kernels {
const KernelTable* avx512_bf16_kernels() { return nullptr; }
const KernelTable* avx512_bytes_kernels() { return nullptr; }
}  // namespace dsv4::kernels

#endif
