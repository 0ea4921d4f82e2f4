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

 private:
  void lay_out(std::span<const Stretch> stretches);
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
  std::vector<LayerState*> states_;  // of one layer
  Buffer streams_, mix_, inverse_, pre_, post_, comb_, y_, z_;
};

}  // namespace dsv4::llm
