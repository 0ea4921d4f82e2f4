#include <algorithm>
#include <stdexcept>
#include <string>

#include "kernels/cuda/launch.h"
#include "kernels/matmul/many_tokens_lanes.h"
#include "kernels/moe/experts_cuda.h"
#include "kernels/moe/grouping_lanes.h"
#include "kernels/swiglu/swiglu_lanes.h"

namespace dsv4::kernels::cuda {
namespace {

constexpr int64_t kMostChosen = 256;

// Groups the choices, and prepares the tokens, once or for each kind of experts.
struct BeginKernel {
  struct Params {
    Grouping grouping;
    const float* x;
    int64_t cols;
    ActivationRows to[2];
  };
  static constexpr const char* kName = "experts: grouping";
  static constexpr int kThreads = 256;
  static constexpr int kWarps = kThreads / kWarp;

  static DSV4_LANE void run(const Params& p) {
    if (block_x() == 0) {
      group_choices(p.grouping, reinterpret_cast<int32_t*>(shared_memory()));
      return;
    }
    int64_t at = int64_t{block_x() - 1} * kWarps + warp();
    for (const ActivationRows& to : p.to) {
      const int64_t all = to.tokens * to.blocks;
      if (at >= 0 && at < all) {
        float x[4];
        load_four(p.x + at / to.blocks * p.cols, at % to.blocks * kBlockCols + lane() * 4, p.cols,
                  x);
        prepare_block(x, to, at / to.blocks, at % to.blocks);
      }
      at -= all;
    }
  }
};

// Products of the routed experts, or of the shared one.
struct Side {
  ActivationRows x;
  const int32_t* rows = nullptr;  // of x, by position; null: the position itself
  int32_t per_row = 1;
  const ExpertTile* tiles = nullptr;  // null: all tokens of x, for `own`
  const int32_t* tile_count = nullptr;
  int most_tiles = 0;
  int tile_tokens = 0;
  bool many = false;  // ManyTokens
  const ExpertMatrices* matrices = nullptr;
  ExpertMatrices own;
  int64_t matrix_rows = 0;
  int64_t matrix_cols = 0;
  float* y[2] = {};  // of w1 and w3, or of w2
};

// A grid of blocks of rows by tiles of tokens, routed experts first. `Routed` and `Shared` multiply
// a tile: FewTokens or ManyTokens.
template <class Routed, class Shared>
struct GroupedKernel {
  struct Params {
    Side routed;
    Side shared;
    bool down = false;  // w2, else w1 and w3
    int row_blocks = 0;
    int splits = 1;
  };
  static constexpr const char* kName = "experts: products";
  static constexpr int kThreads = Routed::kThreads;

  template <class Product>
  static DSV4_LANE void multiply(const Params& p, const Side& side, int number) {
    TokenTile tile{side.x, side.rows, side.per_row, int64_t{number} * side.tile_tokens,
                   side.tile_tokens};
    const ExpertMatrices* expert = &side.own;
    if (side.tiles != nullptr) {
      if (number >= *side.tile_count) return;  // of the whole block
      expert = side.matrices + side.tiles[number].expert;
      tile.first = side.tiles[number].first;
      tile.count = side.tiles[number].count;
    } else if (side.x.tokens - tile.first < tile.count) {
      tile.count = static_cast<int>(side.x.tokens - tile.first);
    }
    const int which = block_x() / p.row_blocks;
    const ExpertMatrix matrix = p.down ? expert->w2 : which == 0 ? expert->w1 : expert->w3;
    ProductTarget target;
    target.weight = {Product::kFormat, matrix.data, matrix.scale, side.matrix_rows,
                     side.matrix_cols};
    target.whole = reads_whole<Product::kFormat>(matrix.data, side.matrix_cols);
    target.y = which == 0 ? side.y[0] : side.y[1];
    target.y_stride = side.matrix_rows;
    Product::run(target, tile, p.splits, block_x() % p.row_blocks);
  }

  static DSV4_LANE void run(const Params& p) {
    const bool routed = block_y() < p.routed.most_tiles;
    const int number = routed ? block_y() : block_y() - p.routed.most_tiles;
    if constexpr (Routed::kFormat == Shared::kFormat) {
      multiply<Routed>(p, routed ? p.routed : p.shared, number);
    } else if (routed) {
      multiply<Routed>(p, p.routed, number);
    } else {
      multiply<Shared>(p, p.shared, number);
    }
  }
};

// The inputs of w2: a warp for each block of 128 columns of a position.
struct BetweenKernel {
  struct Params {
    const float* g;        // [positions, width]
    const float* u;        // [positions, width]
    const float* weight;   // by choice
    const int32_t* order;  // of the routed positions
    int64_t width;
    float limit;
    ActivationRows to[2];  // of the routed positions, then of the shared expert's
  };
  static constexpr const char* kName = "experts: activation";
  static constexpr int kThreads = 256;
  static constexpr int kWarps = kThreads / kWarp;

