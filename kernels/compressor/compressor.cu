#include "kernels/compressor/compressor_cuda.h"
#include "kernels/cuda/launch.h"
#include "kernels/packed_rows/packed_rows_lanes.h"
#include "kernels/rope/rope_lanes.h"

namespace dsv4::kernels::cuda {
namespace {

struct CompressParamsOnDevice {
  CompressChunkParams p;
  PackedShape shape;
  int32_t width;
  int32_t stores;  // whether rows go to the frontier in the same launch
};

// As many as there are rows of blocks.
struct Compressors {
  CompressParamsOnDevice of[2];
};

// Puts the row of token t where later blocks look for it.
DSV4_LANE void keep_row(const CompressParamsOnDevice& params, int64_t t, int64_t position) {
  const CompressChunkParams& p = params.p;
  const int32_t sequence = p.chunk.sequence[t];
  const int64_t slot = position % p.slots * params.width;
  float* kv = p.frontier_kv[sequence] + slot;
  float* gate = p.frontier_gate[sequence] + slot;
  for (int c = thread(); c < params.width; c += threads()) {
    kv[c] = p.kv[t * params.width + c];
    gate[c] = p.gate[t * params.width + c];
  }
}

// A block of lanes for each token: those of tokens that end a block of positions make its entry.
struct CompressKernel {
  using Params = Compressors;
  static constexpr const char* kName = "compress_chunk";
  static constexpr int kThreads = 512;

  static constexpr int kMostRows = 256;  // of a softmax

  struct Shared {
    float sums[kWarp];
    const float* kv[kMostRows];
    const float* gate[kMostRows];
    // and the entry [dim]
  };
  static int64_t shared_bytes(int64_t dim) {
    return static_cast<int64_t>(sizeof(Shared)) + dim * static_cast<int64_t>(sizeof(float));
  }

  static DSV4_LANE void run(const Params& all) {
    const CompressParamsOnDevice& params = all.of[block_y()];
    const CompressChunkParams& p = params.p;
    const int64_t t = block_x();
    const int64_t position = p.chunk.position[t];
    if (position < 0) return;
    if (params.stores != 0) keep_row(params, t, position);
    if ((position + 1) % p.ratio != 0) return;

    auto& shared = *reinterpret_cast<Shared*>(shared_memory());
    auto* y = reinterpret_cast<float*>(shared_memory() + sizeof(Shared));
    const int count = find_rows(params, t, position, shared);
    sync_block();
    const int dim = params.shape.dim;
    const int64_t block = position / p.ratio;
    float squares = 0.0F;
    for (int c = thread(); c < dim; c += threads()) {
      y[c] = mix(params, shared, count, c);
      squares += y[c] * y[c];
    }
    const float mean = block_sum(squares, shared.sums) / static_cast<float>(dim);
    const float factor = 1.0F / sqrtf(mean + p.eps);
    for (int c = thread(); c < dim; c += threads()) y[c] = y[c] * factor * p.norm[c];
    sync_block();
    const auto pairs = static_cast<int>(p.rope_dim / 2);
    for (int i = thread(); i < pairs; i += threads()) {
      rotate(y + dim - 2 * pairs + 2 * i, turn_at(block * p.ratio, p.frequencies[i]));
    }
    sync_block();
    if (p.transform) transform(y, dim);
    uint8_t* page = p.entries.pages[p.chunk.sequence[t]][block / p.entries.rows_per_page];
    pack_row(params.shape, y, page, block % p.entries.rows_per_page, warp(), threads() / kWarp);
  }

  // Where the rows of the block's softmax are, in order: the previous block's, then its own.
  static DSV4_LANE int find_rows(const CompressParamsOnDevice& params, int64_t t, int64_t position,
                                 Shared& shared) {
    const CompressChunkParams& p = params.p;
    const int32_t sequence = p.chunk.sequence[t];
    const auto begin = p.chunk.begin[sequence];
    const auto start = static_cast<int32_t>(p.chunk.position[begin]);
    const auto last = static_cast<int32_t>(position);
    const auto ratio = static_cast<int32_t>(p.ratio);
    const int count = p.overlap && last >= ratio ? 2 * ratio : ratio;
    for (int i = thread(); i < count; i += threads()) {
      const int32_t q = last + 1 - count + i;
      const bool here = q >= start;
      const int64_t row = here ? begin + q - start : q % static_cast<int32_t>(p.slots);
      shared.kv[i] = (here ? p.kv : p.frontier_kv[sequence]) + row * params.width;
      shared.gate[i] = (here ? p.gate : p.frontier_gate[sequence]) + row * params.width;
    }
    return count;
  }

