#pragma once

#include "kernels/indexer/indexer_cuda.h"
#include "kernels/packed_rows/packed_rows_lanes.h"

// How the card's indexer keeps scores, and chooses among them.

namespace dsv4::kernels::cuda {

inline constexpr int kScoreBins = 2048;  // of the upper bits of ordered scores

// Bits whose order as unsigned numbers is that of the scores; 0 for NaN, which is never chosen.
DSV4_LANE uint32_t ordered(float score) {
  const uint32_t bits = score == 0.0F ? 0U : bits_of(score);
  if (is_nan_bits(bits)) return 0;
  return (bits >> 31) != 0 ? ~bits : bits | 0x80000000U;
}

// The scratch of a token.
inline constexpr int kByteHeads = 64;  // at most, and
inline constexpr int kByteDim = 128;   // exactly, where bytes are multiplied (fp4_score_lanes.h)
struct SelectScratch {
  uint32_t queries[kByteHeads * kByteDim / 4];  // bytes in the places of a product's factor
  float factors[kByteHeads];                    // weights times what the bytes are multiples of
  int32_t usable;                               // whether the queries are such bytes
  int32_t unused[15];
  int32_t bins[kScoreBins];  // how many scores are in each
};

struct SelectParamsOnDevice {
  SelectParams p;
  PackedShape shape;
  int64_t first;     // token of those worked through now
  int64_t tokens;    // of them
  int64_t capacity;  // scores of a token, a multiple of 64

  // Of the token `first + i`.
  DSV4_LANE SelectScratch& scratch(int64_t i) const {
    return static_cast<SelectScratch*>(p.scratch)[i];
  }
  // [capacity], ordered().
  DSV4_LANE uint32_t* scores(int64_t i) const {
    return reinterpret_cast<uint32_t*>(static_cast<SelectScratch*>(p.scratch) + tokens) +
           i * capacity;
  }
  // How many entries a token has to choose from; 0 where it takes all.
  DSV4_LANE int32_t to_score(int64_t token) const {
    const int64_t position = p.chunk.position[token];
    if (position < 0) return 0;
    const int64_t visible = (position + 1) / p.ratio;
    return visible <= p.topk ? 0 : static_cast<int32_t>(visible);
  }
};

// Exclusive sum over the block's lanes, in their order; `total` is that of all. `memory` [32] is
// shared and free again after the next sync_block.
DSV4_LANE int32_t block_scan(int32_t value, int32_t* memory, int32_t* total) {
  int32_t sum = value;
  for (int d = 1; d < kWarp; d *= 2) {
    const int32_t other = shuffle(sum, lane() - d < 0 ? 0 : lane() - d);
    if (lane() >= d) sum += other;
  }
  if (lane() == kWarp - 1) memory[warp()] = sum;
  sync_block();
  int32_t before = 0;
  int32_t all = 0;
  for (int w = 0; w < threads() / kWarp; ++w) {
    if (w < warp()) before += memory[w];
    all += memory[w];
  }
  sync_block();
  *total = all;
  return before + sum - value;
}

// A block for each token: finds the score that the last of the chosen has, eleven, eleven and ten
// bits at a time, and collects. Entries that may be among the best by their upper bits are copied
// to shared memory on the way if they fit there.
struct ChooseKernel {
  using Params = SelectParamsOnDevice;
  static constexpr const char* kName = "choose_entries";
  static constexpr int kThreads = 512;
  static constexpr int kAtOnce = 16;  // scores of a lane
  static constexpr int kHeld = 4096;

  struct Shared {
    int32_t bins[kScoreBins];
    int32_t sums[kWarp];
    int32_t found[2];  // a bin and how many scores are above it
    alignas(16) uint32_t scores[kHeld];
    int32_t entries[kHeld];
  };

  // Scores to choose from, in the order of their entries.
  struct Source {
    const uint32_t* scores;
    const int32_t* entries;  // null: 0, 1 and so on
    int32_t count;
  };

  static DSV4_LANE Shared& shared() { return *reinterpret_cast<Shared*>(shared_memory()); }

  static DSV4_LANE void run(const Params& params) {
    const SelectParams& p = params.p;
    const int64_t token = params.first + block_x();
    const int32_t visible = params.to_score(token);
    int32_t* selected = p.selected + token * p.topk;
    if (visible == 0) {
      const int64_t position = p.chunk.position[token];
      const int64_t all = position < 0 ? 0 : (position + 1) / p.ratio;
      for (int64_t i = thread(); i < all; i += threads()) selected[i] = static_cast<int32_t>(i);
      if (thread() == 0) p.count[token] = static_cast<int32_t>(all);
      return;
    }
    const auto topk = static_cast<int32_t>(p.topk);
    Shared& s = shared();
    Source source{params.scores(block_x()), nullptr, visible};
    const int32_t* first_bins = params.scratch(block_x()).bins;
    for (int i = thread(); i < kScoreBins; i += threads()) s.bins[i] = first_bins[i];
    sync_block();
    int32_t wanted = topk;  // of the scores that begin like the bound
    uint32_t bound = find_bin(s, &wanted) << 21;
    const int32_t candidates = topk - wanted + s.bins[bound >> 21];
    sync_block();
    if (candidates <= kHeld) {
      const int32_t held = collect(source, bound, candidates, s.entries, s.scores);
      source = {s.scores, s.entries, held};
      sync_block();
    }
    count_bins(s, source, bound, 21, 10);
    bound |= find_bin(s, &wanted) << 10;
    sync_block();
    count_bins(s, source, bound, 10, 0);
    bound |= find_bin(s, &wanted);
    sync_block();
    const int32_t taken = collect(source, bound, wanted, selected, nullptr, true);
    if (thread() == 0) p.count[token] = taken;
  }

