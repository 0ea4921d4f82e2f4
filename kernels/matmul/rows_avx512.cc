// Compiled for AVX-512 F, BW, DQ and VL; called only where the processor has them.
#include "kernels/matmul/row_kernel.h"

#if defined(__AVX512F__) && defined(__AVX512BW__)
#include "kernels/matmul/avx512.h"

namespace dsv4::kernels {

const KernelTable* avx512_kernels() {
  static constexpr KernelTable kTable = {
      ActivationType::kF32,
      {multiply_rows<Avx512, WeightFormat::kF32>, multiply_rows<Avx512, WeightFormat::kBf16>,
       multiply_rows<Avx512, WeightFormat::kFp8Block128>,
       multiply_rows<Avx512, WeightFormat::kFp4Block32>},
      kFp4Order};
  return &kTable;
}

}  // namespace dsv4::kernels

#else

namespace dsv4::kernels {
const KernelTable* avx512_kernels() { return nullptr; }
}  // namespace dsv4::kernels

#endif
