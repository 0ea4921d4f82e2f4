#include "kernels/attention/attention_rows_cuda.h"
#include "kernels/cuda/launch.h"
#include "kernels/indexer/finish_lanes.h"
#include "kernels/packed_rows/packed_rows_lanes.h"
#include "kernels/rope/rope_lanes.h"

namespace dsv4::kernels::cuda {
namespace {

// The turn of a token's pair.
DSV4_LANE Turn turn_of(const RopeTurns& turns, int64_t token, int pairs, int pair) {
  const int64_t at = token * pairs + pair;
  return {turns.cos[at], turns.sin[at]};
}

// A warp for each head.
struct QueriesKernel {
  using Params = FinishQueriesParams;
  static constexpr const char* kName = "finish_queries";
  static constexpr int kWarps = 8;
  static constexpr int kThreads = kWarps * kWarp;

  static DSV4_LANE void run(const Params& p) { run_block(p, block_x()); }
  static DSV4_LANE void run_block(const Params& p, int64_t block) {
    const int64_t row = block * kWarps + warp();
    if (row >= p.tokens * p.heads) return;
    const auto dim = static_cast<int>(p.dim);
    float* x = p.q + row * dim;
    float squares = 0.0F;
    for (int c = lane(); c < dim; c += kWarp) squares += x[c] * x[c];
    const float factor = 1.0F / sqrtf(warp_sum(squares) / static_cast<float>(dim) + p.eps);
    const int plain = dim - static_cast<int>(p.rope_dim);
    for (int c = lane(); c < plain; c += kWarp) x[c] *= factor;
    const auto pairs = static_cast<int>(p.rope_dim / 2);
    for (int i = lane(); i < pairs; i += kWarp) {
      float* pair = x + plain + 2 * i;
      pair[0] *= factor;
      pair[1] *= factor;
      rotate(pair, turn_of(p.turns, row / p.heads, pairs, i));
    }
  }
};

// The same for heads of kFours * 128 channels, which stay in registers, four side by side.
template <int kFours>
struct WideQueriesKernel {
  using Params = FinishQueriesParams;
  static constexpr const char* kName = "finish_queries";
  static constexpr int kWarps = 8;
  static constexpr int kThreads = kWarps * kWarp;
  static constexpr int kDim = kFours * 4 * kWarp;

  struct alignas(16) Four {
    float number[4];
  };

  static bool fits(const Params& p) { return p.dim == kDim && p.rope_dim % 4 == 0; }

  static DSV4_LANE void run(const Params& p) { run_block(p, block_x()); }
  static DSV4_LANE void run_block(const Params& p, int64_t block) {
    const int64_t row = block * kWarps + warp();
    if (row >= p.tokens * p.heads) return;
    auto* q = reinterpret_cast<Four*>(p.q + row * kDim);
    Four x[kFours];
    float squares = 0.0F;
    DSV4_UNROLL
    for (int i = 0; i < kFours; ++i) {
      x[i] = q[i * kWarp + lane()];
      DSV4_UNROLL
      for (int j = 0; j < 4; ++j) squares += x[i].number[j] * x[i].number[j];
    }
    const float factor = 1.0F / sqrtf(warp_sum(squares) / static_cast<float>(kDim) + p.eps);
    const int plain = kDim - static_cast<int>(p.rope_dim);
    DSV4_UNROLL
    for (int i = 0; i < kFours; ++i) {
      const int c = 4 * (i * kWarp + lane());
      DSV4_UNROLL
      for (int j = 0; j < 4; ++j) x[i].number[j] *= factor;
      if (c >= plain) {
        const auto pairs = static_cast<int>(p.rope_dim / 2);
        const int pair = (c - plain) / 2;
        rotate(x[i].number, turn_of(p.turns, row / p.heads, pairs, pair));
        rotate(x[i].number + 2, turn_of(p.turns, row / p.heads, pairs, pair + 1));
      }
      q[i * kWarp + lane()] = x[i];
    }
  }
};

// A block for each token.
struct RowsKernel {
  struct Params {
    FinishRowsParams p;
    PackedShape shape;
  };
  static constexpr const char* kName = "finish_rows";
  static constexpr int kThreads = 128;

  static int64_t shared_bytes(int64_t dim) {
    return (kWarp + dim) * static_cast<int64_t>(sizeof(float));
  }

  static DSV4_LANE void run(const Params& params) { run_block(params, block_x()); }
  static DSV4_LANE void run_block(const Params& params, int64_t t) {
    const FinishRowsParams& p = params.p;
    const int64_t position = p.chunk.position[t];
    if (position < 0) return;
    const int dim = params.shape.dim;
    auto* sums = reinterpret_cast<float*>(shared_memory());
    float* y = sums + kWarp;
    float* x = p.x + t * dim;
    float squares = 0.0F;
    for (int c = thread(); c < dim; c += threads()) squares += x[c] * x[c];
    const float mean = block_sum(squares, sums) / static_cast<float>(dim);
    const float factor = 1.0F / sqrtf(mean + p.eps);
    for (int c = thread(); c < dim; c += threads()) y[c] = x[c] * factor * p.weight[c];
    sync_block();
    const auto pairs = static_cast<int>(p.rope_dim / 2);
    for (int i = thread(); i < pairs; i += threads()) {
      rotate(y + dim - 2 * pairs + 2 * i, turn_of(p.turns, t, pairs, i));
    }
    sync_block();
    round_row(params.shape, y);
    sync_block();
    float* kept = nullptr;
    if (p.ring != nullptr) kept = p.ring[p.chunk.sequence[t]] + position % p.slots * dim;
    for (int c = thread(); c < dim; c += threads()) {
      x[c] = y[c];
      if (kept != nullptr) kept[c] = y[c];
    }
  }

