#include "llm/attention_site.h"

#include <algorithm>
#include <cmath>

#include "kernels/attention/attention.h"
#include "kernels/indexer/hadamard.h"
#include "kernels/indexer/indexer.h"
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

}  // namespace

AttentionSite::AttentionSite(const Config& config)
    : compressed_frequencies_(rope_frequencies(config, true)) {}

void AttentionSite::run(const ForwardContext& ctx, const Chunk& chunk, const LayerConfig& layer,
                        const AttentionWeights& weights, const float* x, LayerState& state,
                        float* out) {
  project_query(ctx, chunk, layer, weights, x);
  project_rows(ctx, chunk, layer, weights, x, state);
  if (layer.compresses()) {
    compress(ctx, chunk, layer, weights.compressor, Use::kAttention, x, state.compressor.front());
    visible_.clear();
    for (int64_t t = 0; t < chunk.tokens(); ++t) {
      visible_.push_back((chunk.start + t + 1) / layer.compress_ratio);
    }
  }
  if (layer.attention == AttentionKind::kCompressedSparse) {
    compress(ctx, chunk, layer, weights.indexer.compressor, Use::kIndex, x, state.indexer.front());
    // While everything fits the budget there is nothing to choose.
    if (chooses(ctx, layer)) select(ctx, chunk, weights.indexer, x, state.indexer.front());
  }
  attend(ctx, chunk, layer, weights, state);
  project_output(ctx, chunk, layer, weights, out);

  const int64_t dim = ctx.config.head_dim;
  const float* rows = rows_.get(0);
  for (int64_t t = std::max<int64_t>(0, chunk.tokens() - state.slots); t < chunk.tokens(); ++t) {
    std::copy_n(rows + t * dim, dim, state.ring.data() + (chunk.start + t) % state.slots * dim);
  }
}

// Whether a token of the chunk sees more entries than the indexer's budget.
bool AttentionSite::chooses(const ForwardContext& ctx, const LayerConfig& layer) const {
  return layer.overlaps() && visible_.back() > ctx.config.index_topk;
}

void AttentionSite::project_query(const ForwardContext& ctx, const Chunk& chunk,
                                  const LayerConfig& layer, const AttentionWeights& weights,
                                  const float* x) {
  const Config& c = ctx.config;
  const int64_t tokens = chunk.tokens();
  const int64_t heads = c.num_attention_heads;
  const auto eps = static_cast<float>(c.rms_norm_eps);
  float* qr = qr_.get(tokens * c.q_lora_rank);
  float* q = q_.get(tokens * heads * c.head_dim);
  ctx.linear(weights.wq_a, x, tokens, qr);
  kernels::rms_norm(ctx.pool, ctx.isa, {qr, tokens, c.q_lora_rank, weights.q_norm.data(), eps, qr});
  ctx.linear(weights.wq_b, qr, tokens, q);
  kernels::rms_norm(ctx.pool, ctx.isa, {q, tokens * heads, c.head_dim, nullptr, eps, q});
  kernels::rope(ctx.pool,
                {q, tokens * heads, c.head_dim, c.rope_dim, heads, rope_of(chunk, layer), false});
}

void AttentionSite::project_rows(const ForwardContext& ctx, const Chunk& chunk,
                                 const LayerConfig& layer, const AttentionWeights& weights,
                                 const float* x, const LayerState& state) {
  const Config& c = ctx.config;
  const int64_t tokens = chunk.tokens();
  float* rows = rows_.get(tokens * c.head_dim);
  ctx.linear(weights.wkv, x, tokens, rows);
  kernels::rms_norm(
      ctx.pool, ctx.isa,
      {rows, tokens, c.head_dim, weights.kv_norm.data(), static_cast<float>(c.rms_norm_eps), rows});
  kernels::rope(ctx.pool, {rows, tokens, c.head_dim, c.rope_dim, 1, rope_of(chunk, layer), false});
  if (ctx.rounds()) round_rows(state.layout, rows, tokens);
}

