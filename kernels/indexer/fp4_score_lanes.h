#pragma once

#include "kernels/indexer/select_lanes.h"

namespace dsv4::kernels::cuda {

// Scores of FP4 keys of the published width on the tensor cores, in bytes: e2m1 numbers are
// multiples of one half, so that those of a row whose scales lie within a factor of 8 are whole
// numbers up to 96 times a power of two, and products of rows are exact. Then, in float32,
//   for each of four sets of heads, h = 8 n + 2 t and the next for n = 0, 1, ...:
//     s_t = s_t + weight_h * relu(product_h), one head after the other, each a fused multiply-add
//   score = ((s_0 + s_2) + (s_1 + s_3)) * the key's power of two
// Other keys, and all keys for a token of which some query is no such row, are scored from their
// numbers by slow_score(). Of a key, blocks with the least scale, 2^-126, count as zeros.

inline constexpr int kGroupKeys = static_cast<int>(kFp4Group);
inline constexpr int kKeySpread = 3;  // scales within a row differ by this power of two at most

// A warp for each query: bytes in the places of a product's second factor. Word w of four channels
// of head 8 n + g is for step w / 8 and lane 4 g + t, t = w % 8 / 2, and there number w % 2: keys
// unpack that way.
struct PrepareKernel {
  using Params = SelectParamsOnDevice;
  static constexpr const char* kName = "prepare_queries";
  static constexpr int kWarps = 8;
  static constexpr int kThreads = kWarps * kWarp;

  static DSV4_LANE void run(const Params& params) {
    const SelectParams& p = params.p;
    SelectScratch& out = params.scratch(block_x());
    const int64_t token = params.first + block_x();
    if (params.to_score(token) == 0) return;
    for (int i = thread(); i < kScoreBins; i += threads()) out.bins[i] = 0;
    if (params.shape.dim != kByteDim || p.heads > kByteHeads) return;
    auto* usable = reinterpret_cast<int32_t*>(shared_memory());
    if (thread() == 0) *usable = 1;
    sync_block();
    for (int head = warp(); head < kByteHeads; head += kWarps) {
      uint32_t word = 0;
      float unit = 0.0F;
      if (head < p.heads) {
        const float* q = p.q + (token * p.heads + head) * kByteDim + 4 * lane();
        if (!to_bytes(q, &word, &unit) && lane() == 0) *usable = 0;
        unit *= p.weights[token * p.heads + head];
      }
      const int step = lane() / 8;
      const int at = ((head / 8 * 4 + step) * kWarp + head % 8 * 4 + lane() % 8 / 2) * 2;
      out.queries[at + lane() % 2] = word;
      if (lane() == 0) out.factors[head] = unit;
    }
    sync_block();
    if (thread() == 0) out.usable = *usable;
  }

  // Four numbers of each lane, a row of the warp's: whether they are bytes times a unit.
  static DSV4_LANE bool to_bytes(const float* q, uint32_t* word, float* unit) {
    float most = 0.0F;
    for (int i = 0; i < 4; ++i) most = larger_magnitude(most, q[i]);
    for (int mask = 1; mask < 8; mask *= 2) most = larger_magnitude(most, shuffle_xor(most, mask));
    const auto scale = static_cast<int>(scale_byte(block_scale_of<Fp4Lanes>(most)));
    int low = most == 0.0F ? 255 : scale;
    int high = most == 0.0F ? 0 : scale;
    for (int mask = 8; mask < kWarp; mask *= 2) {
      const int other_low = shuffle_xor(low, mask);
      const int other_high = shuffle_xor(high, mask);
      low = other_low < low ? other_low : low;
      high = other_high > high ? other_high : high;
    }
    if (high == 0) return true;  // zeros
    // NaN has the scale 255; a unit and its inverse are to be normal numbers.
    if (high - low > kKeySpread || high > 250 || low < 3) return false;
    *unit = e8m0_to_float(static_cast<uint32_t>(low - 1));
    const float inverse = inverse_scale(*unit);
    for (int i = 0; i < 4; ++i) {
      const auto number = static_cast<int32_t>(q[i] * inverse);
      *word |= (static_cast<uint32_t>(number) & 0xffU) << 8 * i;
    }
    return true;
  }
};

// What keys of a group have before their products.
struct KeyScales {
  uint32_t up = 0;      // two bits for each block: the power of two that it is above the least
  float factor = 0.0F;  // of the key's bytes, half the least scale
  bool wide = false;
};

struct Fp4Score {
  // Lane i's of a group's key i: its four scales.
  static DSV4_LANE uint32_t load_scales(const uint8_t* group) {
    const uint8_t* scales = group + kByteDim / 2 * kGroupKeys + lane();
    uint32_t four = 0;
    DSV4_UNROLL
    for (int b = 0; b < 4; ++b) four |= static_cast<uint32_t>(scales[b * kGroupKeys]) << 8 * b;
    return four;
  }

