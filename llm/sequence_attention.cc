#include "llm/sequence_attention.h"

#include <algorithm>
#include <cmath>

#include "kernels/attention/attention.h"
#include "kernels/indexer/hadamard.h"
#include "kernels/indexer/indexer.h"
#include "kernels/rms_norm/rms_norm.h"

namespace dsv4::llm {

void SequenceAttention::run(const ForwardContext& ctx, const LayerConfig& layer,
                            const AttentionWeights& weights, const SequenceRows& rows,
                            LayerState& state) {
  rows_ = rows;
  if (layer.compresses()) {
    compress(ctx, layer, weights.compressor, Use::kAttention, state.compressor.front());
    visible_.clear();
    for (int64_t t = 0; t < rows.tokens; ++t) {
      visible_.push_back((rows.start + t + 1) / layer.compress_ratio);
    }
  }
  if (layer.overlaps()) {
    compress(ctx, layer, weights.indexer.compressor, Use::kIndex, state.indexer.front());
    if (rows.chooses) select(ctx, state.indexer.front());
  }
  attend(ctx, layer, weights, state);

  const int64_t dim = ctx.config.head_dim;
  for (int64_t t = std::max<int64_t>(0, rows.tokens - state.ring.rows()); t < rows.tokens; ++t) {
    std::copy_n(rows.raw + t * dim, dim, state.ring.own_row(rows.start + t));
  }
}

// Closes the blocks that end in the stretch, and keeps its last rows for later blocks.
void SequenceAttention::compress(const ForwardContext& ctx, const LayerConfig& layer,
                                 const CompressorWeights& weights, Use use,
                                 CompressorState& state) {
  const int64_t ratio = layer.compress_ratio;
  const int64_t start = rows_.start;
  const int64_t end = start + rows_.tokens;
  const auto [kv, gate] = use == Use::kIndex ? rows_.indexer : rows_.compressor;

  // Rows by position, from the first that an unfinished block needs.
  const int64_t first = start / ratio;
  const int64_t last = end / ratio;
  const int64_t base = (first - (layer.overlaps() && first > 0 ? 1 : 0)) * ratio;
  kv_rows_.clear();
  gate_rows_.clear();
  for (int64_t p = base; p < last * ratio; ++p) {
    const bool here = p >= start;
    const int64_t at = (p - start) * state.width;
    kv_rows_.push_back(here ? kv + at : state.kv.row(p));
    gate_rows_.push_back(here ? gate + at : state.gate.row(p));
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
  finish_entries(ctx, layer, weights, use, first, entries, state);

  // Rows of finished blocks too: the last of these ids may be a guess that is taken back.
  for (int64_t p = std::max(end - state.kv.rows(), start); p < end; ++p) {
    const int64_t from = (p - start) * state.width;
    std::copy_n(kv + from, state.width, state.kv.own_row(p));
    std::copy_n(gate + from, state.width, state.gate.own_row(p));
  }
}

// Norm, rotation at the block's first position, and storing of the new entries: `first` and later.
void SequenceAttention::finish_entries(const ForwardContext& ctx, const LayerConfig& layer,
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
  kernels::fill_rope_table(rows_.frequencies, positions_, entry_rope_);
  kernels::rope(ctx.pool, {entries, count, dim, ctx.config.rope_dim, 1, &entry_rope_, false});
  if (ctx.rounds() && use == Use::kIndex) kernels::hadamard(entries, count, dim);
  row_.resize(static_cast<size_t>(state.layout.bytes()));
  for (int64_t b = 0; b < count; ++b) {
    kernels::pack_row(state.layout, entries + b * dim, row_.data());
    state.store(row_.data(), first + b);
  }
}

// The lightning indexer.
void SequenceAttention::select(const ForwardContext& ctx, const CompressorState& state) {
  const Config& c = ctx.config;
  count_.resize(static_cast<size_t>(rows_.tokens));
  selected_.resize(static_cast<size_t>(rows_.tokens * c.index_topk));
  kernels::select_entries(
      ctx.pool, ctx.isa,
      {rows_.index_q, rows_.index_weights, rows_.tokens, c.index_n_heads, c.index_head_dim,
       state.rows(), visible_.data(), c.index_topk, selected_.data(), count_.data()});
}

void SequenceAttention::attend(const ForwardContext& ctx, const LayerConfig& layer,
                               const AttentionWeights& weights, const LayerState& state) {
  const Config& c = ctx.config;
  const int64_t earlier = std::min(rows_.start, c.sliding_window - 1);
  window_.resize(static_cast<size_t>(earlier + rows_.tokens));
  state.ring.find(rows_.start - earlier, rows_.start, window_.data());
  for (int64_t t = 0; t < rows_.tokens; ++t) {
    window_[static_cast<size_t>(earlier + t)] = rows_.raw + t * c.head_dim;
  }

  kernels::AttentionParams p;
  p.q = rows_.q;
  p.tokens = rows_.tokens;
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
  }
  if (rows_.chooses) {
    p.selected = selected_.data();
    p.selected_stride = c.index_topk;
    p.count = count_.data();
  }
  p.groups = c.o_groups;
  p.out = rows_.heads;
  p.out_tokens = rows_.out_tokens;
  kernels::attention(ctx.pool, ctx.isa, p);
}

}  // namespace dsv4::llm