// Projects the chunk, closes the blocks that end in it, and keeps its last rows for later blocks.
void AttentionSite::compress(const ForwardContext& ctx, const Chunk& chunk,
                             const LayerConfig& layer, const CompressorWeights& weights, Use use,
                             const float* x, CompressorState& state) {
  const int64_t ratio = layer.compress_ratio;
  const int64_t tokens = chunk.tokens();
  const int64_t end = chunk.start + tokens;
  float* kv = kv_.get(tokens * state.width);
  float* gate = gate_.get(tokens * state.width);
  ctx.linear(weights.wkv, x, tokens, kv);
  ctx.linear(weights.wgate, x, tokens, gate);

  // Rows by position, from the first that an unfinished block needs.
  const int64_t first = state.entries.size();
  const int64_t last = end / ratio;
  const int64_t base = (first - (layer.overlaps() && first > 0 ? 1 : 0)) * ratio;
  kv_rows_.clear();
  gate_rows_.clear();
  for (int64_t p = base; p < last * ratio; ++p) {
    const bool here = p >= chunk.start;
    const int64_t at = (here ? p - chunk.start : p % state.slots) * state.width;
    kv_rows_.push_back((here ? kv : state.kv.data()) + at);
    gate_rows_.push_back((here ? gate : state.gate.data()) + at);
  }
  const int64_t dim = state.layout.dim;
  float* entries = entries_.get((last - first) * dim);
  blocks_.clear();
  for (int64_t b = first; b < last; ++b) {
    const int64_t at = b * ratio - base;
    const bool previous = layer.overlaps() && b > 0;
    blocks_.push_back({kv_rows_.data() + at, gate_rows_.data() + at,
                       previous ? kv_rows_.data() + at - ratio : nullptr,
                       previous ? gate_rows_.data() + at - ratio : nullptr,
                       entries + (b - first) * dim});
  }
  kernels::compress(
      ctx.pool, ctx.isa,
      {blocks_.data(), last - first, ratio, dim, layer.overlaps(), weights.ape.data()});
  state.entries.resize(last);
  finish_entries(ctx, layer, weights, use, first, entries, state);

  // Rows of finished blocks too: the last of these ids may be a guess that is taken back.
  for (int64_t p = std::max(end - state.slots, chunk.start); p < end; ++p) {
    const int64_t from = (p - chunk.start) * state.width;
    const int64_t to = p % state.slots * state.width;
    std::copy_n(kv + from, state.width, state.kv.data() + to);
    std::copy_n(gate + from, state.width, state.gate.data() + to);
  }
}

// Norm, rotation at the block's first position, and storing of the new entries: `first` and later.
void AttentionSite::finish_entries(const ForwardContext& ctx, const LayerConfig& layer,
                                   const CompressorWeights& weights, Use use, int64_t first,
                                   float* entries, CompressorState& state) {
  const int64_t count = state.entries.size() - first;
  if (count == 0) return;
  const int64_t dim = state.layout.dim;
  kernels::rms_norm(ctx.pool, ctx.isa,
                    {entries, count, dim, weights.norm.data(),
                     static_cast<float>(ctx.config.rms_norm_eps), entries});
  positions_.clear();
  for (int64_t b = 0; b < count; ++b) positions_.push_back((first + b) * layer.compress_ratio);
  kernels::fill_rope_table(compressed_frequencies_, positions_, entry_rope_);
  kernels::rope(ctx.pool, {entries, count, dim, ctx.config.rope_dim, 1, &entry_rope_, false});
  if (ctx.rounds() && use == Use::kIndex) kernels::hadamard(entries, count, dim);
  for (int64_t b = 0; b < count; ++b) {
    kernels::pack_row(state.layout, entries + b * dim, state.entries.new_row(first + b));
  }
}

