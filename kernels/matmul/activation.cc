#include "kernels/matmul/activation.h"

#include <algorithm>

namespace dsv4::kernels {
namespace {

int64_t padded_cols(const MatmulParams& p) {
  return (p.weight.cols + kStepCols - 1) / kStepCols * kStepCols;
}

const FormatKernels& format_kernels(const MatmulParams& p, const KernelTable& kernels) {
  return kernels.by_format[static_cast<size_t>(p.weight.format)];
}

bool usable_as_is(const MatmulParams& p, const KernelTable& kernels) {
  return p.rounding == ActivationRounding::kNone && p.weight.cols % kStepCols == 0 &&
         format_kernels(p, kernels).reads_plain_rows;
}

}  // namespace

size_t prepared_bytes(const MatmulParams& p, const KernelTable& kernels) {
  if (usable_as_is(p, kernels)) return 0;
  return static_cast<size_t>(p.tokens * padded_cols(p) * kernels.element_bytes);
}

PreparedActivations prepare(ThreadPool& pool, const MatmulParams& p, const KernelTable& kernels,
                            std::byte* to) {
  if (usable_as_is(p, kernels)) return {p.x, p.weight.cols};
  const int64_t stride = padded_cols(p);
  const PrepareRow prepare_row = format_kernels(p, kernels).prepare;
  constexpr int64_t kGrainElements = 32768;  // some ten microseconds: worth waking a thread
  const int64_t grain = std::max<int64_t>(1, kGrainElements / std::max<int64_t>(stride, 1));
  pool.parallel_for(p.tokens, grain, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      prepare_row(p.x + t * p.weight.cols, p.weight.cols, p.rounding,
                  to + t * stride * kernels.element_bytes);
    }
  });
  return {to, stride};
}

}  // namespace dsv4::kernels
