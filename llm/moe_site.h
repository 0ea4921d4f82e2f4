#pragma once

#include <cstdint>
#include <vector>

#include "kernels/moe/routing.h"
#include "llm/forward.h"

namespace dsv4::llm {

kernels::RoutingScore routing_score(ScoringFunction scoring);

// The feed-forward site of a layer: routed experts and the shared one (deepseek-v4.md section 3).
class MoeSite {
 public:
  // x and out: [tokens, hidden]; they do not overlap.
  void run(const ForwardContext& ctx, const Chunk& chunk, const LayerConfig& layer,
           const MoeWeights& weights, const float* x, float* out);

 private:
  void choose(const ForwardContext& ctx, const Chunk& chunk, const LayerConfig& layer,
              const MoeWeights& weights, const float* x);
  void gather(const ForwardContext& ctx, const float* x);
  void run_experts(const ForwardContext& ctx, const MoeWeights& weights, const float* x,
                   int64_t tokens, float* out);
  void add_routed(const ForwardContext& ctx, float* out);

  Buffer logits_, scores_, gathered_, result_;
  Buffer gate_, up_;                // [tokens + choices, width]: the shared expert's, then order_'s
  std::vector<int32_t> index_;      // [tokens, K] chosen experts
  std::vector<float> weight_;       // [tokens, K]
  std::vector<int32_t> order_;      // choices (token * K + k), grouped by expert
  std::vector<int64_t> begin_;      // [E + 1], each expert's part of order_
  std::vector<float> row_weights_;  // of order_
  std::vector<kernels::MatmulParams> products_;
};

}  // namespace dsv4::llm