  // What x [dim] is once stored.
  static DSV4_LANE void round_row(const PackedShape& s, float* x) {
    for (int at = warp() * kFp8RowBlock; at < s.codes; at += threads() / kWarp * kFp8RowBlock) {
      const int c = at + lane();
      const float low = c < s.codes ? x[c] : 0.0F;
      const float high = c + kWarp < s.codes ? x[c + kWarp] : 0.0F;
      const float scale = block_scale_of<Fp8Lanes>(warp_magnitude(larger_magnitude(low, high)));
      const float inverse = inverse_scale(scale);
      if (c < s.codes) x[c] = nearest_of<Fp8Lanes>(low * inverse) * scale;
      if (c + kWarp < s.codes) x[c + kWarp] = nearest_of<Fp8Lanes>(high * inverse) * scale;
    }
    if (s.format != RowFormat::kFp8Bf16) return;
    for (int c = s.codes + thread(); c < s.dim; c += threads()) {
      x[c] = float_of(encode_bf16_bits(x[c]) << 16);
    }
  }
};

// A block for each token.
struct RingKernel {
  using Params = StoreInRingParams;
  static constexpr const char* kName = "store_in_ring";
  static constexpr int kThreads = 128;

  static DSV4_LANE void run(const Params& p) {
    const int64_t t = block_x();
    const int64_t position = p.chunk.position[t];
    if (position < 0) return;
    const int32_t sequence = p.chunk.sequence[t];
    if (t < p.chunk.begin[sequence + 1] - p.slots) return;
    float* to = p.ring[sequence] + position % p.slots * p.dim;
    const float* from = p.x + t * p.dim;
    for (int64_t c = thread(); c < p.dim; c += threads()) to[c] = from[c];
  }
};

template <class K>
int64_t head_blocks(const FinishQueriesParams& p) {
  return (p.tokens * p.heads + K::kWarps - 1) / K::kWarps;
}

template <class K>
void finish_heads(Stream& stream, const FinishQueriesParams& p) {
  launch<K>(stream, {head_blocks<K>(p), 1, K::kThreads}, p);
}

// All of a site's rows: first the blocks of the queries, K's, then those of the raw rows and of the
// indexer's queries.
template <class K>
struct SiteKernel {
  struct Params {
    FinishQueriesParams queries;
    RowsKernel::Params rows;
    FinishIndexParams index;
    int64_t query_blocks;
    int64_t row_blocks;
  };
  static constexpr const char* kName = "finish_site";
  static constexpr int kThreads = K::kThreads;
  static_assert(kThreads == FinishIndexKernel::kThreads);

  static DSV4_LANE void run(const Params& p) {
    const int64_t block = block_x();
    if (block < p.query_blocks) {
      K::run_block(p.queries, block);
    } else if (block < p.query_blocks + p.row_blocks) {
      RowsKernel::run_block(p.rows, block - p.query_blocks);
    } else {
      FinishIndexKernel::run_block(p.index, block - p.query_blocks - p.row_blocks);
    }
  }
};

template <class K>
void finish_all(Stream& stream, const FinishSiteParams& p) {
  const int64_t queries = head_blocks<K>(p.queries);
  const int64_t rows = p.rows.chunk.tokens;
  const int64_t index = FinishIndexKernel::blocks(p.index);
  const int64_t for_rows = RowsKernel::shared_bytes(p.rows.layout.dim);
  const int64_t for_index = FinishIndexKernel::shared_bytes(p.index);
  launch<SiteKernel<K>>(
      stream, {queries + rows + index, 1, K::kThreads, for_rows > for_index ? for_rows : for_index},
      {p.queries, {p.rows, packed_shape(p.rows.layout)}, p.index, queries, rows});
}

}  // namespace

void finish_queries(Stream& stream, const FinishQueriesParams& p) {
  if (WideQueriesKernel<1>::fits(p)) return finish_heads<WideQueriesKernel<1>>(stream, p);
  if (WideQueriesKernel<4>::fits(p)) return finish_heads<WideQueriesKernel<4>>(stream, p);
  finish_heads<QueriesKernel>(stream, p);
}

void finish_rows(Stream& stream, const FinishRowsParams& p) {
  using K = RowsKernel;
  launch<K>(stream, {p.chunk.tokens, 1, K::kThreads, K::shared_bytes(p.layout.dim)},
            {p, packed_shape(p.layout)});
}

void finish_site(Stream& stream, const FinishSiteParams& p) {
  if (WideQueriesKernel<1>::fits(p.queries)) return finish_all<WideQueriesKernel<1>>(stream, p);
  if (WideQueriesKernel<4>::fits(p.queries)) return finish_all<WideQueriesKernel<4>>(stream, p);
  finish_all<QueriesKernel>(stream, p);
}

void store_in_ring(Stream& stream, const StoreInRingParams& p) {
  launch<RingKernel>(stream, {p.chunk.tokens, 1, RingKernel::kThreads}, p);
}

}  // namespace dsv4::kernels::cuda
