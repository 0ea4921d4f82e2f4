#include "llm/attention_site.h"

#include <algorithm>
#include <cmath>

#include "kernels/indexer/hadamard.h"
#include "kernels/rms_norm/rms_norm.h"
#include "kernels/rounding/rounding.h"
#include "llm/rope_tables.h"

namespace dsv4::llm {
namespace {

constexpr int64_t kRowBlock = 64;    // FP8 rounding of raw rows
constexpr int64_t kIndexBlock = 32;  // FP4 rounding of the indexer's queries

// Makes raw rows what they will be once stored.
void round_rows(const kernels::RowLayout& layout, float* x, int64_t rows) {
  const int64_t dim = layout.dim;
  for (int64_t r = 0; r < rows; ++r, x += dim) {
    kernels::round_fp8_blocks(x, dim - layout.rope, kRowBlock);
    if (layout.format != kernels::RowFormat::kFp8Bf16) continue;
    for (int64_t i = dim - layout.rope; i < dim; ++i) {
      x[i] = kernels::decode_bf16(kernels::encode_bf16(x[i]));
    }
  }
}

// The indexer's queries and entries are transformed and then rounded through FP4, the entries by
// being stored. The transform spreads outliers before that and leaves products as they are, so that
// without rounding it can be left out.
void round_index_queries(const ForwardContext& ctx, float* x, int64_t rows) {
  const int64_t dim = ctx.config.index_head_dim;
  constexpr int64_t kGrain = 64;
  ctx.pool.parallel_for(rows, kGrain, [&](int64_t begin, int64_t end) {
    kernels::hadamard(x + begin * dim, end - begin, dim);
    for (int64_t r = begin; r < end; ++r) kernels::round_fp4_blocks(x + r * dim, dim, kIndexBlock);
  });
}

// Whether a token of the stretch sees more entries than the indexer's budget.
bool chooses(const ForwardContext& ctx, const LayerConfig& layer, const Stretch& stretch) {
  return layer.overlaps() && stretch.end() / layer.compress_ratio > ctx.config.index_topk;
}

}  // namespace

AttentionSite::AttentionSite(const Config& config)
    : compressed_frequencies_(rope_frequencies(config, true)) {}

void AttentionSite::run(const ForwardContext& ctx, const Chunk& chunk, const LayerConfig& layer,
                        const AttentionWeights& weights, const float* x,
                        std::span<LayerState* const> states, float* out) {
  chooses_ = std::any_of(chunk.stretches.begin(), chunk.stretches.end(),
                         [&](const Stretch& stretch) { return chooses(ctx, layer, stretch); });
  project(ctx, chunk, layer, weights, x);
  finish_query(ctx, chunk, layer);
  finish_rows(ctx, chunk, layer, weights, *states.front());
  if (chooses_) finish_index(ctx, chunk);
  heads_.get(chunk.tokens() * ctx.config.num_attention_heads * ctx.config.head_dim);
  run_sequences(ctx, chunk, layer, weights, states);
  project_output(ctx, chunk, layer, weights, out);
}

// Sequences side by side when they suffice to occupy all threads; else each with all of them.
void AttentionSite::run_sequences(const ForwardContext& ctx, const Chunk& chunk,
                                  const LayerConfig& layer, const AttentionWeights& weights,
                                  std::span<LayerState* const> states) {
  const auto count = static_cast<int64_t>(chunk.stretches.size());
  if (sequences_.size() < chunk.stretches.size()) sequences_.resize(chunk.stretches.size());
  rows_.clear();
  int64_t first = 0;
  for (size_t i = 0; i < chunk.stretches.size(); ++i) {
    const Stretch& stretch = chunk.stretches[i];
    // Forks share what it changes: one by one.
    grow_layer(layer, stretch.start, stretch.end(), *states[i]);
    rows_.push_back(rows_of(ctx, chunk, layer, stretch, first));
    first += stretch.tokens();
  }
  const auto run = [&](const ForwardContext& with, int64_t i) {
    const auto at = static_cast<size_t>(i);
    sequences_[at].run(with, layer, weights, rows_[at], *states[at]);
  };
  if (count < std::max(2, ctx.pool.size())) {
    for (int64_t i = 0; i < count; ++i) run(ctx, i);
    return;
  }
  const ForwardContext alone{ctx.config, ctx.precision, alone_, ctx.isa};
  ctx.pool.parallel_for(count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) run(alone, i);
  });
}

// The rows of one stretch, which begins at row `first` of the chunk.
SequenceRows AttentionSite::rows_of(const ForwardContext& ctx, const Chunk& chunk,
                                    const LayerConfig& layer, const Stretch& stretch,
                                    int64_t first) {
  const Config& c = ctx.config;
  const auto projected = [first](Projection& p) {
    return SequenceRows::Projected{p.kv.get(0) + first * p.width, p.gate.get(0) + first * p.width};
  };
  SequenceRows rows;
  rows.start = stretch.start;
  rows.tokens = stretch.tokens();
  rows.q = q_.get(0) + first * c.num_attention_heads * c.head_dim;
  rows.raw = raw_.get(0) + first * c.head_dim;
  if (layer.compresses()) rows.compressor = projected(compressor_);
  if (layer.overlaps()) rows.indexer = projected(indexer_);
  rows.frequencies = compressed_frequencies_;
  rows.chooses = chooses(ctx, layer, stretch);
  if (rows.chooses) {
    rows.index_q = index_q_.get(0) + first * c.index_n_heads * c.index_head_dim;
    rows.index_weights = index_weights_.get(0) + first * c.index_n_heads;
  }
  rows.heads = heads_.get(0) + first * c.num_attention_heads / c.o_groups * c.head_dim;
  rows.out_tokens = chunk.tokens();
  return rows;
}