  // Channel c of the block: a softmax that goes on by a few rows, all of which are on their way at
  // once.
  static DSV4_LANE float mix(const CompressParamsOnDevice& params, const Shared& shared, int count,
                             int c) {
    constexpr int kRows = 8;
    const CompressChunkParams& p = params.p;
    const auto ratio = static_cast<int>(p.ratio);
    float top = -INFINITY;
    float sum = 0.0F;
    float mixed = 0.0F;
    for (int first = 0; first < count; first += kRows) {
      float gate[kRows];
      float kv[kRows];
      float high = top;
      DSV4_UNROLL
      for (int i = 0; i < kRows; ++i) {
        const int r = first + i;
        gate[i] = -INFINITY;
        kv[i] = 0.0F;
        if (r >= count) continue;
        // The previous block's rows have their first half in it, its own the second.
        const int at = p.overlap && r >= count - ratio ? params.shape.dim + c : c;
        gate[i] = shared.gate[r][at] + p.ape[int64_t{r % ratio} * params.width + at];
        kv[i] = shared.kv[r][at];
      }
      DSV4_UNROLL
      for (int i = 0; i < kRows; ++i) high = gate[i] > high ? gate[i] : high;
      const float keep = top == high ? 1.0F : expf(top - high);
      sum *= keep;
      mixed *= keep;
      top = high;
      DSV4_UNROLL
      for (int i = 0; i < kRows; ++i) {
        const float weight = gate[i] == -INFINITY ? 0.0F : expf(gate[i] - high);
        sum += weight;
        mixed += weight * kv[i];
      }
    }
    return mixed / sum;
  }

  // The normalised Walsh-Hadamard transform in shared memory; dim is a power of two.
  static DSV4_LANE void transform(float* y, int dim) {
    for (int half = 1; half < dim; half *= 2) {
      for (int i = thread(); i < dim / 2; i += threads()) {
        const int at = i / half * 2 * half + i % half;
        const float a = y[at];
        const float b = y[at + half];
        y[at] = a + b;
        y[at + half] = a - b;
      }
      sync_block();
    }
    const float scale = 1.0F / sqrtf(static_cast<float>(dim));
    for (int c = thread(); c < dim; c += threads()) y[c] *= scale;
    sync_block();
  }
};

struct KeepKernel {
  using Params = Compressors;
  static constexpr const char* kName = "keep_frontier";
  static constexpr int kThreads = 256;

  static DSV4_LANE void run(const Params& all) {
    const CompressParamsOnDevice& params = all.of[block_y()];
    const CompressChunkParams& p = params.p;
    const int64_t t = block_x();
    const int64_t position = p.chunk.position[t];
    if (params.stores != 0 || position < 0 || t < p.chunk.begin[p.chunk.sequence[t] + 1] - p.slots)
      return;
    keep_row(params, t, position);
  }
};

CompressParamsOnDevice on_device(const CompressChunkParams& p) {
  const int64_t rows = p.ratio * (p.overlap ? 2 : 1);  // of a softmax
  if (rows > CompressKernel::kMostRows) {
    throw DeviceError("compress_chunk: blocks of " + std::to_string(p.ratio) +
                      " positions are not supported on a card");
  }
  const int64_t dim = p.entries.layout.dim;
  CompressParamsOnDevice params{p, packed_shape(p.entries.layout),
                                static_cast<int32_t>(p.overlap ? 2 * dim : dim), 0};
  // A row that is put into the frontier must not be one that a block of this chunk still needs: the
  // oldest is rows - 1 positions before the chunk.
  params.stores = p.chunk.tokens + rows - 1 <= p.slots ? 1 : 0;
  return params;
}

void compress_all(Stream& stream, const Compressors& params, int64_t count) {
  int64_t dim = 0;
  bool keep = false;
  for (int64_t i = 0; i < count; ++i) {
    const CompressParamsOnDevice& one = params.of[i];
    dim = one.shape.dim > dim ? one.shape.dim : dim;
    keep = keep || one.stores == 0;
  }
  const int64_t tokens = params.of[0].p.chunk.tokens;
  using K = CompressKernel;
  launch<K>(stream, {tokens, count, K::kThreads, K::shared_bytes(dim)}, params);
  if (keep) launch<KeepKernel>(stream, {tokens, count, KeepKernel::kThreads}, params);
}

}  // namespace

void compress_chunk(Stream& stream, const CompressChunkParams& p) {
  compress_all(stream, {{on_device(p), {}}}, 1);
}

void compress_chunk(Stream& stream, const CompressChunkParams& a, const CompressChunkParams& b) {
  compress_all(stream, {{on_device(a), on_device(b)}}, 2);
}

}  // namespace dsv4::kernels::cuda
