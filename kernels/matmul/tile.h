// The product of some rows, written once over an instruction set `Arch`. Included by each
// instruction set's own file only, which is compiled for it: everything here has internal linkage
// and uses no inline function of the standard library, so that no other file can end up with code
// that its processor lacks.
//
// An Arch gives
//   Element, Reg, Acc   one activation; kWidth activations in a register; partial sums
//   load, store         a register from and to memory
//   madd(w, x, acc)     acc + w * x, lane by lane
//   kSums               partial sums that fit its registers beside the factors
//   kTileTokens         of a tile of the panel product, see kTileRows
//   kE4m3Unit           decoded FP8 weights are values / kE4m3Unit
//   kShowsNan           the code for NaN decodes to NaN
//   zero, sum           an empty Acc; the sum of its lanes, in a fixed order
//   sum4(a,b,c,d,out)   the sums of four, each the same to the bit: a narrow matrix spends as much
//                       on sums as on products, and four together take a third of four alone
//   scaling(FormatTag, scale)              what decode needs of a scale's byte
//   decode(FormatTag, bytes, scaling, out) one step of a row as registers
//   has_nan_code(bytes, n)                 whether an e4m3 NaN is among the bytes
//   reorder(FormatTag, x)                  the columns of a step from their order to decode's
//   kReorders<format>                      whether reorder does anything
//   convert(x, n, to)                      f32 values to elements
//
// A result is always the same chain of madds over the columns in steps, then sum(): whether a step
// was decoded for one token or into a panel for many does not change a bit of it.

#include <cstring>

#include "kernels/matmul/row_kernel.h"
#include "kernels/matmul/scale_table.h"
#include "kernels/rounding/block_loops.h"

// Emulated instructions, which are loops, would take a compiler minutes to inline.
#if !defined(DSV4_FLATTEN)
#define DSV4_FLATTEN [[gnu::flatten]]
#endif

namespace dsv4::kernels {
namespace {

template <WeightFormat F>
struct FormatTag {};

// Register tile of the panel product: 4 x 3 sums, 3 activations and 1 weight fill the sixteen
// registers of AVX2, and need 7 loads for 12 multiply-adds; AVX-512 has room for 6 tokens.
constexpr int kTileRows = 4;

// A panel of 16 rows x 256 columns decoded to f32 is 16 KiB: half the first-level cache, beside the
// activations of one tile. It serves 48 tokens, whose partial sums wait in the second level.
constexpr int kPanelCols = 256;
constexpr int kPanelTokens = 48;

template <WeightFormat F>
constexpr int step_bytes() {
  switch (F) {
    case WeightFormat::kF32:
      return 4 * kStepCols;
    case WeightFormat::kBf16:
      return 2 * kStepCols;
    case WeightFormat::kFp8Block128:
      return kStepCols;
    case WeightFormat::kFp4Block32:
      return kStepCols / 2;
  }
  return 0;
}

// Steps that are taken together: as wide as an FP8 block, whose scale serves all rows of a unit.
constexpr int kGroupSteps = 4;

// One row of a weight matrix, decoded a step at a time.
template <class Arch, WeightFormat F>
struct Row {
  static constexpr int kRegs = kStepCols / Arch::kWidth;
  using Scaling = decltype(Arch::scaling(FormatTag<F>{}, uint8_t{}));

  const uint8_t* bytes = nullptr;
  const uint8_t* scales = nullptr;

  Row() = default;
  Row(const WeightMatrix& w, int64_t row) {
    bytes = static_cast<const uint8_t*>(w.data) + row * w.cols * step_bytes<F>() / kStepCols;
    if (F == WeightFormat::kFp8Block128) scales = w.scale + row / 128 * ((w.cols + 127) / 128);
    if (F == WeightFormat::kFp4Block32) scales = w.scale + row * (w.cols / 32);
  }

  Scaling scaling(int64_t step) const {
    uint8_t scale = 0;
    if (F == WeightFormat::kFp8Block128) scale = scales[step / kGroupSteps];
    if (F == WeightFormat::kFp4Block32) scale = scales[step];
    return Arch::scaling(FormatTag<F>{}, scale);
  }

  void decode(int64_t step, const Scaling& scaling, typename Arch::Reg* out) const {
    Arch::decode(FormatTag<F>{}, bytes + step * step_bytes<F>(), scaling, out);
  }

