#include "kernels/matmul/activation.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "kernels/rounding/rounding.h"

namespace dsv4::kernels {
namespace {

int64_t padded_cols(const MatmulParams& p) {
  return (p.weight.cols + kStepCols - 1) / kStepCols * kStepCols;
}

const uint8_t* column_order(const MatmulParams& p, const KernelTable& kernels) {
  return p.weight.format == WeightFormat::kFp4Block32 ? kernels.fp4_order : nullptr;
}

size_t element_bytes(ActivationType type) { return type == ActivationType::kBf16 ? 2 : 4; }

void reorder_step(const uint8_t* order, float* x) {
  float step[kStepCols];
  std::memcpy(step, x, sizeof step);
  for (int i = 0; i < kStepCols; ++i) x[i] = step[order[i]];
}

// Values that were rounded through e4m3 fit bf16 exactly, so cutting is converting; NaN stays one.
void store_bf16(const float* x, int64_t n, std::byte* to) {
  for (int64_t i = 0; i < n; ++i) {
    const auto upper = static_cast<uint16_t>(std::bit_cast<uint32_t>(x[i]) >> 16);
    std::memcpy(to + 2 * i, &upper, 2);
  }
}

// Activations are handled in pieces of whole FP8 blocks, which fit the first-level cache.
constexpr int64_t kPieceCols = 1024;

void prepare_row(const MatmulParams& p, const KernelTable& kernels, const float* x, std::byte* to) {
  alignas(64) float piece[kPieceCols];
  const uint8_t* order = column_order(p, kernels);
  for (int64_t col = 0; col < p.weight.cols; col += kPieceCols) {
    const int64_t width = std::min(kPieceCols, p.weight.cols - col);
    const int64_t padded = std::min(kPieceCols, padded_cols(p) - col);
    std::memcpy(piece, x + col, static_cast<size_t>(width) * sizeof(float));
    std::fill(piece + width, piece + padded, 0.0f);
    if (p.rounding == ActivationRounding::kFp8Block128) round_fp8_blocks(piece, width, 128);
    if (order != nullptr) {
      for (int64_t i = 0; i < padded; i += kStepCols) reorder_step(order, piece + i);
    }
    std::byte* at = to + static_cast<size_t>(col) * element_bytes(kernels.activations);
    if (kernels.activations == ActivationType::kBf16) {
      store_bf16(piece, padded, at);
    } else {
      std::memcpy(at, piece, static_cast<size_t>(padded) * sizeof(float));
    }
  }
}

}  // namespace

bool usable_as_is(const MatmulParams& p, const KernelTable& kernels) {
  return p.rounding == ActivationRounding::kNone && p.weight.cols % kStepCols == 0 &&
         kernels.activations == ActivationType::kF32 && column_order(p, kernels) == nullptr;
}

size_t prepared_bytes(const MatmulParams& p, const KernelTable& kernels) {
  if (usable_as_is(p, kernels)) return 0;
  return static_cast<size_t>(p.tokens * padded_cols(p)) * element_bytes(kernels.activations);
}

PreparedActivations prepare(ThreadPool& pool, const MatmulParams& p, const KernelTable& kernels,
                            std::byte* to) {
  if (usable_as_is(p, kernels)) return {p.x, p.weight.cols};
  const int64_t stride = padded_cols(p);
  const size_t row_bytes = static_cast<size_t>(stride) * element_bytes(kernels.activations);
  constexpr int64_t kGrainElements = 32768;  // some ten microseconds: worth waking a thread
  const int64_t grain = std::max<int64_t>(1, kGrainElements / std::max<int64_t>(stride, 1));
  pool.parallel_for(p.tokens, grain, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      prepare_row(p, kernels, p.x + t * p.weight.cols, to + static_cast<size_t>(t) * row_bytes);
    }
  });
  return {to, stride};
}

}  // namespace dsv4::kernels
