#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/cuda/chunk.h"
#include "kernels/cuda/device.h"
#include "kernels/matmul/matmul_cuda.h"
#include "kernels/rope/rope_cuda.h"
#include "llm/cuda/device_buffers.h"
#include "llm/cuda/device_layer.h"
#include "llm/cuda/device_weights.h"
#include "llm/network.h"

namespace dsv4::llm {

// A card that has been given a model's weights; shared by the networks of its sessions.
struct DeviceModel {
  DeviceModel(const Config& config, const Weights& weights, int card);

  const Config& config;
  kernels::cuda::DeviceInfo card;
  kernels::cuda::Stream stream;
  DeviceWeights weights;
};

// The network on a card. The states that it moves on are the processor's (LayerState); each keeps a
// copy of itself on the card (DeviceLayer), and what a run leaves behind comes back in one piece.
class DeviceNetwork : public Network {
 public:
  explicit DeviceNetwork(std::shared_ptr<DeviceModel> model);

  void run(const ForwardContext& ctx, std::span<const Stretch> stretches) override;
  void logits(const ForwardContext& ctx, int64_t first, int64_t count, float* out) override;

  // The MTP layer runs on the processor only.
  bool has_mtp() const override { return false; }
  const float* streams() override;
  void run_mtp(const ForwardContext& ctx, std::span<const int32_t> next, int64_t start,
               const float* streams, LayerState& state) override;
  void mtp_logits(const ForwardContext& ctx, int64_t first, int64_t count, float* out) override;
  kernels::MatmulScratch& scratch() override { return scratch_; }

 private:
  struct Layer;  // of a run: what all its steps take

  kernels::cuda::Stream& stream() { return model_->stream; }
  const Config& config() const { return model_->config; }
  void make_room(std::span<const Stretch> stretches);
  void bring_states(std::span<const Stretch> stretches);
  void upload_chunk(std::span<const Stretch> stretches);
  StateTable states_of(size_t layer) const;
  void run_layer(const ForwardContext& ctx, size_t index);
  void enter(const DeviceHyper& hyper, const float* norm, const float* streams, int64_t tokens,
             bool head);
  void leave();
  void attend(const ForwardContext& ctx, const Layer& layer);
  void project(const ForwardContext& ctx, const Layer& layer);
  void compress(const ForwardContext& ctx, const Layer& layer);
  void choose(const ForwardContext& ctx, const Layer& layer);
  void project_output(const ForwardContext& ctx, const Layer& layer);
  void feed_forward(const ForwardContext& ctx, const Layer& layer);
  bool fits_ring(const Layer& layer) const;
  void finish_rows(const ForwardContext& ctx, const Layer& layer);
  void multiply();  // products_
  void take_back(std::span<const Stretch> stretches);
  void keep_rows(size_t index, const Stretch& stretch, int64_t row, LayerState& state);

  std::shared_ptr<DeviceModel> model_;
  kernels::cuda::DeviceMemory memory_bytes_;
  RunSize size_;
  RunMemory memory_;                    // laid out in memory_bytes_ for size_
  std::span<const Stretch> stretches_;  // of the run
  kernels::cuda::Chunk chunk_;
  kernels::RowLayout stored_;  // of raw rows and entries
  std::vector<kernels::cuda::Product> products_;
  std::vector<std::byte> input_;  // of a run, as it goes to the card
  std::vector<float> left_;       // what came back
  kernels::MatmulScratch scratch_;
};

}  // namespace dsv4::llm
