#include "kernels/moe/routing.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace dsv4::kernels {
namespace {

template <typename Real>
Real softplus(Real x) {
  return std::max(x, Real(0)) + std::log1p(std::exp(-std::fabs(x)));
}

template <typename Real>
void score_row(RoutingScore kind, const float* logits, int64_t n, Real* out) {
  if (kind == RoutingScore::kSoftmax) {
    const Real top = *std::max_element(logits, logits + n);
    Real sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += out[i] = std::exp(logits[i] - top);
    for (int64_t i = 0; i < n; ++i) out[i] /= sum;
    return;
  }
  for (int64_t i = 0; i < n; ++i) {
    const Real x = logits[i];
    out[i] = kind == RoutingScore::kSigmoid ? Real(1) / (Real(1) + std::exp(-x))
                                            : std::sqrt(softplus(x));
  }
}

// Repeated search for the best one left: K is small. Strict comparison prefers the lower index, and
// an index is taken even when every score is NaN, so that damaged weights cannot lead outside.
template <typename Real>
void choose_best(const RoutingParams& p, const Real* scores, int32_t* index) {
  for (int64_t k = 0; k < p.chosen; ++k) {
    int32_t best = -1;
    Real best_value = 0;
    for (int64_t e = 0; e < p.experts; ++e) {
      if (std::find(index, index + k, static_cast<int32_t>(e)) != index + k) continue;
      const Real value = scores[e] + (p.bias == nullptr ? 0.0F : p.bias[e]);
      if (best >= 0 && !(value > best_value)) continue;
      best = static_cast<int32_t>(e);
      best_value = std::isnan(value) ? -std::numeric_limits<Real>::infinity() : value;
    }
    index[k] = best;
  }
  std::sort(index, index + p.chosen);
}

template <typename Real>
void route_token(const RoutingParams& p, int64_t t, Real* scores) {
  int32_t* index = p.index + t * p.chosen;
  score_row(p.score, p.logits + t * p.experts, p.experts, scores);
  if (p.table != nullptr) {
    std::copy_n(p.table + p.ids[t] * p.chosen, p.chosen, index);
  } else {
    choose_best(p, scores, index);
  }
  Real sum = 0;
  for (int64_t k = 0; k < p.chosen; ++k) sum += scores[index[k]];
  // The floor keeps scores that all underflowed from becoming 0 / 0.
  const Real factor = p.factor / (sum + Real(1e-20));
  for (int64_t k = 0; k < p.chosen; ++k) {
    p.weight[t * p.chosen + k] = static_cast<float>(scores[index[k]] * factor);
  }
}

}  // namespace

void route_reference(const RoutingParams& p) {
  std::vector<double> scores(static_cast<size_t>(p.experts));
  for (int64_t t = 0; t < p.tokens; ++t) route_token(p, t, scores.data());
}

void route(const RoutingParams& p) {
  for (int64_t t = 0; t < p.tokens; ++t) route_token(p, t, p.scores);
}

}  // namespace dsv4::kernels
