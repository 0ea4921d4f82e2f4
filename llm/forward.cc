#include "llm/forward.h"

namespace dsv4::llm {

kernels::MatmulParams ForwardContext::product(const kernels::WeightMatrix& w, const float* x,
                                              int64_t tokens, float* y) const {
  const bool narrow = w.format == kernels::WeightFormat::kFp8Block128 ||
                      w.format == kernels::WeightFormat::kFp4Block32;
  const auto rounding = rounds() && narrow ? kernels::ActivationRounding::kFp8Block128
                                           : kernels::ActivationRounding::kNone;
  return {x, tokens, w, rounding, y};
}

}  // namespace dsv4::llm
