#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/cuda/launch.h"
#include "kernels/matmul/many_tokens_lanes.h"
#include "kernels/matmul/matmul_cuda.h"

namespace dsv4::kernels::cuda {
namespace {

struct PrepareJob {
  const float* x = nullptr;
  int64_t x_stride = 0;
  int64_t cols = 0;
  ActivationRows to;
  int64_t first_warp = 0;
};

// A warp for each block of 128 columns of a token.
struct PrepareKernel {
  static constexpr int kMaxJobs = 16;
  struct Params {
    PrepareJob job[kMaxJobs];
    int jobs = 0;
  };
  static constexpr const char* kName = "matmul: preparation of activations";
  static constexpr int kThreads = 256;
  static constexpr int kWarps = kThreads / kWarp;

  static DSV4_LANE void run(const Params& p) {
    int64_t at = int64_t{block_x()} * kWarps + warp();
    int number = 0;
    while (number + 1 < p.jobs && at >= p.job[number + 1].first_warp) ++number;
    const PrepareJob& job = p.job[number];
    at -= job.first_warp;
    if (at >= job.to.tokens * job.to.blocks) return;
    const int64_t token = at / job.to.blocks;
    const int64_t block = at % job.to.blocks;
    float x[4];
    load_four(job.x + token * job.x_stride, block * kBlockCols + lane() * 4, job.cols, x);
    prepare_block(x, job.to, token, block);
  }
};

struct Job {
  ProductTarget target;
  ActivationRows x;
  int first_block = 0;
  int splits = 1;
};

// Several products by tiles of tokens: `Way` is FewTokens or ManyTokens. Few tokens' tiles follow
// each other for the same rows, so that these come from memory once; many tokens' rows follow each
// other.
template <class Way>
struct ProductKernel {
  static constexpr int kMaxJobs = 8;
  struct Params {
    Job job[kMaxJobs];
    int jobs = 0;
  };
  static constexpr const char* kName = "matmul";
  static constexpr int kThreads = Way::kThreads;

  static DSV4_LANE void run(const Params& p) {
    const int block = Way::kMany ? block_x() : block_y();
    const int tile_number = Way::kMany ? block_y() : block_x();
    int number = 0;
    while (number + 1 < p.jobs && block >= p.job[number + 1].first_block) ++number;
    const Job& job = p.job[number];
    const int64_t first = int64_t{tile_number} * Way::kTokens;
    if (first >= job.x.tokens) return;  // of the whole block
    const int64_t left = job.x.tokens - first;
    const TokenTile tile{job.x, nullptr, 1, first,
                         static_cast<int>(left < Way::kTokens ? left : Way::kTokens)};
    Way::run(job.target, tile, job.splits, block - job.first_block);
  }
};

// A product whose activations are prepared.
struct Prepared {
  const Product* product;
  ActivationRows x;
};

bool takes_many(const Product& p, bool split) {
  if (p.way != MatmulWay::kFaster) return p.way == MatmulWay::kManyTokens;
  return many_tokens(p.tokens, p.weight, split);
}

// Those of `all` that are multiplied this way, as few launches as that takes.
template <class Way, int kXParts>
void multiply(Stream& stream, std::span<const Prepared> all) {
  using Kernel = ProductKernel<Way>;
  typename Kernel::Params params;
  int64_t blocks = 0;  // of rows
  int64_t tiles = 0;   // of tokens
  int64_t shared = 0;
  const auto flush = [&] {
    if (Way::kMany) {
      launch<Kernel>(stream, {blocks, tiles, Kernel::kThreads, shared}, params);
    } else {
      launch<Kernel>(stream, {tiles, blocks, Kernel::kThreads, shared}, params);
    }
    params.jobs = 0;
    blocks = tiles = shared = 0;
  };
  for (const Prepared& one : all) {
    const Product& p = *one.product;
    if (p.weight.format != Way::kFormat || (one.x.scale == nullptr) != (kXParts > 1) ||
        takes_many(p, kXParts > 1) != Way::kMany) {
      continue;
    }
    const Tiling tiling = Way::tiling(p.tokens, p.weight.rows, p.weight.cols);
    Job& job = params.job[params.jobs++];
    job.target = {p.weight, reads_whole<Way::kFormat>(p.weight.data, p.weight.cols), p.y,
                  p.y_stride != 0 ? p.y_stride : p.weight.rows};
    job.x = one.x;
    job.first_block = static_cast<int>(blocks);
    job.splits = tiling.splits;
    blocks += tiling.blocks;
    tiles = std::max(tiles, tiling.token_tiles);
    shared = std::max(shared, tiling.shared_bytes);
    if (params.jobs == Kernel::kMaxJobs) flush();
  }
  if (params.jobs > 0) flush();
}

template <WeightFormat F>
void multiply_format(Stream& stream, std::span<const Prepared> all) {
  multiply<FewTokens<F, 1>, 1>(stream, all);
  multiply<FewTokens<F, kSplitParts>, kSplitParts>(stream, all);
  multiply<ManyTokens<F, 1>, 1>(stream, all);
  multiply<ManyTokens<F, kSplitParts>, kSplitParts>(stream, all);
}

bool same_activations(const Product& a, const Product& b) {
  return a.x == b.x && a.x_stride == b.x_stride && a.tokens == b.tokens &&
         a.weight.cols == b.weight.cols && a.rounding == b.rounding;
}

// Preparations that are launched together.
class Preparations {
 public:
  explicit Preparations(Stream& stream) : stream_(stream) {}

