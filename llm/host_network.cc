#include "llm/host_network.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "kernels/hyper_connections/hyper_connections.h"
#include "kernels/rms_norm/rms_norm.h"
#include "llm/rope_tables.h"

namespace dsv4::llm {
namespace {

// One row of the embedding as f32.
void embedding_row(const kernels::WeightMatrix& m, int64_t row, float* out) {
  const auto* data = static_cast<const std::byte*>(m.data);
  if (m.format == kernels::WeightFormat::kF32) {
    std::memcpy(out, data + row * m.cols * 4, static_cast<size_t>(m.cols) * 4);
    return;
  }
  for (int64_t i = 0; i < m.cols; ++i) {
    uint16_t raw = 0;
    std::memcpy(&raw, data + (row * m.cols + i) * 2, 2);
    out[i] = std::bit_cast<float>(static_cast<uint32_t>(raw) << 16);
  }
}

// fn @ u and rsqrt(mean(u^2) + eps) over the flattened streams.
void project_streams(const ForwardContext& ctx, const HyperWeights& hyper, const float* streams,
                     int64_t tokens, float* m, float* inverse) {
  const int64_t width = ctx.config.hc_mult * ctx.config.hidden_size;
  ctx.linear(hyper.fn, streams, tokens, m);
  for (int64_t t = 0; t < tokens; ++t) {
    inverse[t] = kernels::inverse_rms(ctx.isa, streams + t * width, width,
                                      static_cast<float>(ctx.config.rms_norm_eps));
  }
}

}  // namespace

HostNetwork::HostNetwork(const Config& config, const Weights& weights)
    : config_(config),
      weights_(weights),
      frequencies_(rope_frequencies(config, false)),
      compressed_frequencies_(rope_frequencies(config, true)),
      attention_(config) {}

void HostNetwork::embed() {
  const int64_t hc = config_.hc_mult;
  const int64_t dim = config_.hidden_size;
  float* streams = streams_.get(chunk_.tokens() * hc * dim);
  for (int64_t t = 0; t < chunk_.tokens(); ++t) {
    float* first = streams + t * hc * dim;
    embedding_row(weights_.embed, chunk_.ids[static_cast<size_t>(t)], first);
    for (int64_t j = 1; j < hc; ++j) std::copy_n(first, dim, first + j * dim);
  }
}

void HostNetwork::enter(const ForwardContext& ctx, const HyperWeights& hyper,
                        const std::vector<float>& norm) {
  const int64_t tokens = chunk_.tokens();
  const int64_t hc = config_.hc_mult;
  const int64_t dim = config_.hidden_size;
  float* m = mix_.get(tokens * (2 + hc) * hc);
  float* inverse = inverse_.get(tokens);
  project_streams(ctx, hyper, streams_.get(0), tokens, m, inverse);
  kernels::HyperMixParams mix;
  mix.m = m;
  mix.inverse_rms = inverse;
  mix.tokens = tokens;
  mix.streams = hc;
  mix.base = hyper.base.data();
  mix.scale = hyper.scale.data();
  mix.eps = static_cast<float>(config_.hc_eps);
  mix.iterations = config_.hc_sinkhorn_iters;
  mix.pre = pre_.get(tokens * hc);
  mix.post = post_.get(tokens * hc);
  mix.comb = comb_.get(tokens * hc * hc);
  kernels::hyper_mix(ctx.pool, mix);
  float* y = y_.get(tokens * dim);
  kernels::hyper_reduce(ctx.pool, ctx.isa, {streams_.get(0), mix.pre, tokens, hc, dim, y});
  kernels::rms_norm(ctx.pool, ctx.isa,
                    {y, tokens, dim, norm.data(), static_cast<float>(config_.rms_norm_eps), y});
}

void HostNetwork::leave(const ForwardContext& ctx) {
  kernels::hyper_expand(ctx.pool, ctx.isa,
                        {streams_.get(0), z_.get(0), post_.get(0), comb_.get(0), chunk_.tokens(),
                         config_.hc_mult, config_.hidden_size});
}

void HostNetwork::lay_out(std::span<const Stretch> stretches) {
  chunk_.stretches = stretches;
  chunk_.ids.clear();
  positions_.clear();
  for (const Stretch& s : stretches) {
    chunk_.ids.insert(chunk_.ids.end(), s.ids.begin(), s.ids.end());
    for (int64_t p = s.start; p < s.end(); ++p) positions_.push_back(p);
  }
  kernels::fill_rope_table(frequencies_, positions_, chunk_.rope);
  kernels::fill_rope_table(compressed_frequencies_, positions_, chunk_.compressed_rope);
}

// states_ holds the layer's states.
void HostNetwork::run_layer(const ForwardContext& ctx, const LayerConfig& layer,
                            const LayerWeights& w) {
  float* z = z_.get(chunk_.tokens() * config_.hidden_size);
  enter(ctx, w.hc_attn, w.attn_norm);
  attention_.run(ctx, chunk_, layer, w.attention, y_.get(0), states_, z);
  leave(ctx);
  enter(ctx, w.hc_ffn, w.ffn_norm);
  moe_.run(ctx, chunk_, layer, w.moe, y_.get(0), z);
  leave(ctx);
}

void HostNetwork::run(const ForwardContext& ctx, std::span<const Stretch> stretches) {
  lay_out(stretches);
  embed();
  for (size_t i = 0; i < config_.layers.size(); ++i) {
    states_.clear();
    for (const Stretch& s : stretches) states_.push_back(&(*s.layers)[i]);
    run_layer(ctx, config_.layers[i], weights_.layers[i]);
  }
}

// x_mtp: e_proj(enorm(embed[next])) for every stream, plus h_proj(hnorm(x_j)) of each.
void HostNetwork::run_mtp(const ForwardContext& ctx, std::span<const int32_t> next, int64_t start,
                          const float* streams, LayerState& state) {
  const MtpWeights& w = weights_.mtp.front();
  const int64_t hc = config_.hc_mult;
  const int64_t dim = config_.hidden_size;
  const auto eps = static_cast<float>(config_.rms_norm_eps);
  const Stretch stretch{next, start, nullptr};
  lay_out({&stretch, 1});
  const int64_t tokens = chunk_.tokens();
  float* embedded = y_.get(tokens * dim);
  for (int64_t t = 0; t < tokens; ++t) {
    embedding_row(weights_.embed, next[static_cast<size_t>(t)], embedded + t * dim);
  }
  kernels::rms_norm(ctx.pool, ctx.isa, {embedded, tokens, dim, w.enorm.data(), eps, embedded});
  float* e = z_.get(tokens * dim);
  ctx.linear(w.e_proj, embedded, tokens, e);
  float* normed = normed_.get(tokens * hc * dim);
  kernels::rms_norm(ctx.pool, ctx.isa, {streams, tokens * hc, dim, w.hnorm.data(), eps, normed});
  float* x = streams_.get(tokens * hc * dim);
  ctx.linear(w.h_proj, normed, tokens * hc, x);
  for (int64_t row = 0; row < tokens * hc; ++row) {
    const float* add = e + row / hc * dim;
    for (int64_t i = 0; i < dim; ++i) x[row * dim + i] += add[i];
  }
  states_.assign(1, &state);
  run_layer(ctx, config_.mtp.front(), w.layer);
}

void HostNetwork::logits(const ForwardContext& ctx, int64_t first, int64_t count, float* out) {
  project(ctx, weights_.hc_head, weights_.norm, first, count, out);
}

void HostNetwork::mtp_logits(const ForwardContext& ctx, int64_t first, int64_t count, float* out) {
  const MtpWeights& w = weights_.mtp.front();
  project(ctx, w.hc_head, w.norm, first, count, out);
}

void HostNetwork::project(const ForwardContext& ctx, const HyperWeights& hyper,
                          const std::vector<float>& norm, int64_t first, int64_t count,
                          float* out) {
  const int64_t hc = config_.hc_mult;
  const int64_t dim = config_.hidden_size;
  const float* streams = streams_.get(0) + first * hc * dim;
  float* m = mix_.get(count * hc);
  float* inverse = inverse_.get(count);
  float* pre = pre_.get(count * hc);
  float* y = y_.get(count * dim);
  project_streams(ctx, hyper, streams, count, m, inverse);
  kernels::hyper_head({m, inverse, count, hc, hyper.base.data(), hyper.scale[0],
                       static_cast<float>(config_.hc_eps), pre});
  kernels::hyper_reduce(ctx.pool, ctx.isa, {streams, pre, count, hc, dim, y});
  kernels::rms_norm(ctx.pool, ctx.isa,
                    {y, count, dim, norm.data(), static_cast<float>(config_.rms_norm_eps), y});
  ctx.linear(weights_.head, y, count, out);
}

}  // namespace dsv4::llm
