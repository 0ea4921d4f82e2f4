#include "kernels/cuda/launch.h"
#include "kernels/packed_rows/packed_rows_cuda.h"
#include "kernels/packed_rows/packed_rows_lanes.h"

namespace dsv4::kernels::cuda {
namespace {

constexpr int kWarps = 4;

struct Rows {
  PackedShape shape;
  PackRowsParams p;

  // Where row r is: *i is its place in the page.
  DSV4_LANE uint8_t* page_of(int64_t r, int64_t* i) const {
    if (p.pages == nullptr) {
      *i = 0;
      return p.packed + r * shape.bytes;
    }
    const int64_t at = p.at == nullptr ? r : p.at[r];
    *i = at % p.rows_per_page;
    return p.pages[at / p.rows_per_page];
  }
};

// A warp for each row.
struct PackKernel {
  struct Params {
    Rows rows;
    const float* x;
  };
  static constexpr const char* kName = "pack_rows";
  static constexpr int kThreads = kWarps * kWarp;

  static DSV4_LANE void run(const Params& p) {
    const int64_t r = int64_t{block_x()} * kWarps + warp();
    if (r >= p.rows.p.rows) return;
    int64_t i = 0;
    uint8_t* page = p.rows.page_of(r, &i);
    pack_row(p.rows.shape, p.x + r * p.rows.shape.dim, page, i, 0, 1);
  }
};

struct UnpackKernel {
  struct Params {
    Rows rows;
    float* x;
  };
  static constexpr const char* kName = "unpack_rows";
  static constexpr int kThreads = kWarps * kWarp;

  static DSV4_LANE void run(const Params& p) {
    const int64_t r = int64_t{block_x()} * kWarps + warp();
    if (r >= p.rows.p.rows) return;
    int64_t i = 0;
    const uint8_t* page = p.rows.page_of(r, &i);
    const int dim = p.rows.shape.dim;
    for (int c = lane(); c < dim; c += kWarp) {
      p.x[r * dim + c] = packed_value(p.rows.shape, page, i, c);
    }
  }
};

// Dense rows lie one after the other, each a page of its own.
PackedShape shape_of(const PackRowsParams& p) {
  PackedShape shape = packed_shape(p.layout);
  if (p.pages == nullptr) shape.group = 1;
  return shape;
}

Grid grid_of(const PackRowsParams& p) {
  return {(p.rows + kWarps - 1) / kWarps, 1, kWarps * kWarp};
}

}  // namespace

void pack_rows(Stream& stream, const float* x, const PackRowsParams& to) {
  launch<PackKernel>(stream, grid_of(to), {{shape_of(to), to}, x});
}

void unpack_rows(Stream& stream, const PackRowsParams& from, float* x) {
  launch<UnpackKernel>(stream, grid_of(from), {{shape_of(from), from}, x});
}

}  // namespace dsv4::kernels::cuda
