#pragma once

#include <cstdint>
#include <span>

#include "llm/forward.h"

namespace dsv4::llm {

// The whole network over one chunk at a time, with the scratch memory that takes, on the processor
// or on a card. Holds nothing that a later chunk depends on: that is the caller's LayerState.
class Network {
 public:
  Network() = default;
  virtual ~Network() = default;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // Runs stretches of different sequences through all layers. What a token comes to depends on its
  // own sequence alone, bit for bit.
  virtual void run(const ForwardContext& ctx, std::span<const Stretch> stretches) = 0;

  // Logits [count, vocab] after tokens [first, first + count) of the last run, which are counted
  // through all stretches.
  virtual void logits(const ForwardContext& ctx, int64_t first, int64_t count, float* out) = 0;

  // Whether the first MTP layer can be run; if not, nothing below may be called.
  virtual bool has_mtp() const = 0;

  // What the last run of either kind left of its tokens: [tokens, hc, hidden], before the head's
  // reduction. Valid until the next one.
  virtual const float* streams() = 0;

  // Runs the first MTP layer (deepseek-v4.md section 3) at positions from `start` on: `streams` is
  // what run() left at each, `next` the id at the position after it. Overwrites what logits()
  // reads.
  virtual void run_mtp(const ForwardContext& ctx, std::span<const int32_t> next, int64_t start,
                       const float* streams, LayerState& state) = 0;

  // Logits [count, vocab] for the id after `next`, for tokens [first, first + count) of the last
  // run_mtp.
  virtual void mtp_logits(const ForwardContext& ctx, int64_t first, int64_t count, float* out) = 0;

  // For the products of a run on the processor.
  virtual kernels::MatmulScratch& scratch() = 0;
};

}  // namespace dsv4::llm
