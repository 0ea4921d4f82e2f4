// The AVX-512 products on emulated registers, so that their column orders, scales and tails are
// checked on every processor; matmul_test.cc runs the real instructions where they exist.

#include "tests/kernels/emulated_avx512.h"
// Before the headers that use the instructions.
#include <array>
#include <limits>
#include <vector>

#include "kernels/matmul/avx512_bf16.h"
#include "tests/kernels/matmul_cases.h"

using namespace dsv4::kernels;

namespace {

constexpr KernelTable kAvx512Table = kernel_table<Avx512>();
constexpr KernelTable kAvx512Bf16Table = avx512_bf16_table();
constexpr KernelTable kAvx512BytesTable = avx512_bytes_table();

std::vector<float> run(const KernelTable& table, const MatmulParams& params) {
  const FormatKernels& kernels = table.by_format[static_cast<size_t>(params.weight.format)];
  const int64_t stride = (params.weight.cols + kStepCols - 1) / kStepCols * kStepCols;
  const int64_t row_bytes = stride * table.element_bytes;
  std::vector<std::byte> x(static_cast<size_t>(params.tokens * row_bytes));
  for (int64_t t = 0; t < params.tokens; ++t) {
    kernels.prepare(params.x + t * params.weight.cols, params.weight.cols, params.rounding,
                    x.data() + t * row_bytes);
  }
  return poisoned_output(params, [&](const MatmulParams& p) {
    kernels.multiply({p.weight, x.data(), stride, p.tokens, p.y}, 0, p.weight.rows);
  });
}

}  // namespace

TEST_CASE("emulated AVX-512 products agree with the reference in every format and size") {
  Random random;
  for (const KernelTable* table : {&kAvx512Table, &kAvx512Bf16Table, &kAvx512BytesTable}) {
    for (const WeightFormat format : kFormats) {
      if (table->by_format[static_cast<size_t>(format)].multiply == nullptr) continue;
      for (const auto& [tokens, rows, cols] : std::vector<std::array<int64_t, 3>>{
               {1, 1, 1}, {1, 5, 33}, {2, 17, 129}, {3, 6, 300}, {7, 18, 160}, {9, 17, 40}}) {
        const int64_t width = format == WeightFormat::kFp4Block32 ? (cols + 31) / 32 * 32 : cols;
        const RandomWeight weight(random, format, rows, width);
        const std::vector<float> x = random_rows(random, tokens * width);
        const MatmulParams p{x.data(), tokens, weight.view(), ActivationRounding::kFp8Block128,
                             nullptr};
        INFO(format_name(format) << " [" << tokens << ", " << width << "] x " << rows << " in "
                                 << table->element_bytes << " bytes, seed " << random.seed());
        compare(p, run(*table, p), poisoned_output(p, matmul_reference));
      }
    }
  }
}

TEST_CASE("emulated AVX-512 products show NaN weights and NaN activations") {
  Random random;
  INFO("seed " << random.seed());
  for (const KernelTable* table : {&kAvx512Table, &kAvx512Bf16Table, &kAvx512BytesTable}) {
    for (const int64_t tokens : {1, 5}) {
      RandomWeight weight(random, WeightFormat::kFp8Block128, 6, 150);
      weight.byte(2 * 150 + 149) = 0x7f;
      std::vector<float> x = random_rows(random, tokens * 150);
      x[3] = std::numeric_limits<float>::quiet_NaN();
      const MatmulParams p{x.data(), tokens, weight.view(), ActivationRounding::kFp8Block128,
                           nullptr};
      compare(p, run(*table, p), poisoned_output(p, matmul_reference));
    }
  }
}