  static DSV4_LANE KeyScales read_scales(uint32_t four) {
    uint32_t low = 255;
    uint32_t high = 0;
    DSV4_UNROLL
    for (int b = 0; b < 4; ++b) {
      const uint32_t byte = four >> 8 * b & 0xffU;
      if (byte > 1 && byte < low) low = byte;
      if (byte > high) high = byte;
    }
    KeyScales out;
    if (high <= 1) return out;
    out.wide = high == 255 || low < 3 || high - low > kKeySpread;
    if (out.wide) return out;
    DSV4_UNROLL
    for (int b = 0; b < 4; ++b) {
      const uint32_t byte = four >> 8 * b & 0xffU;
      if (byte > 1) out.up |= (byte - low) << 2 * b;
    }
    out.factor = e8m0_to_float(low - 1);
    return out;
  }

  // Four codes, twice the numbers, shifted up.
  static DSV4_LANE uint32_t four_bytes(uint32_t codes, uint32_t up) {
    const uint32_t sizes = codes & 0x7777U;
    const uint32_t plus = pick_bytes(0x03020100U, 0x0c080604U, sizes);
    const uint32_t minus = pick_bytes(0xfdfeff00U, 0xf4f8fafcU, sizes);
    const uint32_t negative = pick_bytes(0x0000ff00U, 0U, codes >> 3 & 0x1111U);
    const uint32_t bytes = (plus & ~negative) | (minus & negative);
    const uint32_t keep = (0xffU << up & 0xffU) * 0x01010101U;
    return bytes << up & keep;
  }

  // Eight codes of each of keys 4 g to 4 g + 3 of a group, those of word 4 * step + t.
  static DSV4_LANE Bytes16 load_codes(const uint8_t* group, int step) {
    const int word = 4 * step + lane() % 4;
    return reinterpret_cast<const Bytes16*>(group + word * 4 * kGroupKeys)[lane() / 4];
  }

  // With `up` of those keys, the places of two products' first factors.
  static DSV4_LANE void unpack(const Bytes16& codes, int step, const uint32_t (&up)[4],
                               uint32_t (&first)[4], uint32_t (&second)[4]) {
    DSV4_UNROLL
    for (int k = 0; k < 4; ++k) {
      const uint32_t shift = up[k] >> 2 * step & 3U;
      uint32_t* to = k < 2 ? first : second;
      to[k % 2] = four_bytes(codes.word[k], shift);
      to[k % 2 + 2] = four_bytes(codes.word[k] >> 16, shift);
    }
  }

  // A token's queries, their bytes in registers.
  struct Queries {
    uint32_t bytes[8][4][2];
    const float* factors;  // of this lane's heads, which are 8 n and 8 n + 1

    DSV4_LANE void load(const SelectScratch& from) {
      DSV4_UNROLL
      for (int n = 0; n < 8; ++n) {
        DSV4_UNROLL
        for (int k = 0; k < 4; ++k) {
          const uint32_t* at = from.queries + ((n * 4 + k) * kWarp + lane()) * 2;
          bytes[n][k][0] = at[0];
          bytes[n][k][1] = at[1];
        }
      }
      factors = from.factors + lane() % 4 * 2;
    }
  };

