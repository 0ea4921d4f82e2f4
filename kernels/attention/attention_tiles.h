#pragma once

#include "kernels/attention/attention_lanes.h"
#include "kernels/rope/rope_lanes.h"

namespace dsv4::kernels::cuda {

// Attention on the tensor cores, numbers in f16 and sums in float32. A block of lanes has 64 heads
// of a token and one split of the rows that it sees, kRows at a time:
//   unpack    each warp makes f16 numbers of its rows; bytes of the next ones are on their way
//   score     a warp has 32 heads and a quarter of the channels; quarters meet in shared memory
//   weigh     the weights of a softmax that goes on, four lanes for a head
//   add       the same 32 heads and quarter, whose sums are in registers throughout
// Rows are unpacked while those before are weighed, and scored while those are added up.
// Channels that are alone with their scale in a row of FP8 stay exact: a scale is a power of two.
template <int kDim, int kRows>
struct TilesKernel {
  using Params = AttendParamsOnDevice;
  static constexpr const char* kName = "attend_tiles";
  static constexpr int kHeads = 64;
  static_assert(kSplitRows % kRows == 0 && (kRows == 16 || kRows == 32));
  static constexpr int kWarps = 8;
  static constexpr int kThreads = kWarps * kWarp;

  static constexpr int kQuarter = kDim / 4;
  static constexpr int kSteps = kQuarter / 16;   // of a product over a quarter's channels
  static constexpr int kColumns = kQuarter / 8;  // tiles of sums
  static constexpr int kRowStride = kDim + 8;    // halves; apart so that no banks collide
  static constexpr int kWeightStride = kRows + 8;
  static constexpr int kSegment = 16;      // channels that a lane unpacks
  static constexpr float kMaxRise = 8.0F;  // of scores above the top before it moves

  struct alignas(8) Pair {
    float number[2];
  };
  struct alignas(16) Four {
    float number[4];
  };
  struct alignas(16) Shared {
    uint16_t rows[2][kRows][kRowStride];
    float scores[4][kHeads][kRows];  // of each quarter, the columns swapped around: column()
    uint16_t weights[kHeads][kWeightStride];
    float keep[kHeads];  // by which what was summed so far shrinks
    float tops[kHeads];
    float totals[kHeads];
  };

  // Bytes of a packed row and what is before it from a multiple of 16 on.
  static DSV4_BOTH int64_t staged_bytes(int64_t row) { return (row + 15 + 15) / 16 * 16; }
  static int64_t shared_bytes(int64_t row) {
    return static_cast<int64_t>(sizeof(Shared)) + kRows * staged_bytes(row);
  }
  static bool fits(const AttendParams& p) {
    if (!p.in_halves || p.dim != kDim) return false;
    const RowLayout& layout = p.entries.layout;
    if (p.ratio == 0 || layout.format == RowFormat::kF32) return true;
    return layout.format != RowFormat::kFp4 && (kDim - layout.rope) % kFp8RowBlock == 0;
  }

  // What a lane holds throughout.
  struct State {
    uint32_t q[2][kSteps][4];
    float sums[2][kColumns][4];
    float top = kLowestScore;  // in powers of two, as all scores here
    float total = 0.0F;
  };

  // Heads side by side would share banks but for this.
  static DSV4_LANE int column(int head, int row) {
    if constexpr (kRows == 16) return row ^ ((head & 2) << 2);
    return row ^ (((head & 3) << 3) | ((head & 1) << 2));
  }

  static DSV4_LANE Shared& shared() { return *reinterpret_cast<Shared*>(shared_memory()); }
  static DSV4_LANE char* staged(const Params& params, int row) {
    return shared_memory() + sizeof(Shared) + row * staged_bytes(params.shape.bytes);
  }
  // Of this warp: its 32 heads and its quarter of the channels.
  static DSV4_LANE int first_head() { return warp() / 4 * 32; }
  static DSV4_LANE int first_channel() { return warp() % 4 * kQuarter; }

  static DSV4_LANE void run(const Params& params) {
    const AttendParams& p = params.p;
    const auto splits = static_cast<int32_t>(p.splits);
    const int64_t token = block_x() / splits;
    const int split = block_x() % splits;
    const SeenRows seen = seen_rows(p, token);
    const SplitRows range = split_rows(seen.rows(), split, splits);
    if (range.first == range.end && splits > 1) {
      if (thread() < kHeads) leave(p, token, split, thread(), kLowestScore, 0.0F);
      return;
    }
    State state;
    stage(params, seen, range.first, range.end);
    load_queries(p, token, state);
    if (range.first < range.end) run_rows(params, seen, range, state);
    finish(p, token, split, state);
  }

