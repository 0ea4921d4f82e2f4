#include "kernels/attention/attention_cuda.h"
#include "kernels/attention/attention_lanes.h"
#include "kernels/attention/attention_tiles.h"
#include "kernels/cuda/launch.h"
#include "kernels/rope/rope_lanes.h"

namespace dsv4::kernels::cuda {
namespace {

// For every shape: a warp for each head of a token, in one split of the rows that it sees.
struct PlainKernel {
  using Params = AttendParamsOnDevice;
  static constexpr const char* kName = "attend";
  static constexpr int kHeads = 8;
  static constexpr int kRows = 16;  // at a time
  static constexpr int kThreads = kHeads * kWarp;

  // Rows [kRows, dim + 1], queries and sums [kHeads, dim], weights [kHeads, kRows].
  static int64_t shared_bytes(int64_t dim) {
    return (kRows * (dim + 1) + 2 * kHeads * dim + kHeads * kRows) *
           static_cast<int64_t>(sizeof(float));
  }

  static DSV4_LANE void run(const Params& params) {
    const AttendParams& p = params.p;
    const auto splits = static_cast<int32_t>(p.splits);
    const int64_t token = block_x() / splits;
    const int split = block_x() % splits;
    const int64_t head = int64_t{block_y()} * kHeads + warp();
    const auto dim = static_cast<int>(p.dim);
    const int stride = dim + 1;
    auto* rows = reinterpret_cast<float*>(shared_memory());
    float* q = rows + kRows * stride + warp() * dim;
    float* sums = q + kHeads * dim;
    float* weights = rows + kRows * stride + 2 * kHeads * dim + warp() * kRows;

    const bool mine = head < p.heads;
    for (int c = lane(); c < dim; c += kWarp) {
      q[c] = mine ? p.q[(token * p.heads + head) * dim + c] * p.scale : 0.0F;
      sums[c] = 0.0F;
    }
    float top = kLowestScore;
    float total = 0.0F;
    const SeenRows seen = seen_rows(p, token);
    const SplitRows range = split_rows(seen.rows(), split, splits);
    for (int first = range.first; first < range.end; first += kRows) {
      const int n = range.end - first < kRows ? range.end - first : kRows;
      sync_block();
      for (int r = warp(); r < n; r += kHeads) load(params, seen, first + r, rows + r * stride);
      sync_block();
      float score = kLowestScore;
      if (lane() < n) {
        score = 0.0F;
        for (int c = 0; c < dim; ++c) score += q[c] * rows[lane() * stride + c];
      }
      const float high = warp_max(score > top ? score : top);
      const float keep = expf(top - high);
      const float weight = lane() < n ? expf(score - high) : 0.0F;
      if (lane() < kRows) weights[lane()] = weight;
      total = total * keep + warp_sum(weight);
      top = high;
      sync_warp();
      for (int c = lane(); c < dim; c += kWarp) {
        float sum = sums[c] * keep;
        for (int r = 0; r < n; ++r) sum += weights[r] * rows[r * stride + c];
        sums[c] = sum;
      }
    }
    if (!mine) return;
    const SplitResults to = split_results(p);
    const int64_t at = (token * p.splits + split) * p.heads + head;
    for (int c = lane(); c < dim; c += kWarp) to.sums[at * dim + c] = sums[c];
    if (lane() == 0) {
      to.tops[at] = top;
      to.totals[at] = total;
    }
  }

  // Row r of those that the token sees, by the lanes of a warp.
  static DSV4_LANE void load(const Params& params, const SeenRows& seen, int r, float* to) {
    const AttendParams& p = params.p;
    const auto dim = static_cast<int>(p.dim);
    if (r < seen.window) {
      const float* row = seen.raw(p, r);
      for (int c = lane(); c < dim; c += kWarp) to[c] = row[c];
      return;
    }
    const int64_t entry = seen.entry(p, r);
    const uint8_t* page = p.entries.pages[seen.sequence][entry / p.entries.rows_per_page];
    const int64_t i = entry % p.entries.rows_per_page;
    for (int c = lane(); c < dim; c += kWarp) to[c] = packed_value(params.shape, page, i, c);
  }
};

// Puts the splits of a token's head together, and the sink: a block for each head.
struct CombineKernel {
  using Params = AttendParams;
  static constexpr const char* kName = "attend_combine";
  static constexpr int kThreads = 128;
  static constexpr int kMostSplits = 256;

  struct Shared {
    float factors[kMostSplits];
    int32_t used;
  };