  void add(const Product& p, const ActivationRows& to) {
    if (params_.jobs == PrepareKernel::kMaxJobs) flush();
    params_.job[params_.jobs++] = {p.x, p.x_stride != 0 ? p.x_stride : p.weight.cols, p.weight.cols,
                                   to, warps_};
    warps_ += to.tokens * to.blocks;
  }
  void flush() {
    const int64_t blocks = (warps_ + PrepareKernel::kWarps - 1) / PrepareKernel::kWarps;
    launch<PrepareKernel>(stream_, {blocks, 1, PrepareKernel::kThreads}, params_);
    params_.jobs = 0;
    warps_ = 0;
  }

 private:
  Stream& stream_;
  PrepareKernel::Params params_;
  int64_t warps_ = 0;
};

}  // namespace

int64_t matmul_scratch_bytes(int64_t tokens, int64_t cols, ActivationRounding rounding) {
  return activation_bytes(tokens, cols, rounding);
}

void matmul_batch(Stream& stream, std::span<const Product> products, Scratch scratch) {
  std::vector<Prepared> all;
  Preparations preparations(stream);
  auto* memory = static_cast<char*>(scratch.data);
  int64_t left = scratch.bytes;
  for (const Product& p : products) {
    if (p.tokens <= 0 || p.weight.rows <= 0) continue;
    if (!all.empty() && same_activations(*all.back().product, p)) {
      all.push_back({&p, all.back().x});
      continue;
    }
    const int64_t bytes = matmul_scratch_bytes(p.tokens, p.weight.cols, p.rounding);
    if (bytes > left) {
      throw std::invalid_argument("matrix products need more scratch memory on the GPU: " +
                                  std::to_string(bytes - left) + " bytes are missing");
    }
    const ActivationRows x = activation_rows(p.tokens, p.weight.cols, p.rounding, memory);
    memory += bytes;
    left -= bytes;
    preparations.add(p, x);
    all.push_back({&p, x});
  }
  preparations.flush();
  multiply_format<WeightFormat::kF32>(stream, all);
  multiply_format<WeightFormat::kBf16>(stream, all);
  multiply_format<WeightFormat::kFp8Block128>(stream, all);
  multiply_format<WeightFormat::kFp4Block32>(stream, all);
}

}  // namespace dsv4::kernels::cuda