  static DSV4_LANE void run_rows(const Params& params, const SeenRows& seen, const SplitRows& range,
                                 State& state) {
    prepare(params, seen, range.first, range.end, 0);
    sync_block();
    score(state, 0);
    sync_block();
    int turn = 0;
    for (int first = range.first; first < range.end; first += kRows) {
      const bool more = first + kRows < range.end;
      weigh(state, range.end - first);
      if (more) prepare(params, seen, first + kRows, range.end, 1 - turn);
      sync_block();
      add(state, turn);
      if (more) score(state, 1 - turn);
      sync_block();
      turn = 1 - turn;
    }
  }

  // Unpacks rows that have been sent for, and sends for the next ones.
  static DSV4_LANE void prepare(const Params& params, const SeenRows& seen, int first, int end,
                                int turn) {
    wait_for_copies<0>();
    sync_warp();
    unpack(params, seen, first, end, turn);
    sync_warp();
    stage(params, seen, first + kRows, end);
  }

  // Of a lane's four heads, m and half; null past the last.
  static DSV4_LANE const float* query(const AttendParams& p, int64_t token, int m, int half) {
    const int64_t head =
        int64_t{block_y()} * kHeads + first_head() + 16 * m + 8 * half + lane() / 4;
    if (head >= p.heads) return nullptr;
    return p.q + (token * p.heads + head) * kDim + first_channel() + lane() % 4 * 2;
  }

  // Queries in the places of a product's first factor, scaled for scores in powers of two.
  static DSV4_LANE void load_queries(const AttendParams& p, int64_t token, State& state) {
    constexpr float kLog2E = 1.4426950408889634F;
    float scale[2][2];
    query_scales(p, token, scale);
    const int plain = kDim - static_cast<int>(p.rope_dim);
    DSV4_UNROLL
    for (int m = 0; m < 2; ++m) {
      DSV4_UNROLL
      for (int half = 0; half < 2; ++half) {
        const float* q = query(p, token, m, half);
        const float factor = scale[m][half] * p.scale * kLog2E;
        DSV4_UNROLL
        for (int i = 0; i < 2 * kSteps; ++i) {
          float pair[2] = {};
          if (q != nullptr) {
            pair[0] = q[8 * i] * factor;
            pair[1] = q[8 * i + 1] * factor;
          }
          const int turned = first_channel() + 8 * i + lane() % 4 * 2 - plain;
          if (p.finishes_queries && turned >= 0) {
            const int64_t at = token * (p.rope_dim / 2) + turned / 2;
            rotate(pair, {p.turns.cos[at], p.turns.sin[at]});
          }
          state.q[m][i / 2][half + i % 2 * 2] = to_halves(pair[0], pair[1]);
        }
      }
      DSV4_UNROLL
      for (int n = 0; n < kColumns; ++n) {
        DSV4_UNROLL
        for (int i = 0; i < 4; ++i) state.sums[m][n][i] = 0.0F;
      }
    }
  }

  // 1, or what divides a head by its RMS: quarters of the squares meet where scores will be.
  static DSV4_LANE void query_scales(const AttendParams& p, int64_t token, float (&scale)[2][2]) {
    Shared& s = shared();
    DSV4_UNROLL
    for (int i = 0; i < 4; ++i) {
      scale[i / 2][i % 2] = 1.0F;
      if (!p.finishes_queries) continue;
      const float* q = query(p, token, i / 2, i % 2);
      float squares = 0.0F;
      for (int c = 0; q != nullptr && c < kQuarter; c += 8) {
        squares += q[c] * q[c] + q[c + 1] * q[c + 1];
      }
      for (int mask = 1; mask < 4; mask *= 2) squares += shuffle_xor(squares, mask);
      const int head = first_head() + 16 * (i / 2) + 8 * (i % 2) + lane() / 4;
      if (lane() % 4 == 0) s.scores[warp() % 4][head][0] = squares;
    }
    if (!p.finishes_queries) return;
    sync_block();
    DSV4_UNROLL
    for (int i = 0; i < 4; ++i) {
      const int head = first_head() + 16 * (i / 2) + 8 * (i % 2) + lane() / 4;
      const float squares = (s.scores[0][head][0] + s.scores[1][head][0]) +
                            (s.scores[2][head][0] + s.scores[3][head][0]);
      scale[i / 2][i % 2] = 1.0F / sqrtf(squares / static_cast<float>(kDim) + p.query_eps);
    }
  }

