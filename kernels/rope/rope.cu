#include "kernels/cuda/launch.h"
#include "kernels/rope/rope_cuda.h"
#include "kernels/rope/rope_lanes.h"

namespace dsv4::kernels::cuda {
namespace {

struct FillKernel {
  using Params = FillTurnsParams;
  static constexpr const char* kName = "fill_turns";
  static constexpr int kThreads = 128;

  static DSV4_LANE void run(const Params& p) {
    const int64_t at = int64_t{block_x()} * kThreads + thread();
    if (at >= p.tokens * p.pairs) return;
    const int64_t position = p.position[at / p.pairs];
    const Turn turn = turn_at(position < 0 ? 0 : position, p.frequencies[at % p.pairs]);
    p.cos[at] = turn.cos;
    p.sin[at] = turn.sin;
  }
};

// A lane for each pair.
struct TurnKernel {
  using Params = TurnParams;
  static constexpr const char* kName = "turn_rows";
  static constexpr int kThreads = 256;

  static DSV4_LANE void run(const Params& p) {
    const int64_t pairs = p.rope_dim / 2;
    const int64_t at = int64_t{block_x()} * kThreads + thread();
    if (at >= p.rows * pairs) return;
    const int64_t row = at / pairs;
    const int64_t pair = at % pairs;
    const int64_t turn = row / p.rows_per_token * pairs + pair;
    const float sin = p.turns.sin[turn];
    rotate(p.x + row * p.dim + p.dim - p.rope_dim + 2 * pair,
           {p.turns.cos[turn], p.back ? -sin : sin});
  }
};

template <class K>
Grid grid_for(int64_t lanes) {
  return {(lanes + K::kThreads - 1) / K::kThreads, 1, K::kThreads};
}

}  // namespace

void fill_turns(Stream& stream, const FillTurnsParams& p) {
  launch<FillKernel>(stream, grid_for<FillKernel>(p.tokens * p.pairs), p);
}

void turn_rows(Stream& stream, const TurnParams& p) {
  launch<TurnKernel>(stream, grid_for<TurnKernel>(p.rows * (p.rope_dim / 2)), p);
}

}  // namespace dsv4::kernels::cuda