  static DSV4_LANE void run(const Params& p) {
    auto& shared = *reinterpret_cast<Shared*>(shared_memory());
    const int64_t token = block_x() / p.heads;
    const int64_t head = block_x() % p.heads;
    const SplitResults from = split_results(p);
    const int64_t first = token * p.splits * p.heads + head;  // of the head's splits
    if (warp() == 0) weigh(p, from, first, p.sink[head], shared);
    sync_block();
    const int used = shared.used;
    const auto dim = static_cast<int>(p.dim);
    float* out = attention_output(p, token, head);
    // Two channels at a time, from the end on: those are turned together.
    for (int c = dim - 2 * (thread() + 1); c > -2; c -= 2 * kThreads) {
      float pair[2] = {};
      const int at = c < 0 ? 0 : c;  // the first alone, of an odd number
      const float* sums = from.sums + first * dim + at;
      DSV4_UNROLL
      for (int s = 0; s < used; ++s) {
        pair[0] += sums[s * p.heads * dim] * shared.factors[s];
        pair[1] += sums[s * p.heads * dim + (c < 0 ? 0 : 1)] * shared.factors[s];
      }
      const int turned = c - (dim - static_cast<int>(p.rope_dim));
      if (turned >= 0 && p.turns.cos != nullptr) {
        const int64_t turn = token * (p.rope_dim / 2) + turned / 2;
        rotate(pair, {p.turns.cos[turn], -p.turns.sin[turn]});
      }
      if (c >= 0) out[c] = pair[0];
      out[c + 1] = pair[1];
    }
  }

  // By a warp: each split's share of the result. Those that have rows come first.
  static DSV4_LANE void weigh(const Params& p, const SplitResults& from, int64_t first, float sink,
                              Shared& shared) {
    float top = sink > kLowestScore ? sink : kLowestScore;
    for (int s = lane(); s < p.splits; s += kWarp) {
      const float other = from.tops[first + s * p.heads];
      top = other > top ? other : top;
    }
    top = warp_max(top);
    float total = 0.0F;
    int32_t used = 0;
    for (int s = lane(); s < p.splits; s += kWarp) {
      const int64_t at = first + s * p.heads;
      const float factor = expf(from.tops[at] - top);
      total += from.totals[at] * factor;
      shared.factors[s] = factor;
      if (from.totals[at] != 0.0F) used = s + 1;
    }
    total = warp_sum(total) + expf(sink - top);
    for (int s = lane(); s < p.splits; s += kWarp) shared.factors[s] /= total;
    for (int mask = kWarp / 2; mask > 0; mask /= 2) {
      const int32_t other = shuffle_xor(used, mask);
      used = other > used ? other : used;
    }
    if (lane() == 0) shared.used = used;
  }
};

template <class K>
void attend_in_tiles(Stream& stream, const AttendParams& p, const PackedShape& shape) {
  const int64_t blocks = (p.heads + K::kHeads - 1) / K::kHeads;
  launch<K>(stream, {p.chunk.tokens * p.splits, blocks, K::kThreads, K::shared_bytes(shape.bytes)},
            {p, shape});
}

template <int kDim>
bool attends_in_tiles(Stream& stream, const AttendParams& p) {
  using Large = TilesKernel<kDim, 32>;
  using Small = TilesKernel<kDim, 16>;
  if (!Large::fits(p)) return false;
  const PackedShape shape = p.ratio == 0 ? PackedShape{} : packed_shape(p.entries.layout);
  if (Large::shared_bytes(shape.bytes) <= p.shared_bytes) {
    attend_in_tiles<Large>(stream, p, shape);
  } else {
    attend_in_tiles<Small>(stream, p, shape);
  }
  return true;
}

void attend_plainly(Stream& stream, const AttendParams& p) {
  using K = PlainKernel;
  const int64_t blocks = (p.heads + K::kHeads - 1) / K::kHeads;
  launch<K>(stream, {p.chunk.tokens * p.splits, blocks, K::kThreads, K::shared_bytes(p.dim)},
            {p, packed_shape(p.entries.layout)});
}

}  // namespace

int64_t attend_splits(int processors, int64_t tokens, int64_t heads, bool in_halves) {
  const int64_t of_block = in_halves ? TilesKernel<512, 32>::kHeads : PlainKernel::kHeads;
  const int64_t blocks = tokens * ((heads + of_block - 1) / of_block);
  constexpr int64_t kMost = 64;
  int64_t splits = 1;
  while (splits < kMost && blocks * splits < processors) splits *= 2;
  return splits;
}

int64_t attend_scratch_bytes(int64_t tokens, int64_t heads, int64_t dim, int64_t splits) {
  return tokens * splits * heads * (dim + 2) * static_cast<int64_t>(sizeof(float));
}

bool attends_in_halves(const AttendParams& p) {
  return TilesKernel<128, 32>::fits(p) || TilesKernel<512, 32>::fits(p);
}

void attend(Stream& stream, const AttendParams& p) {
  if (p.finishes_queries && (!attends_in_halves(p) || p.turns.cos == nullptr)) {
    throw DeviceError("attend: these queries cannot be finished on the way");
  }
  if (p.splits > CombineKernel::kMostSplits) throw DeviceError("attend: too many splits");
  const bool in_tiles = attends_in_tiles<128>(stream, p) || attends_in_tiles<512>(stream, p);
  if (!in_tiles) attend_plainly(stream, p);
  if (in_tiles && p.splits == 1) return;  // nothing to put together
  using C = CombineKernel;
  launch<C>(stream, {p.chunk.tokens * p.heads, 1, C::kThreads, sizeof(C::Shared)}, p);
}

}  // namespace dsv4::kernels::cuda
