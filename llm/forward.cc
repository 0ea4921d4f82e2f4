#include "llm/forward.h"

#include <algorithm>
#include <new>
#include <utility>

namespace dsv4::llm {
namespace {

constexpr std::align_val_t kLine{64};

}  // namespace

void Buffer::Free::operator()(float* data) const { ::operator delete(data, kLine); }

float* Buffer::get(int64_t floats) {
  if (floats <= size_) return data_.get();
  const size_t bytes = static_cast<size_t>(floats) * sizeof(float);
  std::unique_ptr<float[], Free> larger(static_cast<float*>(::operator new(bytes, kLine)));
  std::copy_n(data_.get(), size_, larger.get());
  std::fill_n(larger.get() + size_, floats - size_, 0.0f);
  data_ = std::move(larger);
  size_ = floats;
  return data_.get();
}

kernels::MatmulParams ForwardContext::product(const kernels::WeightMatrix& w, const float* x,
                                              int64_t tokens, float* y) const {
  const bool narrow = w.format == kernels::WeightFormat::kFp8Block128 ||
                      w.format == kernels::WeightFormat::kFp4Block32;
  const auto rounding = rounds() && narrow ? kernels::ActivationRounding::kFp8Block128
                                           : kernels::ActivationRounding::kNone;
  return {x, tokens, w, rounding, y};
}

}  // namespace dsv4::llm