// Everything that reads the site's input in one loop, then everything that reads the query
// residual.
void AttentionSite::project(const ForwardContext& ctx, const Chunk& chunk, const LayerConfig& layer,
                            const AttentionWeights& weights, const float* x) {
  const Config& c = ctx.config;
  const int64_t tokens = chunk.tokens();
  float* qr = qr_.get(tokens * c.q_lora_rank);
  products_.clear();
  products_.push_back(ctx.product(weights.wq_a, x, tokens, qr));
  products_.push_back(ctx.product(weights.wkv, x, tokens, raw_.get(tokens * c.head_dim)));
  if (layer.compresses()) add_blocks(ctx, chunk, weights.compressor, x, compressor_);
  if (layer.overlaps()) add_blocks(ctx, chunk, weights.indexer.compressor, x, indexer_);
  if (chooses_) {
    float* w = index_weights_.get(tokens * c.index_n_heads);
    products_.push_back(ctx.product(weights.indexer.weights_proj, x, tokens, w));
  }
  ctx.multiply(products_);

  kernels::rms_norm(
      ctx.pool, ctx.isa,
      {qr, tokens, c.q_lora_rank, weights.q_norm.data(), static_cast<float>(c.rms_norm_eps), qr});
  products_.clear();
  float* q = q_.get(tokens * c.num_attention_heads * c.head_dim);
  products_.push_back(ctx.product(weights.wq_b, qr, tokens, q));
  if (chooses_) {
    float* index_q = index_q_.get(tokens * c.index_n_heads * c.index_head_dim);
    products_.push_back(ctx.product(weights.indexer.wq_b, qr, tokens, index_q));
  }
  ctx.multiply(products_);
}

void AttentionSite::add_blocks(const ForwardContext& ctx, const Chunk& chunk,
                               const CompressorWeights& weights, const float* x, Projection& out) {
  const int64_t tokens = chunk.tokens();
  out.width = weights.wkv.rows;
  products_.push_back(ctx.product(weights.wkv, x, tokens, out.kv.get(tokens * out.width)));
  products_.push_back(ctx.product(weights.wgate, x, tokens, out.gate.get(tokens * out.width)));
}

void AttentionSite::finish_query(const ForwardContext& ctx, const Chunk& chunk,
                                 const LayerConfig& layer) {
  const Config& c = ctx.config;
  const int64_t heads = chunk.tokens() * c.num_attention_heads;
  float* q = q_.get(0);
  kernels::rms_norm(ctx.pool, ctx.isa,
                    {q, heads, c.head_dim, nullptr, static_cast<float>(c.rms_norm_eps), q});
  kernels::rope(ctx.pool, {q, heads, c.head_dim, c.rope_dim, c.num_attention_heads,
                           rope_of(chunk, layer), false});
}

void AttentionSite::finish_rows(const ForwardContext& ctx, const Chunk& chunk,
                                const LayerConfig& layer, const AttentionWeights& weights,
                                const LayerState& state) {
  const Config& c = ctx.config;
  const int64_t tokens = chunk.tokens();
  float* rows = raw_.get(0);
  kernels::rms_norm(
      ctx.pool, ctx.isa,
      {rows, tokens, c.head_dim, weights.kv_norm.data(), static_cast<float>(c.rms_norm_eps), rows});
  kernels::rope(ctx.pool, {rows, tokens, c.head_dim, c.rope_dim, 1, rope_of(chunk, layer), false});
  if (ctx.rounds()) round_rows(state.layout, rows, tokens);
}

// The indexer's queries and weights.
void AttentionSite::finish_index(const ForwardContext& ctx, const Chunk& chunk) {
  const Config& c = ctx.config;
  const int64_t heads = c.index_n_heads;
  const int64_t rows = chunk.tokens() * heads;
  const int64_t dim = c.index_head_dim;
  float* q = index_q_.get(0);
  kernels::rope(ctx.pool, {q, rows, dim, c.rope_dim, heads, &chunk.compressed_rope, false});
  if (ctx.rounds()) round_index_queries(ctx, q, rows);
  float* w = index_weights_.get(0);
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(dim * heads)));
  for (int64_t i = 0; i < rows; ++i) w[i] *= scale;
}

// Rotates the heads back by their position (values carry the rotation of keys), then the grouped
// low-rank projection. wo_a takes unrounded activations in every precision.
void AttentionSite::project_output(const ForwardContext& ctx, const Chunk& chunk,
                                   const LayerConfig& layer, const AttentionWeights& weights,
                                   float* out) {
  const Config& c = ctx.config;
  const int64_t tokens = chunk.tokens();
  const int64_t per_group = c.num_attention_heads / c.o_groups;
  const int64_t rank = c.o_lora_rank;
  float* groups = groups_.get(c.o_groups * tokens * rank);
  products_.clear();
  for (int64_t g = 0; g < c.o_groups; ++g) {
    float* heads = heads_.get(0) + g * tokens * per_group * c.head_dim;
    kernels::rope(ctx.pool, {heads, tokens * per_group, c.head_dim, c.rope_dim, per_group,
                             rope_of(chunk, layer), true});
    products_.push_back({heads, tokens, weights.wo_a[static_cast<size_t>(g)],
                         kernels::ActivationRounding::kNone, groups + g * tokens * rank});
  }
  ctx.multiply(products_);
  float* low_rank = low_rank_.get(tokens * c.o_groups * rank);
  for (int64_t g = 0; g < c.o_groups; ++g) {
    for (int64_t t = 0; t < tokens; ++t) {
      std::copy_n(groups + (g * tokens + t) * rank, rank, low_rank + (t * c.o_groups + g) * rank);
    }
  }
  ctx.linear(weights.wo_b, low_rank, tokens, out);
}

}  // namespace dsv4::llm