  // Sends for the packed bytes of this warp's rows.
  static DSV4_LANE void stage(const Params& params, const SeenRows& seen, int first, int end) {
    const AttendParams& p = params.p;
    if (params.shape.format == RowFormat::kF32) return;
    const auto pieces = static_cast<int>(staged_bytes(params.shape.bytes) / 16);
    for (int i = 0; i < kRows / kWarps; ++i) {
      const int in_tile = warp() * (kRows / kWarps) + i;
      const int r = first + in_tile;
      if (r < seen.window || r >= end) continue;
      const uint8_t* row = packed_row(params, seen, seen.entry(p, r));
      const int before = misplaced(row);
      const int used = (before + params.shape.bytes + 15) / 16;
      char* to = staged(params, in_tile);
      for (int at = lane(); at < pieces && at < used; at += kWarp) {
        begin_copy<16>(to + 16 * at, row - before + 16 * at, 16);
      }
    }
    end_of_copies();
  }
  static DSV4_LANE const uint8_t* packed_row(const Params& params, const SeenRows& seen,
                                             int32_t entry) {
    const SequencePages& pages = params.p.entries;
    const auto in_page = static_cast<int32_t>(pages.rows_per_page);
    return pages.pages[seen.sequence][entry / in_page] +
           int64_t{entry % in_page} * params.shape.bytes;
  }
  // By how much a row's place is above a multiple of 16.
  static DSV4_LANE int misplaced(const uint8_t* row) {
    return static_cast<int>(reinterpret_cast<uintptr_t>(row) & 15U);
  }

  // Makes f16 numbers of this warp's rows; those past the end are zeros.
  static DSV4_LANE void unpack(const Params& params, const SeenRows& seen, int first, int end,
                               int turn) {
    for (int i = 0; i < kRows / kWarps; ++i) {
      const int in_tile = warp() * (kRows / kWarps) + i;
      const int r = first + in_tile;
      for (int c = lane() * kSegment; c < kDim; c += kWarp * kSegment) {
        Bytes16 halves[2] = {};
        if (r < end) {
          if (r < seen.window) {
            from_floats(seen.raw(params.p, r) + c, halves);
          } else {
            const uint8_t* row = packed_row(params, seen, seen.entry(params.p, r));
            if (params.shape.format == RowFormat::kF32) {
              from_floats(reinterpret_cast<const float*>(row) + c, halves);
            } else {
              from_packed(params.shape, staged(params, in_tile), misplaced(row), c, halves);
            }
          }
        }
        auto* to = reinterpret_cast<Bytes16*>(&shared().rows[turn][in_tile][c]);
        to[0] = halves[0];
        to[1] = halves[1];
      }
    }
  }

  static DSV4_LANE void from_floats(const float* x, Bytes16 (&halves)[2]) {
    DSV4_UNROLL
    for (int i = 0; i < kSegment / 4; ++i) {
      const Bytes16 four = reinterpret_cast<const Bytes16*>(x)[i];
      halves[i / 2].word[i % 2 * 2] = to_halves(float_of(four.word[0]), float_of(four.word[1]));
      halves[i / 2].word[i % 2 * 2 + 1] = to_halves(float_of(four.word[2]), float_of(four.word[3]));
    }
  }

  // 32 bits at any byte of shared memory.
  static DSV4_LANE uint32_t word_at(const char* staged, int byte) {
    const auto* words = reinterpret_cast<const uint32_t*>(staged) + byte / 4;
    const int shift = byte % 4 * 8;
    return shift == 0 ? words[0] : words[0] >> shift | words[1] << (32 - shift);
  }

  // Channels from c on of a row that begins at byte `begin`.
  static DSV4_LANE void from_packed(const PackedShape& s, const char* staged, int begin, int c,
                                    Bytes16 (&halves)[2]) {
    if (c < s.codes) {
      const auto byte = static_cast<uint8_t>(staged[begin + s.scales + c / kFp8RowBlock]);
      const uint32_t up = to_halves(decode_scale(byte) * kFp8Up, 0.0F) & 0xffffU;
      const uint32_t scale = up | up << 16;
      DSV4_UNROLL
      for (int i = 0; i < kSegment / 4; ++i) {
        const uint32_t codes = word_at(staged, begin + c + 4 * i);
        halves[i / 2].word[i % 2 * 2] = multiply_halves(fp8_to_half2(codes), scale);
        halves[i / 2].word[i % 2 * 2 + 1] = multiply_halves(fp8_to_half2(codes >> 16), scale);
      }
      return;
    }
    const int tail = begin + s.tail;
    const int at = c - s.codes;
    DSV4_UNROLL
    for (int i = 0; i < kSegment / 2; ++i) {
      float pair[2];
      if (s.format == RowFormat::kFp8Bf16) {
        const uint32_t two = word_at(staged, tail + 2 * at + 4 * i);
        pair[0] = float_of(two << 16);
        pair[1] = float_of(two & 0xffff0000U);
      } else {
        pair[0] = float_of(word_at(staged, tail + 4 * at + 8 * i));
        pair[1] = float_of(word_at(staged, tail + 4 * at + 8 * i + 4));
      }
      halves[i / 4].word[i % 4] = to_halves(pair[0], pair[1]);
    }
  }