  // Adds up what 16 keys have with all heads, `sums` for the keys of rows g and g + 8. Whole
  // numbers are added to the bits of 1.5 * 2^23, so that they are a float's without conversion.
  static DSV4_LANE void add_heads(const Queries& q, const uint32_t (&keys)[4][4],
                                  float (&sums)[2]) {
    constexpr int32_t kZeroBits = 0x4b400000;
    constexpr float kZero = 12582912.0F;
    DSV4_UNROLL
    for (int n = 0; n < 8; n += 2) {  // two at a time: products of one wait for each other
      int32_t d[2][4] = {{kZeroBits, kZeroBits, kZeroBits, kZeroBits},
                         {kZeroBits, kZeroBits, kZeroBits, kZeroBits}};
      DSV4_UNROLL
      for (int k = 0; k < 4; ++k) {
        multiply_bytes(d[0], keys[k], q.bytes[n][k]);
        multiply_bytes(d[1], keys[k], q.bytes[n + 1][k]);
      }
      DSV4_UNROLL
      for (int i = 0; i < 8; ++i) {
        const float product = float_of(static_cast<uint32_t>(d[i / 4][i % 4])) - kZero;
        const float positive = product > 0.0F ? product : 0.0F;
        float& sum = sums[i % 4 / 2];
        sum = fmaf(q.factors[8 * (n + i / 4) + i % 2], positive, sum);
      }
    }
  }

  // Of four numbers, each with a share in four lanes, this lane's.
  static DSV4_LANE float own_sum(const float (&shares)[4]) {
    const int t = lane() % 4;
    const bool high = t >= 2;
    // Numbers 0 and 1 go to the lower two lanes, 2 and 3 to the upper ones.
    const float even = shuffle_xor(high ? shares[0] : shares[2], 2);
    const float odd = shuffle_xor(high ? shares[1] : shares[3], 2);
    const float first = (high ? shares[2] : shares[0]) + even;
    const float second = (high ? shares[3] : shares[1]) + odd;
    const float other = shuffle_xor(t % 2 == 0 ? second : first, 1);
    return (t % 2 == 0 ? first : second) + other;
  }

  // By a warp, from the numbers; every lane gets it.
  static DSV4_LANE float slow_score(const SelectParamsOnDevice& params, int64_t token,
                                    const uint8_t* page, int64_t row) {
    const SelectParams& p = params.p;
    const int dim = params.shape.dim;
    float sum = 0.0F;
    for (int64_t h = lane(); h < p.heads; h += kWarp) {
      const float* q = p.q + (token * p.heads + h) * dim;
      float dot = 0.0F;
      for (int c = 0; c < dim; ++c) {
        dot = fmaf(q[c], packed_value(params.shape, page, row, c), dot);
      }
      sum = fmaf(p.weights[token * p.heads + h], dot < 0.0F ? 0.0F : dot, sum);
    }
    return warp_sum(sum);
  }
};

// Few tokens: a warp has one group of 32 keys after the other, all of one token.
struct ScoreOneKernel {
  using Params = SelectParamsOnDevice;
  static constexpr const char* kName = "score_entries";
  static constexpr int kWarps = 8;
  static constexpr int kThreads = kWarps * kWarp;

  static DSV4_LANE void run(const Params& params) {
    const SelectParams& p = params.p;
    const int64_t token = params.first + block_y();
    const int32_t visible = params.to_score(token);
    if (visible == 0) return;
    auto* bins = reinterpret_cast<int32_t*>(shared_memory());
    for (int i = thread(); i < kScoreBins; i += threads()) bins[i] = 0;
    sync_block();
    SelectScratch& scratch = params.scratch(block_y());
    const uint8_t* const* pages = p.keys.pages[p.chunk.sequence[token]];
    const auto in_page = static_cast<int32_t>(p.keys.rows_per_page);
    const bool usable = scratch.usable != 0;
    Fp4Score::Queries q;
    q.load(scratch);
    const int step = blocks_x() * kWarps * kGroupKeys;
    for (int32_t key = (block_x() * kWarps + warp()) * kGroupKeys; key < visible; key += step) {
      const uint8_t* page = pages[key / in_page];
      const int32_t row = key % in_page;
      const uint8_t* group = page + int64_t{row} * params.shape.bytes;
      const KeyScales scales = Fp4Score::read_scales(Fp4Score::load_scales(group));
      float score = score_group(q, group, scales);
      uint32_t slow = usable ? ballot(scales.wide) : kAllLanes;
      for (int i = 0; slow != 0 && i < kGroupKeys && key + i < visible; ++i) {
        if ((slow >> i & 1U) == 0) continue;
        const float exact = Fp4Score::slow_score(params, token, page, row + i);
        if (lane() == i) score = exact;
      }
      if (key + lane() < visible) {
        const uint32_t order = ordered(score);
        params.scores(block_y())[key + lane()] = order;
        add_whole(&bins[order >> 21], 1);
      }
    }
    sync_block();
    for (int i = thread(); i < kScoreBins; i += threads()) {
      if (bins[i] != 0) add_whole(&scratch.bins[i], bins[i]);
    }
  }

