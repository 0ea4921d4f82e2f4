#include <cmath>

#include "kernels/cuda/launch.h"
#include "kernels/hyper_connections/hyper_connections_cuda.h"

namespace dsv4::kernels::cuda {
namespace {

constexpr int64_t kSegment = 1024;  // of a token's streams, for one block
constexpr int64_t kMaxStreams = 32;

int64_t rows_of(int64_t streams, bool head) { return head ? streams : (2 + streams) * streams; }

int64_t segments_of(int64_t width) { return (width + kSegment - 1) / kSegment; }

int64_t scratch_stride(int64_t streams, int64_t dim) {
  return segments_of(streams * dim) * (rows_of(streams, false) + 1) + 1;
}

struct EnterParams {
  HyperEnterParams p;
  int64_t rows;      // of fn
  int64_t segments;  // of a token
  // Of each token how many blocks have written their partial sums, then those: [segments, rows +
  // 1], the last of them the sum of squares. So many numbers apart, for any launch the same.
  int64_t stride;
};

DSV4_LANE int32_t* arrived(const EnterParams& e, int64_t token) {
  return static_cast<int32_t*>(e.p.scratch) + token * e.stride;
}
DSV4_LANE float* partial(const EnterParams& e, int64_t token) {
  return static_cast<float*>(e.p.scratch) + token * e.stride + 1;
}

DSV4_LANE float sigmoid(float x) { return 1.0F / (1.0F + expf(-x)); }

// A block for each segment of each token adds up its part of fn @ u; the one that comes last does
// the rest. All sums have a fixed order.
struct HyperEnterKernel {
  using Params = EnterParams;
  static constexpr const char* kName = "hyper_enter";
  static constexpr int kThreads = 256;
  static constexpr int kWarps = kThreads / kWarp;

  struct Shared {
    float sums[kWarp];
    float u[kSegment];
    float pre[kMaxStreams];
    float comb[kMaxStreams * kMaxStreams];
    int32_t last;
  };

  // sum_i fn[row][i] * u[i] of the segment, or of the squares.
  static DSV4_LANE float part(const Params& e, const Shared& s, int64_t row, int64_t first,
                              int64_t count) {
    const float* fn = e.p.fn + row * e.p.streams * e.p.dim + first;
    float sum = 0.0F;
    for (int64_t i = lane(); i < count; i += kWarp) {
      sum += s.u[i] * (row == e.rows ? s.u[i] : fn[i]);
    }
    return warp_sum(sum);
  }

  static DSV4_LANE void add_segment(const Params& e, Shared& s, int64_t token) {
    const int64_t width = e.p.streams * e.p.dim;
    const int64_t first = block_x() * kSegment;
    const int64_t count = width - first < kSegment ? width - first : kSegment;
    for (int64_t i = thread(); i < count; i += threads()) s.u[i] = e.p.x[token * width + first + i];
    sync_block();
    float* out = partial(e, token) + block_x() * (e.rows + 1);
    for (int64_t row = warp(); row <= e.rows; row += kWarps) {
      const float sum = part(e, s, row, first, count);
      if (lane() == 0) out[row] = sum;
    }
    publish();
    sync_block();
    if (thread() == 0) {
      s.last = add_whole(arrived(e, token), 1) == e.segments - 1 ? 1 : 0;
      if (s.last != 0) *arrived(e, token) = 0;
      publish();
    }
    sync_block();
  }

  // m of row i, after all segments.
  static DSV4_LANE float whole(const Params& e, int64_t token, int64_t row) {
    const float* from = partial(e, token) + row;
    float sum = 0.0F;
    for (int64_t i = 0; i < e.segments; ++i) sum += from[i * (e.rows + 1)];
    return sum;
  }

  // Divides rows (or columns) of comb by their sum + eps; a lane for each.
  static DSV4_LANE void normalize(Shared& s, int64_t n, float eps, bool rows) {
    const int64_t step = rows ? 1 : n;
    float* first = s.comb + (rows ? lane() * n : lane());
    if (lane() < n) {
      float sum = 0.0F;
      for (int64_t k = 0; k < n; ++k) sum += first[k * step];
      const float factor = 1.0F / (sum + eps);
      for (int64_t k = 0; k < n; ++k) first[k * step] *= factor;
    }
    sync_warp();
  }

  static DSV4_LANE void soften(Shared& s, int64_t n, float eps) {
    if (lane() < n) {
      float* row = s.comb + lane() * n;
      float top = row[0];
      for (int64_t k = 1; k < n; ++k) top = row[k] > top ? row[k] : top;
      float sum = 0.0F;
      for (int64_t k = 0; k < n; ++k) sum += row[k] = expf(row[k] - top);
      for (int64_t k = 0; k < n; ++k) row[k] = row[k] / sum + eps;
    }
    sync_warp();
  }