  static DSV4_LANE void score(const State& state, int turn) {
    Shared& s = shared();
    DSV4_UNROLL
    for (int part = 0; part < kRows / 16; ++part) {
      float d[2][2][4] = {};
      DSV4_UNROLL
      for (int k = 0; k < kSteps; ++k) {
        uint32_t rows[4];
        load_matrices(rows, &s.rows[turn][16 * part + lane() / 16 * 8 + lane() % 8]
                                   [first_channel() + 16 * k + lane() / 8 % 2 * 8]);
        const uint32_t low[2] = {rows[0], rows[1]};
        const uint32_t high[2] = {rows[2], rows[3]};
        DSV4_UNROLL
        for (int m = 0; m < 2; ++m) {
          multiply_f16(d[m][0], state.q[m][k], low);
          multiply_f16(d[m][1], state.q[m][k], high);
        }
      }
      DSV4_UNROLL
      for (int m = 0; m < 2; ++m) {
        DSV4_UNROLL
        for (int i = 0; i < 4; ++i) {  // column tile, head
          const int head = first_head() + 16 * m + i % 2 * 8 + lane() / 4;
          const int row = 16 * part + i / 2 * 8 + lane() % 4 * 2;
          auto* to = reinterpret_cast<Pair*>(&s.scores[warp() % 4][head][column(head, row)]);
          *to = {{d[m][i / 2][i % 2 * 2], d[m][i / 2][i % 2 * 2 + 1]}};
        }
      }
    }
  }

  // Weights of `left` rows, at most kRows, by four lanes for each head.
  static DSV4_LANE void weigh(State& state, int left) {
    constexpr int kMine = kRows / 4;
    Shared& s = shared();
    const int head = warp() * 8 + lane() / 4;
    const int first = lane() % 4 * kMine;
    float scores[kMine];
    float most = kLowestScore;
    DSV4_UNROLL
    for (int i = 0; i < kMine; i += 4) {
      const int at = column(head, first + i);
      Four quarter[4];
      DSV4_UNROLL
      for (int c = 0; c < 4; ++c) {
        quarter[c] = *reinterpret_cast<const Four*>(&s.scores[c][head][at]);
      }
      DSV4_UNROLL
      for (int j = 0; j < 4; ++j) {
        const float sum = (quarter[0].number[j] + quarter[1].number[j]) +
                          (quarter[2].number[j] + quarter[3].number[j]);
        scores[i + j] = first + i + j < left ? sum : kLowestScore;
        if (scores[i + j] > most) most = scores[i + j];
      }
    }
    for (int mask = 1; mask < 4; mask *= 2) {
      const float other = shuffle_xor(most, mask);
      most = other > most ? other : most;
    }
    const float top = most > state.top + kMaxRise ? most : state.top;
    const float keep = exp2f(state.top - top);
    float sum = 0.0F;
    uint32_t weights[kMine / 2];
    DSV4_UNROLL
    for (int i = 0; i < kMine; i += 2) {
      const float low = first + i < left ? exp2f(scores[i] - top) : 0.0F;
      const float high = first + i + 1 < left ? exp2f(scores[i + 1] - top) : 0.0F;
      sum += low + high;
      weights[i / 2] = to_halves(low, high);
    }
    for (int mask = 1; mask < 4; mask *= 2) sum += shuffle_xor(sum, mask);
    state.total = state.total * keep + sum;
    state.top = top;
    auto* to = reinterpret_cast<uint32_t*>(&s.weights[head][first]);
    DSV4_UNROLL
    for (int i = 0; i < kMine / 2; ++i) to[i] = weights[i];
    if (lane() % 4 == 0) s.keep[head] = keep;
  }