  static DSV4_LANE void run(const Params& p) {
    const int64_t at = int64_t{block_x()} * kWarps + warp();
    const int64_t position = at / p.to[0].blocks;
    const int64_t block = at % p.to[0].blocks;
    const bool routed = position < p.to[0].tokens;
    if (!routed && position >= p.to[0].tokens + p.to[1].tokens) return;
    float g[4];
    float u[4];
    const int64_t from = block * kBlockCols + lane() * 4;
    load_four(p.g + position * p.width, from, p.width, g);
    load_four(p.u + position * p.width, from, p.width, u);
    const float weight = routed ? p.weight[p.order[position]] : 1.0F;
    DSV4_UNROLL
    for (int i = 0; i < 4; ++i) g[i] = swiglu_of(g[i], u[i], p.limit, weight);
    if (routed) {
      prepare_block(g, p.to[0], position, block);
    } else {
      prepare_block(g, p.to[1], position - p.to[0].tokens, block);
    }
  }
};

// Adds each token's choices to the shared expert's result, by the experts' numbers.
struct AddKernel {
  struct Params {
    const float* z;  // [choices, hidden], by position
    const int32_t* index;
    const int32_t* position;
    int64_t chosen;
    int64_t hidden;
    bool shared;
    float* out;  // [tokens, hidden], of the shared expert where there is one
  };
  static constexpr const char* kName = "experts: sum";
  static constexpr int kThreads = 256;

  static DSV4_LANE void run(const Params& p) {
    auto* sorted = reinterpret_cast<int32_t*>(shared_memory());
    const int64_t token = block_x();
    const int32_t* index = p.index + token * p.chosen;
    for (int64_t k = thread(); k < p.chosen; k += threads()) {
      int before = 0;
      for (int64_t j = 0; j < p.chosen; ++j) {
        before += index[j] < index[k] || (index[j] == index[k] && j < k) ? 1 : 0;
      }
      sorted[before] = p.position[token * p.chosen + k];
    }
    sync_block();
    float* out = p.out + token * p.hidden;
    for (int64_t d = int64_t{block_y()} * threads() + thread(); d < p.hidden;
         d += int64_t{blocks_y()} * threads()) {
      float sum = p.shared ? out[d] : 0.0F;
      for (int64_t k = 0; k < p.chosen; ++k) sum += p.z[sorted[k] * p.hidden + d];
      out[d] = sum;
    }
  }
};

bool is_narrow(WeightFormat format) {
  return format == WeightFormat::kFp8Block128 || format == WeightFormat::kFp4Block32;
}

ActivationRounding rounding_of(const ExpertsParams& p, WeightFormat format) {
  return is_narrow(format) ? p.rounding : ActivationRounding::kNone;
}

// Hands out parts of a piece of memory.
class Pieces {
 public:
  explicit Pieces(Scratch scratch) : memory_(static_cast<char*>(scratch.data)) {}
  template <class T>
  T* take(int64_t count) {
    T* at = memory_ == nullptr ? nullptr : reinterpret_cast<T*>(memory_ + used_);
    used_ += (count * static_cast<int64_t>(sizeof(T)) + 255) / 256 * 256;
    return at;
  }
  ActivationRows rows(int64_t tokens, int64_t cols, ActivationRounding rounding) {
    return activation_rows(tokens, cols, rounding,
                           take<char>(activation_bytes(tokens, cols, rounding)));
  }
  int64_t used() const { return used_; }