  // The last, incomplete step: what follows the row in memory may not be there to read.
  void decode_tail(int64_t step, int64_t cols, typename Arch::Reg* out) const {
    uint8_t padded[step_bytes<F>()] = {};
    std::memcpy(padded, bytes + step * step_bytes<F>(),
                static_cast<size_t>(cols * step_bytes<F>() / kStepCols));
    Arch::decode(FormatTag<F>{}, padded, scaling(step), out);
  }
};

// Decoded e4m3 comes as a fraction 1 / kE4m3Unit of its value (see the decoders); the sums make up
// for it.
template <class Arch, WeightFormat F>
constexpr float kUnit = F == WeightFormat::kFp8Block128 ? Arch::kE4m3Unit : 1.0f;

// One e4m3 NaN makes a row's results NaN for every token. Looking for it in the bytes is cheaper
// than minding it in every decoded register.
template <class Arch, WeightFormat F>
bool row_is_nan(const uint8_t* bytes, int64_t cols) {
  return F == WeightFormat::kFp8Block128 && !Arch::kShowsNan && Arch::has_nan_code(bytes, cols);
}

template <class Arch, WeightFormat F>
float result(float sum, bool is_nan) {
  return is_nan ? __builtin_nanf("") : sum * kUnit<Arch, F>;
}

// The results of one token for R rows. Inlined, so that the sums stay in registers.
template <class Arch, WeightFormat F, int R>
[[gnu::always_inline]] inline void results(const typename Arch::Acc* acc, const bool* is_nan,
                                           float* y) {
  float sums[R];
  for (int r = 0; r + 4 <= R; r += 4) {
    Arch::sum4(acc[r], acc[r + 1], acc[r + 2], acc[r + 3], sums + r);
  }
  for (int r = R / 4 * 4; r < R; ++r) sums[r] = Arch::sum(acc[r]);
  for (int r = 0; r < R; ++r) y[r] = result<Arch, F>(sums[r], is_nan[r]);
}

constexpr int64_t kLine = 64;     // bytes of a cache line
constexpr int64_t kAhead = 2048;  // bytes of a row that are asked for before they are needed

// For few tokens: R rows x T tokens, weights decoded in registers and used at once. Every loop over
// rows or tokens is unrolled and every call inlined, so that sums and weights are registers.
template <class Arch, WeightFormat F, int R, int T>
DSV4_FLATTEN void stream_rows(const RowKernelArgs& a, int64_t row) {
  using RowF = Row<Arch, F>;
  const auto* x = static_cast<const typename Arch::Element*>(a.x);
  RowF rows[R];
  typename Arch::Acc acc[T][R];
  bool is_nan[R];
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
    rows[r] = RowF(a.weight, row + r);
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) acc[t][r] = Arch::zero();
  }
  auto multiply = [&](int r, int64_t step, const typename Arch::Reg* w) {
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) {
      const auto* at = x + t * a.x_stride + step * kStepCols;
#pragma GCC unroll 4
      for (int i = 0; i < RowF::kRegs; ++i) {
        acc[t][r] = Arch::madd(w[i], Arch::load(at + i * Arch::kWidth), acc[t][r]);
      }
    }
  };
  const int64_t steps = a.weight.cols / kStepCols;
  const int64_t row_bytes = steps * step_bytes<F>();
  int64_t step = 0;
  for (; step + kGroupSteps <= steps; step += kGroupSteps) {
    // Each row is a stream of its own, too short for the processor to see it coming. Past its end
    // comes the one that is R rows on.
    const int64_t ahead = step * step_bytes<F>() + kAhead;
    const int64_t fetch = ahead < row_bytes ? ahead : ahead + (R - 1) * row_bytes;
    const typename RowF::Scaling shared = rows[0].scaling(step);
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      for (int64_t line = 0; line < kGroupSteps * step_bytes<F>(); line += kLine) {
        __builtin_prefetch(rows[r].bytes + fetch + line, 0, 3);
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < kGroupSteps; ++i) {
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) {
        typename Arch::Reg w[RowF::kRegs];
        const bool own = F == WeightFormat::kFp4Block32;
        rows[r].decode(step + i, own ? rows[r].scaling(step + i) : shared, w);
        multiply(r, step + i, w);
      }
    }
  }
  for (; step < steps; ++step) {
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      typename Arch::Reg w[RowF::kRegs];
      rows[r].decode(step, rows[r].scaling(step), w);
      multiply(r, step, w);
    }
  }
  const int64_t tail = a.weight.cols % kStepCols;
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
    if (tail != 0) {
      typename Arch::Reg w[RowF::kRegs];
      rows[r].decode_tail(steps, tail, w);
      multiply(r, steps, w);
    }
    is_nan[r] = row_is_nan<Arch, F>(rows[r].bytes, a.weight.cols);
  }
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) {
    results<Arch, F, R>(acc[t], is_nan, a.y + t * a.weight.rows + row);
  }
}

