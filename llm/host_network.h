#pragma once

#include <cstdint>
#include <vector>

#include "llm/attention_site.h"
#include "llm/forward.h"
#include "llm/moe_site.h"
#include "llm/network.h"

namespace dsv4::llm {

// The network on the processor.
class HostNetwork : public Network {
 public:
  HostNetwork(const Config& config, const Weights& weights);

  void run(const ForwardContext& ctx, std::span<const Stretch> stretches) override;
  void logits(const ForwardContext& ctx, int64_t first, int64_t count, float* out) override;
  bool has_mtp() const override { return !weights_.mtp.empty(); }
  const float* streams() override { return streams_.get(0); }
  void run_mtp(const ForwardContext& ctx, std::span<const int32_t> next, int64_t start,
               const float* streams, LayerState& state) override;
  void mtp_logits(const ForwardContext& ctx, int64_t first, int64_t count, float* out) override;
  kernels::MatmulScratch& scratch() override { return scratch_; }

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