  static DSV4_LANE float score_group(const Fp4Score::Queries& q, const uint8_t* group,
                                     const KeyScales& scales) {
    uint32_t up[4];
    DSV4_UNROLL
    for (int k = 0; k < 4; ++k) up[k] = shuffle(scales.up, lane() / 4 * 4 + k);
    uint32_t keys[2][4][4];
    DSV4_UNROLL
    for (int k = 0; k < 4; ++k) {
      Fp4Score::unpack(Fp4Score::load_codes(group, k), k, up, keys[0][k], keys[1][k]);
    }
    float sums[2][2] = {};
    Fp4Score::add_heads(q, keys[0], sums[0]);
    Fp4Score::add_heads(q, keys[1], sums[1]);
    const float shares[4] = {sums[0][0], sums[0][1], sums[1][0], sums[1][1]};
    return Fp4Score::own_sum(shares) * scales.factor;
  }
};

// Many tokens: each of eight warps has one, and the keys are unpacked for all eight, into shared
// memory, while they multiply those before.
struct ScoreManyKernel {
  using Params = SelectParamsOnDevice;
  static constexpr const char* kName = "score_entries_of_many";
  static constexpr int kTokens = 8;
  static constexpr int kThreads = kTokens * kWarp;
  static constexpr int kSideBySide = 2;
  static constexpr int kGroups = 4;  // of keys at a time
  static constexpr int kKeys = kGroups * kGroupKeys;

  struct Tile {
    Bytes16 keys[kGroups][2][4][kWarp];  // of a group's halves the steps
    float factors[kKeys];
    uint32_t wide[kGroups];
  };
  struct Shared {
    Tile tiles[2];
    int32_t bins[kTokens][kScoreBins];
  };

  static DSV4_LANE Shared& shared() { return *reinterpret_cast<Shared*>(shared_memory()); }

  static DSV4_LANE void run(const Params& params) {
    const SelectParams& p = params.p;
    const int32_t first = block_y() * kTokens;
    // Tokens of one sequence are worked through side by side.
    for (int32_t i = first; i < first + kTokens && i < params.tokens;) {
      const int32_t sequence = p.chunk.sequence[params.first + i];
      int32_t most = 0;
      int32_t end = i;
      for (; end < first + kTokens && end < params.tokens; ++end) {
        if (p.chunk.sequence[params.first + end] != sequence) break;
        const int32_t visible = params.to_score(params.first + end);
        most = visible > most ? visible : most;
      }
      const int32_t mine = first + warp();
      if (block_x() * kKeys < most) {
        run_tokens(params, sequence, most, mine, mine >= i && mine < end);
      }
      i = end;
    }
  }

  static DSV4_LANE void run_tokens(const Params& params, int32_t sequence, int32_t most,
                                   int32_t mine, bool takes_part) {
    Shared& s = shared();
    sync_warp();
    const int32_t visible = takes_part ? params.to_score(params.first + mine) : 0;
    int32_t* bins = s.bins[warp()];
    for (int i = lane(); i < kScoreBins; i += kWarp) bins[i] = 0;
    Fp4Score::Queries q;
    bool usable = false;
    if (visible > 0) {
      q.load(params.scratch(mine));
      usable = params.scratch(mine).usable != 0;
    }
    const int step = blocks_x() * kKeys;
    int turn = 0;
    unpack(fetch(params, sequence, block_x() * kKeys, most), s.tiles[0]);
    sync_block();
    for (int32_t key = block_x() * kKeys; key < most; key += step) {
      const Ahead ahead = fetch(params, sequence, key + step, most);
      if (key < visible) score(params, q, usable, sequence, key, visible, mine, s.tiles[turn]);
      unpack(ahead, s.tiles[1 - turn]);
      sync_block();
      turn = 1 - turn;
    }
    if (visible == 0) return;
    int32_t* to = params.scratch(mine).bins;
    for (int i = lane(); i < kScoreBins; i += kWarp) {
      if (bins[i] != 0) add_whole(&to[i], bins[i]);
    }
  }