  // The highest bin that has the wanted scores in it and above; takes those above off.
  static DSV4_LANE uint32_t find_bin(Shared& s, int32_t* wanted) {
    constexpr int kMine = kScoreBins / kThreads;
    const int top = kScoreBins - 1 - thread() * kMine;  // lanes go down from the highest
    int32_t mine = 0;
    for (int i = 0; i < kMine; ++i) mine += s.bins[top - i];
    int32_t total = 0;
    int32_t above = block_scan(mine, s.sums, &total);
    // Fewer than wanted in all, when scores were NaN: the lowest bin.
    if (thread() == 0) {
      s.found[0] = 0;
      s.found[1] = total - s.bins[0];
    }
    sync_block();
    if (above < *wanted && above + mine >= *wanted) {
      int bin = top;
      while (above + s.bins[bin] < *wanted) above += s.bins[bin--];
      s.found[0] = bin;
      s.found[1] = above;
    }
    sync_block();
    *wanted -= s.found[1];
    return static_cast<uint32_t>(s.found[0]);
  }

  // Of the scores that agree with the bound in the bits from `known` on, how many have which bits
  // from `from` on.
  static DSV4_LANE void count_bins(Shared& s, const Source& source, uint32_t bound, int known,
                                   int from) {
    for (int i = thread(); i < kScoreBins; i += threads()) s.bins[i] = 0;
    sync_block();
    for (int i = thread(); i < source.count; i += threads()) {
      const uint32_t score = source.scores[i];
      if (score >> known != bound >> known) continue;
      add_whole(&s.bins[score >> from & ((1U << (known - from)) - 1)], 1);
    }
    sync_block();
  }

  // Four at a time; past the end there is nothing.
  static DSV4_LANE void load(const Source& source, int32_t first, uint32_t (&mine)[kAtOnce]) {
    DSV4_UNROLL
    for (int i = 0; i < kAtOnce; i += 4) {
      const int32_t at = first + i;
      Bytes16 four = {};
      if (at + 4 <= source.count) {
        four = *reinterpret_cast<const Bytes16*>(source.scores + at);
      } else {
        for (int j = 0; j < 4 && at + j < source.count; ++j) four.word[j] = source.scores[at + j];
      }
      DSV4_UNROLL
      for (int j = 0; j < 4; ++j) mine[i + j] = four.word[j];
    }
  }

  // In order: entries whose score is above the bound, and the first `equals` of those that reach
  // it; with `exact` that means the bound itself, else whatever begins like it. Returns how many.
  static DSV4_LANE int32_t collect(const Source& source, uint32_t bound, int32_t equals,
                                   int32_t* entries, uint32_t* scores, bool exact = false) {
    Shared& s = shared();
    int32_t taken = 0;
    int32_t reached = 0;     // of those equal to the bound
    uint32_t next[kAtOnce];  // on their way
    load(source, thread() * kAtOnce, next);
    for (int32_t begin = 0; begin < source.count; begin += kThreads * kAtOnce) {
      const int32_t first = begin + thread() * kAtOnce;
      uint32_t mine[kAtOnce];
      DSV4_UNROLL
      for (int i = 0; i < kAtOnce; ++i) mine[i] = next[i];
      load(source, first + kThreads * kAtOnce, next);
      int32_t above = 0;
      int32_t equal = 0;
      DSV4_UNROLL
      for (int i = 0; i < kAtOnce; ++i) {
        const bool same = exact ? mine[i] == bound : mine[i] >> 21 == bound >> 21;
        // 0 is NaN or nothing.
        if (mine[i] != 0 && same) {
          ++equal;
        } else if (mine[i] > bound) {
          ++above;
        }
      }
      // Both counts are below 2^16 in a round.
      int32_t totals = 0;
      const int32_t before = block_scan(above << 16 | equal, s.sums, &totals);
      int32_t equal_before = reached + (before & 0xffff);
      int32_t to =
          taken + (before >> 16) +
          ((equal_before < equals ? equal_before : equals) - (reached < equals ? reached : equals));
      DSV4_UNROLL
      for (int i = 0; i < kAtOnce; ++i) {
        const bool same = exact ? mine[i] == bound : mine[i] >> 21 == bound >> 21;
        bool take = mine[i] > bound;
        if (mine[i] != 0 && same) take = equal_before++ < equals;
        if (mine[i] == 0 || !take) continue;
        entries[to] = source.entries == nullptr ? first + i : source.entries[first + i];
        if (scores != nullptr) scores[to] = mine[i];
        ++to;
      }
      const int32_t reached_now = reached + (totals & 0xffff);
      taken += (totals >> 16) + ((reached_now < equals ? reached_now : equals) -
                                 (reached < equals ? reached : equals));
      reached = reached_now;
    }
    return taken;
  }
};

}  // namespace dsv4::kernels::cuda
