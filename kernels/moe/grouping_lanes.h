#pragma once

#include "kernels/cuda/lane.h"

// Which tokens each expert has, found on the card.

namespace dsv4::kernels::cuda {

inline constexpr int kMostExperts = 512;

// Some of an expert's choices: `count` from `first` on in Grouping::order.
struct ExpertTile {
  int32_t expert = 0;
  int32_t first = 0;
  int32_t count = 0;
};

// Choices (token * K + k) one expert's after another's; those of one expert are in any order.
struct Grouping {
  const int32_t* index = nullptr;  // [choices]: the expert
  int64_t choices = 0;
  int64_t experts = 0;
  int tile_tokens = 0;          // of a tile, at most
  int32_t* order = nullptr;     // [choices]
  int32_t* position = nullptr;  // [choices]: where in `order` each is
  ExpertTile* tiles = nullptr;
  int32_t* tile_count = nullptr;
};

// The sum of `value` over the lanes before this one.
DSV4_LANE int32_t sum_before(int32_t value) {
  int32_t sum = value;
  DSV4_UNROLL
  for (int distance = 1; distance < kWarp; distance *= 2) {
    const int32_t other = shuffle(sum, lane() >= distance ? lane() - distance : lane());
    if (lane() >= distance) sum += other;
  }
  return sum - value;
}

// By one block, which has `count` [experts] of shared memory.
DSV4_LANE void group_choices(const Grouping& p, int32_t* count) {
  const auto experts = static_cast<int>(p.experts);
  for (int e = thread(); e < experts; e += threads()) count[e] = 0;
  sync_block();
  for (int64_t i = thread(); i < p.choices; i += threads()) add_whole(count + p.index[i], 1);
  sync_block();
  if (warp() == 0) {
    const int each = (experts + kWarp - 1) / kWarp;
    const int begin = lane() * each < experts ? lane() * each : experts;
    const int end = begin + each < experts ? begin + each : experts;
    int32_t choices = 0;
    int32_t tiles = 0;
    for (int e = begin; e < end; ++e) {
      choices += count[e];
      tiles += (count[e] + p.tile_tokens - 1) / p.tile_tokens;
    }
    int32_t first = sum_before(choices);
    int32_t tile = sum_before(tiles);
    if (lane() == kWarp - 1) *p.tile_count = tile + tiles;
    for (int e = begin; e < end; ++e) {
      const int32_t all = count[e];
      count[e] = first;  // where its next choice goes
      for (int32_t done = 0; done < all; done += p.tile_tokens) {
        const int32_t left = all - done;
        p.tiles[tile++] = {e, first + done, left < p.tile_tokens ? left : p.tile_tokens};
      }
      first += all;
    }
  }
  sync_block();
  for (int64_t i = thread(); i < p.choices; i += threads()) {
    const int32_t at = add_whole(count + p.index[i], 1);
    p.order[at] = static_cast<int32_t>(i);
    p.position[i] = at;
  }
}

}  // namespace dsv4::kernels::cuda
