#include <string>
#include <vector>

#include "kernels/bench/rows.h"
#include "kernels/hyper_connections/hyper_connections.h"
#include "kernels/moe/routing.h"
#include "kernels/rms_norm/rms_norm.h"
#include "kernels/swiglu/swiglu.h"

// What surrounds the products of a layer, at the sizes of V4-Flash.
namespace dsv4::kernels::bench {
namespace {

constexpr int64_t kDim = 4096;
constexpr int64_t kStreams = 4;

std::string shape(int64_t tokens, int64_t width) {
  return std::to_string(tokens) + "x" + std::to_string(width);
}

void add_norm(Bench& bench, int64_t tokens) {
  const std::vector<float> x(static_cast<size_t>(tokens * kDim), 0.3F);
  const std::vector<float> weight(kDim, 1.1F);
  std::vector<float> y(x.size());
  const auto values = static_cast<double>(x.size());
  bench.row({"rms_norm", shape(tokens, kDim), 8 * values, 4 * values, [&] {
               rms_norm(bench.pool(), bench.isa(),
                        {x.data(), tokens, kDim, weight.data(), 1e-6F, y.data()});
             }});
}

void add_hyper_mix(Bench& bench, int64_t tokens) {
  constexpr int64_t kMixes = (2 + kStreams) * kStreams;
  constexpr int64_t kIterations = 20;
  const std::vector<float> m(static_cast<size_t>(tokens * kMixes), 0.2F);
  const std::vector<float> inverse(static_cast<size_t>(tokens), 1.0F);
  const std::vector<float> base(kMixes, 0.1F);
  const std::vector<float> scale(3, 0.5F);
  std::vector<float> pre(static_cast<size_t>(tokens * kStreams));
  std::vector<float> post(pre.size());
  std::vector<float> comb(pre.size() * kStreams);
  HyperMixParams p;
  p.m = m.data();
  p.inverse_rms = inverse.data();
  p.tokens = tokens;
  p.streams = kStreams;
  p.base = base.data();
  p.scale = scale.data();
  p.eps = 1e-6F;
  p.iterations = kIterations;
  p.pre = pre.data();
  p.post = post.data();
  p.comb = comb.data();
  // Each iteration sums and scales rows, then columns.
  const auto flops = static_cast<double>(tokens * kIterations * 4 * kStreams * kStreams);
  bench.row({"hyper_mix", shape(tokens, kMixes), 8.0 * static_cast<double>(m.size()), flops,
             [&] { hyper_mix(bench.pool(), p); }});
}

void add_hyper_streams(Bench& bench, int64_t tokens) {
  std::vector<float> x(static_cast<size_t>(tokens * kStreams * kDim), 0.3F);
  std::vector<float> y(static_cast<size_t>(tokens * kDim), 0.1F);
  // Rows that sum to 1 and no post: the streams stay as they are, run after run.
  const std::vector<float> pre(static_cast<size_t>(tokens * kStreams), 0.25F);
  const std::vector<float> post(pre.size(), 0.0F);
  const std::vector<float> comb(pre.size() * kStreams, 0.25F);
  const auto values = static_cast<double>(y.size());
  const std::string streams = std::to_string(tokens) + "x4x4096";
  bench.row({"hyper_reduce", streams, 4 * values * (kStreams + 1), 2 * values * kStreams, [&] {
               hyper_reduce(bench.pool(), bench.isa(),
                            {x.data(), pre.data(), tokens, kStreams, kDim, y.data()});
             }});
  bench.row({"hyper_expand", streams, 4 * values * (2 * kStreams + 1),
             2 * values * kStreams * (kStreams + 1), [&] {
               hyper_expand(bench.pool(), bench.isa(),
                            {x.data(), y.data(), post.data(), comb.data(), tokens, kStreams, kDim});
             }});
}

void add_swiglu(Bench& bench, int64_t tokens) {
  constexpr int64_t kWidth = 2048;
  const std::vector<float> g(static_cast<size_t>(tokens * kWidth), 0.7F);
  const std::vector<float> u(g.size(), -0.4F);
  std::vector<float> y(g.size());
  const auto values = static_cast<double>(g.size());
  bench.row({"swiglu", shape(tokens, kWidth), 12 * values, 0, [&] {
               swiglu(bench.pool(), bench.isa(),
                      {g.data(), u.data(), tokens, kWidth, nullptr, 10.0F, y.data()});
             }});
}

void add_routing(Bench& bench, int64_t tokens) {
  constexpr int64_t kExperts = 256;
  constexpr int64_t kChosen = 6;
  std::vector<float> logits(static_cast<size_t>(tokens * kExperts));
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = static_cast<float>(i * 37 % 101) * 0.02F;
  const std::vector<float> bias(kExperts, 0.1F);
  std::vector<int32_t> index(static_cast<size_t>(tokens * kChosen));
  std::vector<float> weight(index.size());
  std::vector<float> scores(kExperts);
  RoutingParams p;
  p.logits = logits.data();
  p.tokens = tokens;
  p.experts = kExperts;
  p.chosen = kChosen;
  p.bias = bias.data();
  p.factor = 1.5F;
  p.index = index.data();
  p.weight = weight.data();
  p.scores = scores.data();
  bench.row({"routing", shape(tokens, kExperts) + ", 6 chosen",
             4.0 * static_cast<double>(logits.size()), 0, [&] { route(p); }});
}

}  // namespace

void add_stream_rows(Bench& bench) {
  for (const int64_t tokens : {1, 64}) {
    add_norm(bench, tokens);
    add_hyper_mix(bench, tokens);
    add_hyper_streams(bench, tokens);
    add_swiglu(bench, tokens);
    add_routing(bench, tokens);
  }
}

}  // namespace dsv4::kernels::bench