  // In the first warp: pre into shared memory, post and comb to where they are wanted.
  static DSV4_LANE void mix(const Params& e, Shared& s, int64_t token) {
    const HyperEnterParams& p = e.p;
    const int64_t n = p.streams;
    const float mean = whole(e, token, e.rows) / static_cast<float>(n * p.dim);
    const float r = 1.0F / sqrtf(mean + p.rms_eps);
    const auto at = [&](int64_t i, int64_t scale) {
      return whole(e, token, i) * r * p.scale[scale] + p.base[i];
    };
    if (lane() < n) s.pre[lane()] = sigmoid(at(lane(), 0)) + p.eps;
    if (p.head) return;
    if (lane() < n) p.post[token * n + lane()] = 2.0F * sigmoid(at(n + lane(), 1));
    for (int64_t i = lane(); i < n * n; i += kWarp) s.comb[i] = at(2 * n + i, 2);
    sync_warp();
    soften(s, n, p.eps);
    for (int64_t i = 0; i < p.iterations; ++i) {
      if (i > 0) normalize(s, n, p.eps, true);
      normalize(s, n, p.eps, false);
    }
    for (int64_t i = lane(); i < n * n; i += kWarp) p.comb[token * n * n + i] = s.comb[i];
  }

  static DSV4_LANE void reduce(const Params& e, Shared& s, int64_t token) {
    const HyperEnterParams& p = e.p;
    const float* x = p.x + token * p.streams * p.dim;
    float* y = p.y + token * p.dim;
    float squares = 0.0F;
    for (int64_t i = thread(); i < p.dim; i += threads()) {
      float sum = 0.0F;
      for (int64_t j = 0; j < p.streams; ++j) sum += s.pre[j] * x[j * p.dim + i];
      y[i] = sum;
      squares += sum * sum;
    }
    const float mean = block_sum(squares, s.sums) / static_cast<float>(p.dim);
    const float factor = 1.0F / sqrtf(mean + p.rms_eps);
    for (int64_t i = thread(); i < p.dim; i += threads()) y[i] *= factor * p.weight[i];
  }

  static DSV4_LANE void run(const Params& e) {
    Shared& s = *reinterpret_cast<Shared*>(shared_memory());
    const int64_t token = block_y();
    add_segment(e, s, token);
    if (s.last == 0) return;
    if (warp() == 0) mix(e, s, token);
    sync_block();
    reduce(e, s, token);
  }
};

// A lane for each channel of a token.
struct HyperLeaveKernel {
  using Params = HyperLeaveParams;
  static constexpr const char* kName = "hyper_leave";
  static constexpr int kThreads = 128;

  struct Shared {
    float post[kMaxStreams];
    float comb[kMaxStreams * kMaxStreams];
  };

  static DSV4_LANE void run(const Params& p) {
    Shared& s = *reinterpret_cast<Shared*>(shared_memory());
    const int64_t n = p.streams;
    const int64_t token = block_y();
    for (int64_t i = thread(); i < n * n; i += threads()) s.comb[i] = p.comb[token * n * n + i];
    for (int64_t i = thread(); i < n; i += threads()) s.post[i] = p.post[token * n + i];
    sync_block();
    const int64_t i = static_cast<int64_t>(block_x()) * threads() + thread();
    if (i >= p.dim) return;
    float* x = p.x + token * n * p.dim + i;
    const float z = p.z[token * p.dim + i];
    float old[kMaxStreams];
    for (int64_t j = 0; j < n; ++j) old[j] = x[j * p.dim];
    for (int64_t k = 0; k < n; ++k) {
      float sum = s.post[k] * z;
      for (int64_t j = 0; j < n; ++j) sum += s.comb[j * n + k] * old[j];
      x[k * p.dim] = sum;
    }
  }
};

void check_streams(int64_t streams) {
  if (streams >= 1 && streams <= kMaxStreams) return;
  throw DeviceError("hc_mult is " + std::to_string(streams) +
                    ": on a GPU at most 32 residual streams are supported");
}

}  // namespace

int64_t hyper_enter_scratch_bytes(int64_t tokens, int64_t streams, int64_t dim) {
  return tokens * scratch_stride(streams, dim) * static_cast<int64_t>(sizeof(float));
}

void hyper_enter(Stream& stream, const HyperEnterParams& p) {
  check_streams(p.streams);
  const EnterParams e{p, rows_of(p.streams, p.head), segments_of(p.streams * p.dim),
                      scratch_stride(p.streams, p.dim)};
  launch<HyperEnterKernel>(
      stream, {e.segments, p.tokens, HyperEnterKernel::kThreads, sizeof(HyperEnterKernel::Shared)},
      e);
}

void hyper_leave(Stream& stream, const HyperLeaveParams& p) {
  check_streams(p.streams);
  constexpr int kThreads = HyperLeaveKernel::kThreads;
  launch<HyperLeaveKernel>(
      stream,
      {(p.dim + kThreads - 1) / kThreads, p.tokens, kThreads, sizeof(HyperLeaveKernel::Shared)}, p);
}

}  // namespace dsv4::kernels::cuda
