#include "llm/moe_site.h"

#include <algorithm>

#include "kernels/swiglu/swiglu.h"

namespace dsv4::llm {
kernels::RoutingScore routing_score(ScoringFunction scoring) {
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

void MoeSite::run(const ForwardContext& ctx, const Chunk& chunk, const LayerConfig& layer,
                  const MoeWeights& weights, const float* x, float* out) {
  choose(ctx, chunk, layer, weights, x);
  gather(ctx, x);
  run_experts(ctx, weights, x, chunk.tokens(), out);
  add_routed(ctx, out);
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
  p.score = routing_score(c.scoring);
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

// The inputs of the routed experts, one expert's after another's.
void MoeSite::gather(const ForwardContext& ctx, const float* x) {
  const int64_t dim = ctx.config.hidden_size;
  const int64_t chosen = ctx.config.num_experts_per_tok;
  float* to = gathered_.get(static_cast<int64_t>(order_.size()) * dim);
  row_weights_.clear();
  for (const int32_t choice : order_) {
    row_weights_.push_back(weight_[static_cast<size_t>(choice)]);
    to = std::copy_n(x + choice / chosen * dim, dim, to);
  }
}

// w2 (weight * silu(w1 x) * (w3 x)) of every expert: the shared one's, of weight 1, into out, the
// others' into result_.
void MoeSite::run_experts(const ForwardContext& ctx, const MoeWeights& weights, const float* x,
                          int64_t tokens, float* out) {
  const int64_t dim = ctx.config.hidden_size;
  const int64_t width = ctx.config.moe_intermediate_size;
  const auto choices = static_cast<int64_t>(order_.size());
  float* gate = gate_.get((tokens + choices) * width);
  float* up = up_.get((tokens + choices) * width);
  float* result = result_.get(choices * dim);
  // Calls visit(expert, its first row of gate and up, how many).
  const auto each_expert = [&](const auto& visit) {
    visit(weights.shared, int64_t{0}, tokens);
    for (size_t e = 0; e + 1 < begin_.size(); ++e) {
      const int64_t count = begin_[e + 1] - begin_[e];
      if (count > 0) visit(weights.experts[e], tokens + begin_[e], count);
    }
  };
  products_.clear();
  each_expert([&](const ExpertWeights& expert, int64_t row, int64_t count) {
    const float* in = row < tokens ? x : gathered_.get(0) + (row - tokens) * dim;
    products_.push_back(ctx.product(expert.w1, in, count, gate + row * width));
    products_.push_back(ctx.product(expert.w3, in, count, up + row * width));
  });
  ctx.multiply(products_);
  const auto limit = static_cast<float>(ctx.config.swiglu_limit);
  kernels::swiglu(ctx.pool, ctx.isa, {gate, up, tokens, width, nullptr, limit, gate});
  float* routed = gate + tokens * width;
  kernels::swiglu(
      ctx.pool, ctx.isa,
      {routed, up + tokens * width, choices, width, row_weights_.data(), limit, routed});
  products_.clear();
  each_expert([&](const ExpertWeights& expert, int64_t row, int64_t count) {
    float* to = row < tokens ? out : result + (row - tokens) * dim;
    products_.push_back(ctx.product(expert.w2, gate + row * width, count, to));
  });
  ctx.multiply(products_);
}

// Experts in the order of their numbers, so that a token's sum does not depend on its neighbours.
void MoeSite::add_routed(const ForwardContext& ctx, float* out) {
  const int64_t dim = ctx.config.hidden_size;
  const int64_t chosen = ctx.config.num_experts_per_tok;
  const float* z = result_.get(0);
  for (const int32_t choice : order_) {
    float* y = out + choice / chosen * dim;
    for (int64_t d = 0; d < dim; ++d) y[d] += z[d];
    z += dim;
  }
}

}  // namespace dsv4::llm
