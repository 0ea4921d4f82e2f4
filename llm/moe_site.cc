#include "llm/moe_site.h"

#include <algorithm>

#include "kernels/moe/routing.h"
#include "kernels/swiglu/swiglu.h"

namespace dsv4::llm {
namespace {

kernels::RoutingScore score_of(ScoringFunction scoring) {
  switch (scoring) {
    case ScoringFunction::kSqrtSoftplus:
      return kernels::RoutingScore::kSqrtSoftplus;
    case ScoringFunction::kSoftmax:
      return kernels::RoutingScore::kSoftmax;
    case ScoringFunction::kSigmoid:
      return kernels::RoutingScore::kSigmoid;
  }
  return kernels::RoutingScore::kSqrtSoftplus;
}

}  // namespace

void MoeSite::run(const ForwardContext& ctx, const Chunk& chunk, const LayerConfig& layer,
                  const MoeWeights& weights, const float* x, float* out) {
  choose(ctx, chunk, layer, weights, x);
  run_expert(ctx, weights.shared, x, chunk.tokens(), nullptr, out);
  run_routed(ctx, weights, chunk.tokens(), x, out);
}

void MoeSite::choose(const ForwardContext& ctx, const Chunk& chunk, const LayerConfig& layer,
                     const MoeWeights& weights, const float* x) {
  const Config& c = ctx.config;
  const int64_t tokens = chunk.tokens();
  const auto choices = static_cast<size_t>(tokens * c.num_experts_per_tok);
  const bool hashed = layer.routing == Routing::kHash;
  index_.resize(choices);
  weight_.resize(choices);
  float* logits = logits_.get(tokens * c.n_routed_experts);
  ctx.linear(weights.gate, x, tokens, logits);
  kernels::RoutingParams p;
  p.logits = logits;
  p.tokens = tokens;
  p.experts = c.n_routed_experts;
  p.chosen = c.num_experts_per_tok;
  p.score = score_of(c.scoring);
  p.bias = hashed ? nullptr : weights.bias.data();
  p.table = hashed ? weights.tid2eid.data() : nullptr;
  p.ids = chunk.ids.data();
  p.factor = static_cast<float>(c.routed_scaling_factor);
  p.index = index_.data();
  p.weight = weight_.data();
  p.scores = scores_.get(c.n_routed_experts);
  kernels::route(p);

  // Group the choices by expert; within one they stay in the order of the tokens.
  begin_.assign(static_cast<size_t>(c.n_routed_experts) + 1, 0);
  for (const int32_t e : index_) ++begin_[static_cast<size_t>(e) + 1];
  for (size_t e = 1; e < begin_.size(); ++e) begin_[e] += begin_[e - 1];
  order_.resize(choices);
  for (size_t i = 0; i < choices; ++i) {
    order_[static_cast<size_t>(begin_[static_cast<size_t>(index_[i])]++)] = static_cast<int32_t>(i);
  }
  for (size_t e = begin_.size() - 1; e > 0; --e) begin_[e] = begin_[e - 1];
  begin_[0] = 0;
}

// out = w2 (weight * silu(w1 x) * (w3 x)); a null weight is 1.
void MoeSite::run_expert(const ForwardContext& ctx, const ExpertWeights& expert, const float* x,
                         int64_t tokens, const float* weight, float* out) {
  const int64_t width = ctx.config.moe_intermediate_size;
  float* gate = gate_.get(tokens * width);
  float* up = up_.get(tokens * width);
  ctx.linear(expert.w1, x, tokens, gate);
  ctx.linear(expert.w3, x, tokens, up);
  kernels::swiglu(
      ctx.pool, ctx.isa,
      {gate, up, tokens, width, weight, static_cast<float>(ctx.config.swiglu_limit), gate});
  ctx.linear(expert.w2, gate, tokens, out);
}

// Experts in the order of their numbers, so that a token's sum does not depend on its neighbours.
void MoeSite::run_routed(const ForwardContext& ctx, const MoeWeights& weights, int64_t tokens,
                         const float* x, float* out) {
  const int64_t dim = ctx.config.hidden_size;
  const int64_t chosen = ctx.config.num_experts_per_tok;
  float* gathered = gathered_.get(tokens * chosen * dim);
  float* result = result_.get(tokens * chosen * dim);
  for (size_t e = 0; e + 1 < begin_.size(); ++e) {
    const int64_t count = begin_[e + 1] - begin_[e];
    if (count == 0) continue;
    const int32_t* choices = order_.data() + begin_[e];
    row_weights_.clear();
    for (int64_t i = 0; i < count; ++i) {
      row_weights_.push_back(weight_[static_cast<size_t>(choices[i])]);
      std::copy_n(x + choices[i] / chosen * dim, dim, gathered + i * dim);
    }
    run_expert(ctx, weights.experts[e], gathered, count, row_weights_.data(), result);
    for (int64_t i = 0; i < count; ++i) {
      float* y = out + choices[i] / chosen * dim;
      const float* z = result + i * dim;
      for (int64_t d = 0; d < dim; ++d) y[d] += z[d];
    }
  }
}

}  // namespace dsv4::llm