 private:
  char* memory_;
  int64_t used_ = 0;
};

// What is on the way from x to out.
struct Plan {
  Grouping grouping;
  int64_t most_tiles = 0;
  bool many = false, shared_many = false;
  ActivationRows x, shared_x;  // the same where their rounding is
  ActivationRows h, shared_h;  // [choices, width], [tokens, width]
  float* g = nullptr;          // [positions, width]: the choices' and the shared expert's
  float* u = nullptr;
  float* z = nullptr;  // [choices, hidden], where g and u were
  int64_t bytes = 0;
};

int tile_tokens(const ExpertsParams& p, WeightFormat format, bool many) {
  if (many) return many_tokens_tile(format, rounding_of(p, format) == ActivationRounding::kNone);
  return static_cast<int>(std::min<int64_t>(p.tokens, kTileTokens));
}

Plan plan(const ExpertsParams& p, Scratch scratch) {
  Plan plan;
  Pieces pieces(scratch);
  const bool shared = p.shared.w1.data != nullptr;
  const int64_t choices = p.tokens * p.chosen;
  const int64_t positions = choices + (shared ? p.tokens : 0);
  const auto rounding = rounding_of(p, p.format);
  const auto shared_rounding = rounding_of(p, p.shared_format);
  plan.grouping.index = p.index;
  plan.grouping.choices = choices;
  plan.grouping.experts = p.experts;
  plan.many = many_tokens_each(choices / std::max<int64_t>(1, p.experts));
  plan.shared_many = many_tokens_each(p.tokens);
  plan.grouping.tile_tokens = tile_tokens(p, p.format, plan.many);
  plan.most_tiles = std::min(choices, p.experts + choices / std::max(1, plan.grouping.tile_tokens));
  plan.grouping.order = pieces.take<int32_t>(choices);
  plan.grouping.position = pieces.take<int32_t>(choices);
  plan.grouping.tiles = pieces.take<ExpertTile>(plan.most_tiles);
  plan.grouping.tile_count = pieces.take<int32_t>(1);
  plan.x = pieces.rows(p.tokens, p.hidden, rounding);
  plan.shared_x = plan.x;
  if (shared && shared_rounding != rounding) {
    plan.shared_x = pieces.rows(p.tokens, p.hidden, shared_rounding);
  }
  plan.h = pieces.rows(choices, p.width, rounding);
  if (shared) plan.shared_h = pieces.rows(p.tokens, p.width, shared_rounding);
  plan.g = pieces.take<float>(std::max(2 * positions * p.width, choices * p.hidden));
  plan.u = plan.g == nullptr ? nullptr : plan.g + positions * p.width;
  plan.z = plan.g;
  plan.bytes = pieces.used();
  return plan;
}

template <class Routed, class Shared>
void launch_products(Stream& stream, const Side& routed, const Side& shared, bool down) {
  using Kernel = GroupedKernel<Routed, Shared>;
  const Side& any = routed.most_tiles > 0 ? routed : shared;
  const int64_t tiles = routed.most_tiles + shared.most_tiles;
  const int64_t matrices = down ? 1 : 2;
  const Tiling tiling =
      Routed::tiling(any.tile_tokens, any.matrix_rows, any.matrix_cols, tiles * matrices);
  typename Kernel::Params params{routed, shared, down, static_cast<int>(tiling.blocks),
                                 tiling.splits};
  launch<Kernel>(stream, {tiling.blocks * matrices, tiles, Kernel::kThreads, tiling.shared_bytes},
                 params);
}

template <WeightFormat F, int kXParts>
void launch_kind(Stream& stream, const Side& side, bool down) {
  if (side.many) {
    using Way = ManyTokens<F, kXParts>;
    launch_products<Way, Way>(stream, side, Side{}, down);
  } else {
    using Way = FewTokens<F, kXParts>;
    launch_products<Way, Way>(stream, side, Side{}, down);
  }
}

void launch_kind(Stream& stream, WeightFormat format, const Side& side, bool down) {
  if (side.most_tiles == 0) return;
  const bool rounds = side.x.scale != nullptr;
  switch (format) {
    case WeightFormat::kF32:
      return launch_kind<WeightFormat::kF32, kSplitParts>(stream, side, down);
    case WeightFormat::kBf16:
      return launch_kind<WeightFormat::kBf16, kSplitParts>(stream, side, down);
    case WeightFormat::kFp8Block128:
      return rounds ? launch_kind<WeightFormat::kFp8Block128, 1>(stream, side, down)
                    : launch_kind<WeightFormat::kFp8Block128, kSplitParts>(stream, side, down);
    case WeightFormat::kFp4Block32:
      return rounds ? launch_kind<WeightFormat::kFp4Block32, 1>(stream, side, down)
                    : launch_kind<WeightFormat::kFp4Block32, kSplitParts>(stream, side, down);
  }
}

// One launch for both where that is worth a kernel: published checkpoints, decoding.
void launch_both_kinds(Stream& stream, const ExpertsParams& p, const Side& routed,
                       const Side& shared, bool down) {
  constexpr auto kFp8 = WeightFormat::kFp8Block128;
  constexpr auto kFp4 = WeightFormat::kFp4Block32;
  const bool together = shared.most_tiles > 0 && !routed.many && !shared.many &&
                        routed.x.scale != nullptr && shared.x.scale != nullptr &&
                        p.shared_format == kFp8;
  if (together && p.format == kFp8) {
    launch_products<FewTokens<kFp8, 1>, FewTokens<kFp8, 1>>(stream, routed, shared, down);
  } else if (together && p.format == kFp4) {
    launch_products<FewTokens<kFp4, 1>, FewTokens<kFp8, 1>>(stream, routed, shared, down);
  } else {
    launch_kind(stream, p.format, routed, down);
    launch_kind(stream, p.shared_format, shared, down);
  }
}

void check(const ExpertsParams& p, int64_t needed, int64_t bytes) {
  if (p.experts > kMostExperts || p.chosen > kMostChosen) {
    throw std::invalid_argument("the GPU takes 512 experts and 256 chosen ones at most, not " +
                                std::to_string(p.experts) + " and " + std::to_string(p.chosen));
  }
  if (needed > bytes) {
    throw std::invalid_argument("the experts need more scratch memory on the GPU: " +
                                std::to_string(needed - bytes) + " bytes are missing");
  }
}

Side routed_side(const ExpertsParams& p, const Plan& plan, bool down) {
  Side side;
  side.x = down ? plan.h : plan.x;
  side.rows = down ? nullptr : plan.grouping.order;
  side.per_row = static_cast<int32_t>(p.chosen);
  side.tiles = plan.grouping.tiles;
  side.tile_count = plan.grouping.tile_count;
  side.most_tiles = static_cast<int>(plan.most_tiles);
  side.tile_tokens = plan.grouping.tile_tokens;
  side.many = plan.many;
  side.matrices = p.matrices;
  side.matrix_rows = down ? p.hidden : p.width;
  side.matrix_cols = down ? p.width : p.hidden;
  side.y[0] = down ? plan.z : plan.g;
  side.y[1] = down ? nullptr : plan.u;
  return side;
}

Side shared_side(const ExpertsParams& p, const Plan& plan, bool down) {
  Side side;
  if (p.shared.w1.data == nullptr) return side;
  const int64_t choices = plan.grouping.choices;
  side.x = down ? plan.shared_h : plan.shared_x;
  side.many = plan.shared_many;
  side.tile_tokens = tile_tokens(p, p.shared_format, side.many);
  side.most_tiles = static_cast<int>((p.tokens + side.tile_tokens - 1) / side.tile_tokens);
  side.own = p.shared;
  side.matrix_rows = down ? p.hidden : p.width;
  side.matrix_cols = down ? p.width : p.hidden;
  side.y[0] = down ? p.out : plan.g + choices * p.width;
  side.y[1] = down ? nullptr : plan.u + choices * p.width;
  return side;
}

}  // namespace

int64_t experts_scratch_bytes(const ExpertsParams& p) { return plan(p, {}).bytes; }

void run_experts(Stream& stream, const ExpertsParams& p, Scratch scratch) {
  if (p.tokens <= 0) return;
  const Plan plan = cuda::plan(p, scratch);
  check(p, plan.bytes, scratch.bytes);
  const bool shared = p.shared.w1.data != nullptr;
  BeginKernel::Params begin{plan.grouping, p.x, p.hidden, {plan.x, {}}};
  if (shared && plan.shared_x.parts != plan.x.parts) begin.to[1] = plan.shared_x;
  const int64_t warps =
      begin.to[0].tokens * begin.to[0].blocks + begin.to[1].tokens * begin.to[1].blocks;
  launch<BeginKernel>(stream,
                      {1 + (warps + BeginKernel::kWarps - 1) / BeginKernel::kWarps, 1,
                       BeginKernel::kThreads, kMostExperts * int64_t{sizeof(int32_t)}},
                      begin);
  launch_both_kinds(stream, p, routed_side(p, plan, false), shared_side(p, plan, false), false);
  const BetweenKernel::Params between{
      plan.g, plan.u, p.weight, plan.grouping.order, p.width, p.limit, {plan.h, plan.shared_h}};
  const int64_t between_warps = (plan.h.tokens + plan.shared_h.tokens) * plan.h.blocks;
  launch<BetweenKernel>(stream,
                        {(between_warps + BetweenKernel::kWarps - 1) / BetweenKernel::kWarps, 1,
                         BetweenKernel::kThreads},
                        between);
  launch_both_kinds(stream, p, routed_side(p, plan, true), shared_side(p, plan, true), true);
  const int64_t parts = std::clamp<int64_t>(p.hidden / AddKernel::kThreads, 1, 8);
  launch<AddKernel>(stream,
                    {p.tokens, parts, AddKernel::kThreads, kMostChosen * int64_t{sizeof(int32_t)}},
                    {plan.z, p.index, plan.grouping.position, p.chosen, p.hidden, shared, p.out});
}

}  // namespace dsv4::kernels::cuda