  static DSV4_LANE void add(State& state, int turn) {
    Shared& s = shared();
    shrink(state);
    DSV4_UNROLL
    for (int k = 0; k < kRows / 16; ++k) {
      uint32_t weights[2][4];
      DSV4_UNROLL
      for (int m = 0; m < 2; ++m) {
        load_matrices(weights[m],
                      &s.weights[first_head() + 16 * m + lane() % 16][16 * k + lane() / 16 * 8]);
      }
      DSV4_UNROLL
      for (int n = 0; n < kColumns; n += 2) {
        uint32_t rows[4];
        load_matrices_transposed(
            rows, &s.rows[turn][16 * k + lane() % 16][first_channel() + 8 * n + lane() / 16 * 8]);
        const uint32_t low[2] = {rows[0], rows[1]};
        const uint32_t high[2] = {rows[2], rows[3]};
        DSV4_UNROLL
        for (int m = 0; m < 2; ++m) {
          multiply_f16(state.sums[m][n], weights[m], low);
          multiply_f16(state.sums[m][n + 1], weights[m], high);
        }
      }
    }
  }

  // Tops seldom move.
  static DSV4_LANE void shrink(State& state) {
    const Shared& s = shared();
    float keep[2][2];
    bool moved = false;
    DSV4_UNROLL
    for (int i = 0; i < 4; ++i) {
      keep[i / 2][i % 2] = s.keep[first_head() + 16 * (i / 2) + 8 * (i % 2) + lane() / 4];
      moved = moved || keep[i / 2][i % 2] != 1.0F;
    }
    if (ballot(moved) == 0) return;
    DSV4_UNROLL
    for (int m = 0; m < 2; ++m) {
      DSV4_UNROLL
      for (int n = 0; n < kColumns; ++n) {
        DSV4_UNROLL
        for (int i = 0; i < 4; ++i) state.sums[m][n][i] *= keep[m][i / 2];
      }
    }
  }

  static DSV4_LANE void leave(const AttendParams& p, int64_t token, int split, int in_block,
                              float top, float total) {
    const int64_t head = int64_t{block_y()} * kHeads + in_block;
    if (head >= p.heads) return;
    const SplitResults to = split_results(p);
    const int64_t at = (token * p.splits + split) * p.heads + head;
    to.tops[at] = top;
    to.totals[at] = total;
  }

  static DSV4_LANE void finish(const AttendParams& p, int64_t token, int split,
                               const State& state) {
    constexpr float kLn2 = 0.6931471805599453F;
    Shared& s = shared();
    if (lane() % 4 == 0) {
      const int head = warp() * 8 + lane() / 4;
      s.tops[head] = state.top == kLowestScore ? kLowestScore : state.top * kLn2;
      s.totals[head] = state.total;
    }
    sync_block();
    if (p.splits > 1 && thread() < kHeads) {
      leave(p, token, split, thread(), s.tops[thread()], s.totals[thread()]);
    }
    DSV4_UNROLL
    for (int i = 0; i < 4; ++i) {
      const int in_block = first_head() + 16 * (i / 2) + 8 * (i % 2) + lane() / 4;
      const int64_t head = int64_t{block_y()} * kHeads + in_block;
      if (head >= p.heads) continue;
      float factor = 1.0F;
      float* out = nullptr;
      if (p.splits > 1) {
        out = split_results(p).sums + ((token * p.splits + split) * p.heads + head) * kDim;
      } else {
        const float sink = p.sink[head] > kLowestScore ? p.sink[head] : kLowestScore;
        const float top = s.tops[in_block] > sink ? s.tops[in_block] : sink;
        factor = expf(s.tops[in_block] - top);
        factor /= s.totals[in_block] * factor + expf(sink - top);
        out = attention_output(p, token, head);
      }
      DSV4_UNROLL
      for (int n = 0; n < kColumns; ++n) {
        const int c = first_channel() + 8 * n + lane() % 4 * 2;
        float pair[2] = {state.sums[i / 2][n][i % 2 * 2] * factor,
                         state.sums[i / 2][n][i % 2 * 2 + 1] * factor};
        const int turned = c - (kDim - static_cast<int>(p.rope_dim));
        if (p.splits == 1 && turned >= 0 && p.turns.cos != nullptr) {
          const int64_t at = token * (p.rope_dim / 2) + turned / 2;
          rotate(pair, {p.turns.cos[at], -p.turns.sin[at]});
        }
        out[c] = pair[0];
        out[c + 1] = pair[1];
      }
    }
  }
};

}  // namespace dsv4::kernels::cuda
