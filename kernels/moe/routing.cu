#include <cmath>
#include <stdexcept>
#include <string>

#include "kernels/cuda/launch.h"
#include "kernels/moe/routing_cuda.h"
#include "kernels/rounding/rounding_lanes.h"

namespace dsv4::kernels::cuda {
namespace {

// A warp for each token; lane i has the experts i, i + 32, ...
struct RouteKernel {
  using Params = RoutingParams;
  static constexpr const char* kName = "route";
  static constexpr int kThreads = 128;
  static constexpr int kWarps = kThreads / kWarp;
  static constexpr int kOfLane = 16;

  // What a row's softmax needs.
  struct Softmax {
    float top = 0.0F;
    float sum = 1.0F;
  };

  static DSV4_LANE float minus_infinity() { return float_of(0xff800000U); }

  static DSV4_LANE float score(RoutingScore kind, float x, const Softmax& softmax) {
    switch (kind) {
      case RoutingScore::kSoftmax:
        return expf(x - softmax.top) / softmax.sum;
      case RoutingScore::kSigmoid:
        return 1.0F / (1.0F + expf(-x));
      case RoutingScore::kSqrtSoftplus:
        break;
    }
    return sqrtf((x > 0.0F ? x : 0.0F) + log1pf(expf(-fabsf(x))));
  }

  static DSV4_LANE Softmax softmax_of(const Params& p, const float* logits) {
    Softmax softmax;
    if (p.score != RoutingScore::kSoftmax) return softmax;
    float top = minus_infinity();
    for (int64_t e = lane(); e < p.experts; e += kWarp) top = logits[e] > top ? logits[e] : top;
    softmax.top = warp_max(top);
    float sum = 0.0F;
    for (int64_t e = lane(); e < p.experts; e += kWarp) sum += expf(logits[e] - softmax.top);
    softmax.sum = warp_sum(sum);
    return softmax;
  }

  // Repeated search for the best one left, the lower index first among equals; NaN is as bad as
  // -Inf. Writes them in ascending order.
  static DSV4_LANE void choose(const Params& p, const float* logits, const Softmax& softmax,
                               int32_t* index) {
    float value[kOfLane];
    DSV4_UNROLL
    for (int i = 0; i < kOfLane; ++i) {
      const int e = lane() + i * kWarp;
      float v = minus_infinity();
      if (e < p.experts) {
        v = score(p.score, logits[e], softmax) + (p.bias != nullptr ? p.bias[e] : 0.0F);
      }
      value[i] = is_nan_bits(bits_of(v)) ? minus_infinity() : v;
    }
    uint32_t taken = 0;  // a bit for each of this lane's
    for (int64_t k = 0; k < p.chosen; ++k) {
      float best = minus_infinity();
      auto expert = static_cast<int32_t>(p.experts);
      DSV4_UNROLL
      for (int i = 0; i < kOfLane; ++i) {
        const int32_t e = lane() + i * kWarp;
        if (e >= p.experts || (taken >> i & 1U) != 0) continue;
        if (value[i] > best || expert == p.experts) {
          best = value[i];
          expert = e;
        }
      }
      DSV4_UNROLL
      for (int mask = kWarp / 2; mask > 0; mask /= 2) {
        const float other_best = shuffle_xor(best, mask);
        const int32_t other = shuffle_xor(expert, mask);
        if (other_best > best || (other_best == best && other < expert)) {
          best = other_best;
          expert = other;
        }
      }
      if (expert % kWarp == lane()) taken |= 1U << expert / kWarp;
    }
    int before = 0;
    DSV4_UNROLL
    for (int i = 0; i < kOfLane; ++i) {
      const bool mine = (taken >> i & 1U) != 0;
      const uint32_t all = ballot(mine);
      if (mine) index[before + count_bits(all & ((1U << lane()) - 1U))] = lane() + i * kWarp;
      before += count_bits(all);
    }
  }

  static DSV4_LANE void run(const Params& p) {
    const int64_t t = int64_t{block_x()} * kWarps + warp();
    if (t >= p.tokens) return;
    const float* logits = p.logits + t * p.experts;
    int32_t* index = p.index + t * p.chosen;
    const Softmax softmax = softmax_of(p, logits);
    if (p.table != nullptr) {
      const int32_t* row = p.table + p.ids[t] * p.chosen;
      for (int64_t k = lane(); k < p.chosen; k += kWarp) index[k] = row[k];
    } else {
      choose(p, logits, softmax, index);
    }
    sync_warp();
    float sum = 0.0F;
    for (int64_t k = lane(); k < p.chosen; k += kWarp) {
      sum += score(p.score, logits[index[k]], softmax);
    }
    // The floor keeps scores that all underflowed from becoming 0 / 0.
    const float factor = p.factor / (warp_sum(sum) + 1e-20F);
    for (int64_t k = lane(); k < p.chosen; k += kWarp) {
      p.weight[t * p.chosen + k] = score(p.score, logits[index[k]], softmax) * factor;
    }
  }
};

}  // namespace

void route(Stream& stream, const RoutingParams& p) {
  if (p.experts > RouteKernel::kOfLane * kWarp) {
    throw std::invalid_argument("the GPU's router chooses among 512 experts at most, not " +
                                std::to_string(p.experts));
  }
  launch<RouteKernel>(
      stream,
      {(p.tokens + RouteKernel::kWarps - 1) / RouteKernel::kWarps, 1, RouteKernel::kThreads}, p);
}

}  // namespace dsv4::kernels::cuda
