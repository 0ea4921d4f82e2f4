#pragma once

#include <cstdint>
#include <vector>

#include "llm/attention_site.h"
#include "llm/forward.h"
#include "llm/moe_site.h"

namespace dsv4::llm {

// The whole network over one chunk at a time, with the scratch memory that takes. Holds nothing
// that a later chunk depends on: that is the caller's LayerState.
class Network {
 public:
  Network(const Config& config, const Weights& weights);

  // Runs stretches of different sequences through all layers. What a token comes to depends on its
  // own sequence alone, bit for bit.
  void run(const ForwardContext& ctx, std::span<const Stretch> stretches);

  // Logits [count, vocab] after tokens [first, first + count) of the last run, which are counted
  // through all stretches.
  void logits(const ForwardContext& ctx, int64_t first, int64_t count, float* out);

  // What the last run of either kind left of its tokens: [tokens, hc, hidden], before the head's
  // reduction. Valid until the next one.
  const float* streams() { return streams_.get(0); }

  // Runs the first MTP layer (deepseek-v4.md section 3) at positions from `start` on: `streams` is
  // what run() left at each, `next` the id at the position after it. Overwrites what logits()
  // reads.
  void run_mtp(const ForwardContext& ctx, std::span<const int32_t> next, int64_t start,
               const float* streams, LayerState& state);

  // Logits [count, vocab] for the id after `next`, for tokens [first, first + count) of the last
  // run_mtp.
  void mtp_logits(const ForwardContext& ctx, int64_t first, int64_t count, float* out);

  // For the products of a run.
  kernels::MatmulScratch& scratch() { return scratch_; }

 private:
  void lay_out(std::span<const Stretch> stretches);
  void embed();
  void run_layer(const ForwardContext& ctx, const LayerConfig& layer, const LayerWeights& weights);
  void project(const ForwardContext& ctx, const HyperWeights& hyper, const std::vector<float>& norm,
               int64_t first, int64_t count, float* out);
  // Mixing numbers of a site and its normed input y_.
  void enter(const ForwardContext& ctx, const HyperWeights& hyper, const std::vector<float>& norm);
  void leave(const ForwardContext& ctx);

  const Config& config_;
  const Weights& weights_;
  kernels::MatmulScratch scratch_;
  std::vector<float> frequencies_, compressed_frequencies_;
  AttentionSite attention_;
  MoeSite moe_;
  Chunk chunk_;
  std::vector<int64_t> positions_;
  std::vector<LayerState*> states_;  // of one layer
  Buffer streams_, mix_, inverse_, pre_, post_, comb_, y_, z_, normed_;
};

}  // namespace dsv4::llm