// As many rows at once as leave registers for the weights and keep enough sums going.
template <class Arch, WeightFormat F, int T>
void stream(const RowKernelArgs& a, int64_t begin, int64_t end) {
  constexpr int kRows = 4 * T <= Arch::kSums ? 4 : 2 * T <= Arch::kSums ? 2 : 1;
  int64_t row = begin;
  for (; row + kRows <= end; row += kRows) stream_rows<Arch, F, kRows, T>(a, row);
  for (; row < end; ++row) stream_rows<Arch, F, 1, T>(a, row);
}

// For many tokens: a block of rows decoded panel by panel, each used for up to kPanelTokens.
template <class Arch, WeightFormat F>
struct PanelProduct {
  using Element = typename Arch::Element;
  using Acc = typename Arch::Acc;
  static constexpr int kRegs = kStepCols / Arch::kWidth;

  alignas(64) Element panel[kRowBlock][kPanelCols];
  alignas(64) Acc sums[kPanelTokens][kRowBlock];
  bool is_nan[kRowBlock];

  // Decodes columns [col, col + width) of the rows; returns the width in whole steps.
  DSV4_FLATTEN int64_t decode(const WeightMatrix& w, int64_t row, int rows, int64_t col,
                              int64_t width) {
    const int64_t first = col / kStepCols;
    const int64_t full = width / kStepCols;
    const int64_t tail = width % kStepCols;
    for (int r = 0; r < rows; ++r) {
      const Row<Arch, F> source(w, row + r);
      is_nan[r] |= row_is_nan<Arch, F>(source.bytes + col, width);
      typename Arch::Reg regs[kRegs];
      auto keep = [&](int64_t step) {
        for (int i = 0; i < kRegs; ++i) {
          Arch::store(&panel[r][step * kStepCols + i * Arch::kWidth], regs[i]);
        }
      };
      for (int64_t group = 0; group < full; group += kGroupSteps) {
        const auto shared = source.scaling(first + group);
        for (int64_t step = group; step < full && step < group + kGroupSteps; ++step) {
          const bool own = F == WeightFormat::kFp4Block32;
          source.decode(first + step, own ? source.scaling(first + step) : shared, regs);
          keep(step);
        }
      }
      if (tail != 0) {
        source.decode_tail(first + full, tail, regs);
        keep(full);
      }
    }
    return (full + (tail != 0 ? 1 : 0)) * kStepCols;
  }

  // Adds kTileRows rows x T tokens of the panel to their sums.
  template <int T>
  void tile(int r0, int t0, const Element* x, int64_t x_stride, int64_t width) {
    Acc acc[kTileRows][T];
#pragma GCC unroll 4
    for (int r = 0; r < kTileRows; ++r) {
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) acc[r][t] = sums[t0 + t][r0 + r];
    }
    for (int64_t c = 0; c < width; c += Arch::kWidth) {
      typename Arch::Reg xs[T];
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) xs[t] = Arch::load(x + t * x_stride + c);
#pragma GCC unroll 4
      for (int r = 0; r < kTileRows; ++r) {
        const typename Arch::Reg w = Arch::load(&panel[r0 + r][c]);
#pragma GCC unroll 8
        for (int t = 0; t < T; ++t) acc[r][t] = Arch::madd(w, xs[t], acc[r][t]);
      }
    }