// The lightning indexer. qr_ holds the chunk's query residuals.
void AttentionSite::select(const ForwardContext& ctx, const Chunk& chunk,
                           const IndexerWeights& weights, const float* x,
                           const CompressorState& state) {
  const Config& c = ctx.config;
  const int64_t tokens = chunk.tokens();
  const int64_t heads = c.index_n_heads;
  const int64_t dim = c.index_head_dim;
  count_.resize(static_cast<size_t>(tokens));
  selected_.resize(static_cast<size_t>(tokens * c.index_topk));
  float* q = index_q_.get(tokens * heads * dim);
  float* w = index_weights_.get(tokens * heads);
  ctx.linear(weights.wq_b, qr_.get(0), tokens, q);
  kernels::rope(ctx.pool,
                {q, tokens * heads, dim, c.rope_dim, heads, &chunk.compressed_rope, false});
  if (ctx.rounds()) round_index_queries(ctx, q, tokens * heads);
  ctx.linear(weights.weights_proj, x, tokens, w);
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(dim * heads)));
  for (int64_t i = 0; i < tokens * heads; ++i) w[i] *= scale;
  kernels::select_entries(ctx.pool, ctx.isa,
                          {q, w, tokens, heads, dim, state.rows(), visible_.data(), c.index_topk,
                           selected_.data(), count_.data()});
}

void AttentionSite::attend(const ForwardContext& ctx, const Chunk& chunk, const LayerConfig& layer,
                           const AttentionWeights& weights, const LayerState& state) {
  const Config& c = ctx.config;
  const int64_t tokens = chunk.tokens();
  const int64_t earlier = std::min(chunk.start, c.sliding_window - 1);
  window_.clear();
  for (int64_t p = chunk.start - earlier; p < chunk.start; ++p) {
    window_.push_back(state.ring.data() + p % state.slots * c.head_dim);
  }
  for (int64_t t = 0; t < tokens; ++t) window_.push_back(rows_.get(0) + t * c.head_dim);

  kernels::AttentionParams p;
  p.q = q_.get(0);
  p.tokens = tokens;
  p.heads = c.num_attention_heads;
  p.dim = c.head_dim;
  p.sink = weights.sink.data();
  p.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(c.head_dim)));
  p.window = window_.data();
  p.earlier = earlier;
  p.window_size = c.sliding_window;
  if (layer.compresses()) {
    const CompressorState& compressor = state.compressor.front();
    p.entries = compressor.rows();
    p.count = visible_.data();
    p.unpacked = unpacked_.get(chooses(ctx, layer) ? 0 : compressor.entries.size() * c.head_dim);
  }
  if (chooses(ctx, layer)) {
    p.selected = selected_.data();
    p.selected_stride = c.index_topk;
    p.count = count_.data();
  }
  p.groups = c.o_groups;
  p.out = heads_.get(tokens * c.num_attention_heads * c.head_dim);
  kernels::attention(ctx.pool, ctx.isa, p);
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
  float* low_rank = low_rank_.get(tokens * c.o_groups * rank);
  float* group = group_.get(tokens * rank);
  for (int64_t g = 0; g < c.o_groups; ++g) {
    float* heads = heads_.get(0) + g * tokens * per_group * c.head_dim;
    kernels::rope(ctx.pool, {heads, tokens * per_group, c.head_dim, c.rope_dim, per_group,
                             rope_of(chunk, layer), true});
    kernels::matmul(ctx.pool, ctx.isa,
                    {heads, tokens, weights.wo_a[static_cast<size_t>(g)],
                     kernels::ActivationRounding::kNone, group});
    for (int64_t t = 0; t < tokens; ++t) {
      std::copy_n(group + t * rank, rank, low_rank + (t * c.o_groups + g) * rank);
    }
  }
  ctx.linear(weights.wo_b, low_rank, tokens, out);
}

}  // namespace dsv4::llm
