#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "llm/network.h"
#include "llm/page_list.h"

namespace dsv4::llm {

// Guesses with the MTP layer (deepseek-v4.md section 3), which from what the network left of a
// position and the id after it says the id after that. To guess further it is fed what it left
// itself.
//
// The layer has a state of its own. Positions are computed in it only when a guess is asked for,
// the last kReach of them at most: while nothing is guessed it costs a copy of the streams. What is
// missing or out of date in it makes guesses worse, never wrong: the network has the last word.
class MtpDrafter {
 public:
  static constexpr int64_t kReach = 32;

  // Whether the model has such a layer. One with a compressor, which would need every position
  // (no published checkpoint has one), is left alone.
  static bool usable(const Model& model);

  MtpDrafter(const Model& model, kernels::RowFormat stored, const StateMemory& memory);

  // What the network's run left at positions [start, start + count): [count, hc, hidden].
  void keep(int64_t start, int64_t count, const float* streams);

  // Forgets everything from `position` on, at most kGuessRoom ids.
  void cut(int64_t position);
  // Forgets everything.
  void clear();

  // Whether what the network left before `position` is here, so that guess() can be asked.
  bool knows(int64_t position) const { return position > begin_ && position == end_; }

  // Brings the layer up to all but the last position before `position`. past: the ids so far.
  void catch_up(const ForwardContext& ctx, Network& network, const PageList& past,
                int64_t position);

  // `count` ids that are likely to follow `next`, which comes at `position`. After catch_up.
  std::vector<int32_t> guess(const ForwardContext& ctx, Network& network, int64_t position,
                             int32_t next, int64_t count);

 private:
  static constexpr int64_t kSlots = kReach + kGuessRoom;

  int64_t width_;  // of a position's streams
  int64_t vocab_;
  int64_t begin_ = 0, end_ = 0;  // positions whose streams are kept
  int64_t computed_ = 0;         // positions before this one are in the layer's state
  RowRing rows_;                 // [kSlots, width]
  LayerState state_;
};

}  // namespace dsv4::llm
