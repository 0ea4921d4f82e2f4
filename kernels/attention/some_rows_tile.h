// Attention to some rows, written once over an instruction set `Arch`. Included by each instruction
// set's own file only, which is compiled for it; see kernels/matmul/tile.h for why everything here
// has internal linkage and uses no inline function of the standard library.
//
// An Arch gives
//   Reg, kWidth            a register of kWidth floats
//   kRows                  rows of a tile of scores: kHeads * kRows == kWidth
//   load, store, set, zero, add, mul, madd(a, b, c) = a * b + c
//   larger(x, y)           the larger of each lane; y where x is NaN
//   exp, sum, largest      of a register; the latter two over its lanes
//   sums(regs)             lane i: the sum of the lanes of register i, the same tree for each
//
// Every number is computed in the same order whatever tile it lies in.

#include <cstring>

#include "kernels/attention/some_rows.h"

namespace dsv4::kernels {
namespace {

constexpr int kHeads = 4;  // of a tile

template <class Arch>
struct SomeRowsOf {
  using Reg = typename Arch::Reg;
  static constexpr int kWidth = Arch::kWidth;
  static constexpr int kRows = Arch::kRows;
  static_assert(kHeads * kRows == kWidth);

  // [heads, rows]: scores, then weights; rows past the last have weight 0.
  alignas(64) float scores[kHeads][kRowsAtOnce];
  float rescale[kHeads];  // by which what was summed so far shrinks

  // Scores of H heads from `head` on.
  template <int H>
  void score(const SomeRows& p, int64_t head) {
    const float* q = p.q + head * p.dim;
    for (int64_t r = 0; r < p.n; r += kRows) {
      const float* rows[kRows];
      for (int i = 0; i < kRows; ++i) rows[i] = p.rows[r + i < p.n ? r + i : p.n - 1];
      Reg acc[kHeads * kRows];
      for (Reg& sum : acc) sum = Arch::zero();
      for (int64_t c = 0; c < p.dim; c += kWidth) {
        Reg row[kRows];
        for (int i = 0; i < kRows; ++i) row[i] = Arch::load(rows[i] + c);
        for (int h = 0; h < H; ++h) {
          const Reg x = Arch::load(q + h * p.dim + c);
          for (int i = 0; i < kRows; ++i) {
            acc[h * kRows + i] = Arch::madd(x, row[i], acc[h * kRows + i]);
          }
        }
      }
      alignas(64) float tile[kWidth];
      Arch::store(tile, Arch::mul(Arch::sums(acc), Arch::set(p.scale)));
      for (int h = 0; h < H; ++h) {
        std::memcpy(&scores[h][r], tile + h * kRows, kRows * sizeof(float));
      }
    }
  }

  // Turns the scores of the tile's head h into weights, and moves top and total on.
  void weigh(const SomeRows& p, int64_t head, int h) {
    const float none = -__builtin_inff();
    const int64_t padded = (p.n + kWidth - 1) / kWidth * kWidth;
    for (int64_t r = p.n; r < padded; ++r) scores[h][r] = none;
    Reg most = Arch::set(p.top[head + h]);
    for (int64_t r = 0; r < padded; r += kWidth) {
      most = Arch::larger(Arch::load(&scores[h][r]), most);
    }
    const float top = Arch::largest(most);
    const Reg peak = Arch::set(top);
    Reg sum = Arch::zero();
    for (int64_t r = 0; r < padded; r += kWidth) {
      const Reg weight = Arch::exp(Arch::sub(Arch::load(&scores[h][r]), peak));
      Arch::store(&scores[h][r], weight);
      sum = Arch::add(sum, weight);
    }
    rescale[h] = Arch::first(Arch::exp(Arch::set(p.top[head + h] - top)));
    p.total[head + h] = p.total[head + h] * rescale[h] + Arch::sum(sum);
    p.top[head + h] = top;
  }

  // V registers of channels of H heads.
  template <int H, int V>
  void mix_channels(const SomeRows& p, float* sums, int64_t c) const {
    Reg acc[H][V];
    for (int h = 0; h < H; ++h) {
      for (int v = 0; v < V; ++v) {
        acc[h][v] = Arch::mul(Arch::load(sums + h * p.dim + c + v * kWidth), Arch::set(rescale[h]));
      }
    }
    for (int64_t r = 0; r < p.n; ++r) {
      Reg row[V];
      for (int v = 0; v < V; ++v) row[v] = Arch::load(p.rows[r] + c + v * kWidth);
      for (int h = 0; h < H; ++h) {
        const Reg weight = Arch::set(scores[h][r]);
        for (int v = 0; v < V; ++v) acc[h][v] = Arch::madd(weight, row[v], acc[h][v]);
      }
    }
    for (int h = 0; h < H; ++h) {
      for (int v = 0; v < V; ++v) Arch::store(sums + h * p.dim + c + v * kWidth, acc[h][v]);
    }
  }

  template <int H>
  void heads(const SomeRows& p, int64_t head) {
    score<H>(p, head);
    for (int h = 0; h < H; ++h) weigh(p, head, h);
    float* sums = p.sums + head * p.dim;
    int64_t c = 0;
    for (; c + kRows * kWidth <= p.dim; c += kRows * kWidth) mix_channels<H, kRows>(p, sums, c);
    for (; c < p.dim; c += kWidth) mix_channels<H, 1>(p, sums, c);
  }

  static void add(const SomeRows& p) {
    SomeRowsOf tile;
    int64_t head = 0;
    for (; head + kHeads <= p.heads; head += kHeads) tile.template heads<kHeads>(p, head);
    if (p.heads - head == 1) tile.template heads<1>(p, head);
    if (p.heads - head == 2) tile.template heads<2>(p, head);
    if (p.heads - head == 3) tile.template heads<3>(p, head);
  }
};

}  // namespace
}  // namespace dsv4::kernels
