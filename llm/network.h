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

  // Runs ids at positions from `start` on through all layers; layers: one state per layer.
  void run(const ForwardContext& ctx, std::span<const int32_t> ids, int64_t start,
           std::vector<LayerState>& layers);

  // Logits [count, vocab] after tokens [first, first + count) of the last run.
  void logits(const ForwardContext& ctx, int64_t first, int64_t count, float* out);

 private:
  void embed();
  // Mixing numbers of a site and its normed input y_.
  void enter(const ForwardContext& ctx, const HyperWeights& hyper, const std::vector<float>& norm);
  void leave(const ForwardContext& ctx);

  const Config& config_;
  const Weights& weights_;
  std::vector<float> frequencies_, compressed_frequencies_;
  AttentionSite attention_;
  MoeSite moe_;
  Chunk chunk_;
  std::vector<int64_t> positions_;
  Buffer streams_, mix_, inverse_, pre_, post_, comb_, y_, z_;
};

}  // namespace dsv4::llm