  static DSV4_LANE const uint8_t* group_of(const Params& params, int32_t sequence, int32_t key) {
    const SequencePages& keys = params.p.keys;
    const auto in_page = static_cast<int32_t>(keys.rows_per_page);
    return keys.pages[sequence][key / in_page] + int64_t{key % in_page} * params.shape.bytes;
  }

  // Packed keys on their way to a tile. Two warps have a group, each half of the steps.
  struct Ahead {
    uint32_t scales = 0;
    Bytes16 codes[2] = {};
  };

  static DSV4_LANE Ahead fetch(const Params& params, int32_t sequence, int32_t first,
                               int32_t most) {
    Ahead ahead;
    const int32_t key = first + warp() / 2 * kGroupKeys;
    if (key >= most) return ahead;
    const uint8_t* group = group_of(params, sequence, key);
    ahead.scales = Fp4Score::load_scales(group);
    for (int i = 0; i < 2; ++i) {
      ahead.codes[i] = Fp4Score::load_codes(group, warp() % 2 * 2 + i);
    }
    return ahead;
  }

  static DSV4_LANE void unpack(const Ahead& ahead, Tile& to) {
    const int g = warp() / 2;
    const KeyScales scales = Fp4Score::read_scales(ahead.scales);
    uint32_t up[4];
    DSV4_UNROLL
    for (int k = 0; k < 4; ++k) up[k] = shuffle(scales.up, lane() / 4 * 4 + k);
    DSV4_UNROLL
    for (int i = 0; i < 2; ++i) {
      const int step = warp() % 2 * 2 + i;
      uint32_t halves[2][4];
      Fp4Score::unpack(ahead.codes[i], step, up, halves[0], halves[1]);
      DSV4_UNROLL
      for (int h = 0; h < 2; ++h) {
        to.keys[g][h][step][lane()] = {{halves[h][0], halves[h][1], halves[h][2], halves[h][3]}};
      }
    }
    const uint32_t wide = ballot(scales.wide);
    if (warp() % 2 != 0) return;
    to.factors[g * kGroupKeys + lane()] = scales.factor;
    if (lane() == 0) to.wide[g] = wide;
  }

  static DSV4_LANE void score(const Params& params, const Fp4Score::Queries& q, bool usable,
                              int32_t sequence, int32_t first, int32_t visible, int32_t mine,
                              const Tile& tile) {
    DSV4_ROLLED
    for (int g = 0; g < kGroups; ++g) {
      const int32_t key = first + g * kGroupKeys;
      if (key >= visible) return;
      float sums[2][2] = {};
      DSV4_UNROLL
      for (int h = 0; h < 2; ++h) {
        uint32_t keys[4][4];
        DSV4_UNROLL
        for (int k = 0; k < 4; ++k) {
          const Bytes16 four = tile.keys[g][h][k][lane()];
          for (int i = 0; i < 4; ++i) keys[k][i] = four.word[i];
        }
        Fp4Score::add_heads(q, keys, sums[h]);
      }
      const float shares[4] = {sums[0][0], sums[0][1], sums[1][0], sums[1][1]};
      float score = Fp4Score::own_sum(shares) * tile.factors[g * kGroupKeys + lane()];
      const uint32_t slow = usable ? tile.wide[g] : kAllLanes;
      for (int i = 0; slow != 0 && i < kGroupKeys && key + i < visible; ++i) {
        if ((slow >> i & 1U) == 0) continue;
        const float exact =
            Fp4Score::slow_score(params, params.first + mine, group_of(params, sequence, key), i);
        if (lane() == i) score = exact;
      }
      if (key + lane() >= visible) continue;
      const uint32_t order = ordered(score);
      params.scores(mine)[key + lane()] = order;
      add_whole(&shared().bins[warp()][order >> 21], 1);
    }
  }
};

}  // namespace dsv4::kernels::cuda