#pragma GCC unroll 4
    for (int r = 0; r < kTileRows; ++r) {
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) sums[t0 + t][r0 + r] = acc[r][t];
    }
  }

  template <int T>
  void tiles(const Element* x, int64_t x_stride, int rows, int t, int64_t width) {
    for (int r = 0; r < rows; r += kTileRows) tile<T>(r, t, x + t * x_stride, x_stride, width);
  }

  void multiply(const Element* x, int64_t x_stride, int rows, int tokens, int64_t width) {
    constexpr int kTokens = Arch::kTileTokens;
    int t = 0;
    for (; t + kTokens <= tokens; t += kTokens) tiles<kTokens>(x, x_stride, rows, t, width);
    for (; t + 2 <= tokens; t += 2) tiles<2>(x, x_stride, rows, t, width);
    if (t < tokens) tiles<1>(x, x_stride, rows, t, width);
  }

  // y[token .. token + tokens, row .. row + rows) of the product.
  void run(const RowKernelArgs& a, int64_t row, int rows, int64_t token, int tokens) {
    const int64_t cols = a.weight.cols;
    const auto* x = static_cast<const Element*>(a.x) + token * a.x_stride;
    // Rows that only fill up the last tile stay zero.
    if (rows % kTileRows != 0) std::memset(panel, 0, sizeof panel);
    for (bool& flag : is_nan) flag = false;
    for (int t = 0; t < tokens; ++t) {
      for (Acc& acc : sums[t]) acc = Arch::zero();
    }
    for (int64_t col = 0; col < cols; col += kPanelCols) {
      const int64_t left = cols - col;
      const int64_t width = decode(a.weight, row, rows, col, left < kPanelCols ? left : kPanelCols);
      multiply(x + col, a.x_stride, rows, tokens, width);
    }
    for (int t = 0; t < tokens; ++t) {
      float* y = a.y + (token + t) * a.weight.rows + row;
      if (rows == kRowBlock) {
        results<Arch, F, kRowBlock>(sums[t], is_nan, y);
        continue;
      }
      for (int r = 0; r < rows; ++r) y[r] = result<Arch, F>(Arch::sum(sums[t][r]), is_nan[r]);
    }
  }
};

template <class Arch, WeightFormat F>
void multiply_rows(const RowKernelArgs& a, int64_t begin, int64_t end) {
  switch (a.tokens) {
    case 0:
      return;
    case 1:
      return stream<Arch, F, 1>(a, begin, end);
    case 2:
      return stream<Arch, F, 2>(a, begin, end);
    case 3:
      return stream<Arch, F, 3>(a, begin, end);
    case 4:
      return stream<Arch, F, 4>(a, begin, end);
    case 5:
      return stream<Arch, F, 5>(a, begin, end);
    case 6:
      return stream<Arch, F, 6>(a, begin, end);
    case 7:
      return stream<Arch, F, 7>(a, begin, end);
    case 8:
      return stream<Arch, F, 8>(a, begin, end);
    default:
      break;
  }
  PanelProduct<Arch, F> product;
  for (int64_t token = 0; token < a.tokens; token += kPanelTokens) {
    const int64_t tokens = a.tokens - token;
    for (int64_t row = begin; row < end; row += kRowBlock) {
      const int64_t rows = end - row;
      product.run(a, row, static_cast<int>(rows < kRowBlock ? rows : kRowBlock), token,
                  static_cast<int>(tokens < kPanelTokens ? tokens : kPanelTokens));
    }
  }
}

// Activations are prepared in pieces of whole FP8 blocks, which fit the first-level cache.
constexpr int64_t kPieceCols = 1024;

template <class Arch, WeightFormat F>
void prepare_row(const float* x, int64_t cols, ActivationRounding rounding, void* to) {
  alignas(64) float piece[kPieceCols];
  auto* out = static_cast<typename Arch::Element*>(to);
  for (int64_t col = 0; col < cols; col += kPieceCols) {
    const int64_t width = cols - col < kPieceCols ? cols - col : kPieceCols;
    const int64_t padded = (width + kStepCols - 1) / kStepCols * kStepCols;
    if (rounding == ActivationRounding::kFp8Block128) {
      round_blocks(kE4m3, x + col, width, 128, piece);
    } else {
      std::memcpy(piece, x + col, static_cast<size_t>(width) * sizeof(float));
    }
    for (int64_t i = width; i < padded; ++i) piece[i] = 0;
    if (Arch::template kReorders<F>) {
      for (int64_t i = 0; i < padded; i += kStepCols) Arch::reorder(FormatTag<F>{}, piece + i);
    }
    Arch::convert(piece, padded, out + col);
  }
}

template <class Arch, WeightFormat F>
constexpr FormatKernels format_kernels() {
  return {multiply_rows<Arch, F>, prepare_row<Arch, F>,
          sizeof(typename Arch::Element) == sizeof(float) && !Arch::template kReorders<F>};
}

template <class Arch>
constexpr KernelTable kernel_table() {
  return {sizeof(typename Arch::Element),
          {format_kernels<Arch, WeightFormat::kF32>(), format_kernels<Arch, WeightFormat::kBf16>(),
           format_kernels<Arch, WeightFormat::kFp8Block128>(),
           format_kernels<Arch, WeightFormat::kFp4Block32>()}};
}

}  // namespace
}  // namespace dsv4::kernels
