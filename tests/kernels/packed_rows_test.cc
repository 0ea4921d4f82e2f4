// How rows of the cache are stored.
#include "kernels/packed_rows/packed_rows.h"

#include <cmath>

#include "kernels/rounding/rounding.h"
#include "tests/kernels/compare.h"
#include "tests/kernels/packed_pages.h"

using namespace dsv4::kernels;

namespace {

std::vector<uint8_t> packed(const RowLayout& layout, const std::vector<float>& x) {
  std::vector<uint8_t> row(static_cast<size_t>(layout.bytes()), 0xa5);
  pack_row(layout, x.data(), row.data());
  return row;
}

}  // namespace

TEST_CASE("a row takes the room that the model defines") {
  REQUIRE(RowLayout{RowFormat::kFp8Bf16, 512, 64}.bytes() == 448 + 7 + 128);
  REQUIRE(RowLayout{RowFormat::kFp8F32, 512, 64}.bytes() == 448 + 7 + 256);
  REQUIRE(RowLayout{RowFormat::kFp4, 128, 0}.bytes() == 64 + 4);
  REQUIRE(RowLayout{RowFormat::kF32, 512, 64}.bytes() == 2048);
}

TEST_CASE("a packed row stands for what rounding makes of it") {
  Random random;
  INFO("seed " << random.seed());
  for (const int64_t dim : {5, 24, 64, 72, 128, 512}) {
    for (const float size : {1e-6F, 1.0F, 1e20F}) {
      const std::vector<float> x = normals(random, dim, size);
      const int64_t rope = dim / 8;
      std::vector<float> fp8 = x;
      round_fp8_blocks(fp8.data(), dim - rope, 64);
      const std::vector<float> exact = fp8;
      for (int64_t i = dim - rope; i < dim; ++i) {
        float& v = fp8[static_cast<size_t>(i)];
        v = decode_bf16(encode_bf16(v));
      }
      std::vector<float> fp4 = x;
      round_fp4_blocks(fp4.data(), dim, 32);
      const std::pair<RowLayout, std::vector<float>> cases[] = {
          {{RowFormat::kF32, dim, rope}, x},
          {{RowFormat::kFp8F32, dim, rope}, exact},
          {{RowFormat::kFp8Bf16, dim, rope}, fp8},
          {{RowFormat::kFp4, dim, 0}, fp4}};
      for (const auto& [layout, expected] : cases) {
        INFO("dim " << dim << " size " << size);
        const std::vector<uint8_t> row = packed(layout, x);
        std::vector<float> got = poisoned(dim);
        unpack_row_reference(layout, row.data(), got.data());
        REQUIRE(got == expected);
        std::vector<float> again = poisoned(dim);
        unpack_row_reference(layout, packed(layout, got).data(), again.data());
        REQUIRE(again == expected);
        for (const Isa isa : isas()) {
          got = poisoned(dim);
          unpack_row(isa, layout, row.data(), got.data());
          REQUIRE(got == expected);
        }
      }
    }
  }
}

TEST_CASE("a row that was stored in a page is found there, and its neighbours with it") {
  Random random;
  INFO("seed " << random.seed());
  for (const RowLayout& layout :
       {RowLayout{RowFormat::kFp4, 128, 0}, RowLayout{RowFormat::kFp4, 32, 0},
        RowLayout{RowFormat::kFp4, 24, 0}, RowLayout{RowFormat::kFp8Bf16, 128, 64}}) {
    const auto size = static_cast<size_t>(layout.bytes());
    constexpr int64_t kRows = 96;
    std::vector<std::vector<uint8_t>> rows;
    for (int64_t i = 0; i < kRows; ++i) rows.push_back(packed(layout, normals(random, layout.dim)));
    // In two halves: what comes later leaves what was there as it is.
    std::vector<uint8_t> page(size * kRows);
    for (const int64_t begin : {0, 45}) {
      const int64_t end = begin == 0 ? 45 : kRows;
      for (int64_t i = begin; i < end; ++i) {
        store_row(layout, rows[static_cast<size_t>(i)].data(), page.data(), i);
      }
      for (int64_t i = 0; i < end; ++i) {
        std::vector<uint8_t> row(size, 0xa5);
        load_row(layout, page.data(), i, row.data());
        REQUIRE(row == rows[static_cast<size_t>(i)]);
      }
    }
  }
}

TEST_CASE("rows are found in their pages, in a row or by number") {
  Random random;
  INFO("seed " << random.seed());
  const RowLayout layout{RowFormat::kFp8Bf16, 128, 64};
  const PackedPages pages(layout, normals(random, 30 * 128), 7);
  const PagedRows view = pages.view();
  const int32_t at[] = {29, 0, 6, 7, 21, 6};
  const uint8_t* found[20];
  view.rows_at(at, 6, found);
  for (size_t i = 0; i < 6; ++i) REQUIRE(found[i] == view.row(at[i]));
  view.rows(5, 20, found);
  for (int64_t i = 0; i < 20; ++i) REQUIRE(found[i] == view.row(5 + i));
  for (const Isa isa : isas()) {
    std::vector<float> together = poisoned(20 * 128);
    unpack_rows(isa, layout, found, 20, together.data());
    for (int64_t i = 0; i < 20; ++i) {
      std::vector<float> one = poisoned(128);
      unpack_row_reference(layout, found[i], one.data());
      REQUIRE(std::equal(one.begin(), one.end(), together.begin() + i * 128));
    }
  }
}

TEST_CASE("a fault in a block of a row shows") {
  for (const RowFormat format : {RowFormat::kFp8Bf16, RowFormat::kFp4}) {
    const RowLayout layout{format, 128, 0};
    std::vector<float> x(128, 1.0F);
    x[100] = INFINITY;
    const std::vector<uint8_t> row = packed(layout, x);
    for (const Isa isa : isas()) {
      std::vector<float> got = poisoned(128);
      unpack_row(isa, layout, row.data(), got.data());
      REQUIRE(got[0] == 1.0F);
      REQUIRE(std::isnan(got[100]));
      REQUIRE(std::isnan(got[127]));
    }
  }
}

TEST_CASE("bf16 rounds to the nearest number, ties to even") {
  REQUIRE(decode_bf16(encode_bf16(1.0F + 0x1p-8F)) == 1.0F);
  REQUIRE(decode_bf16(encode_bf16(1.0F + 0x1p-8F + 0x1p-20F)) == 1.0F + 0x1p-7F);
  REQUIRE(decode_bf16(encode_bf16(1.0F + 3 * 0x1p-8F)) == 1.0F + 0x1p-6F);
  REQUIRE(decode_bf16(encode_bf16(-2.5F)) == -2.5F);
  REQUIRE(std::isnan(decode_bf16(encode_bf16(NAN))));
  REQUIRE(std::isinf(decode_bf16(encode_bf16(INFINITY))));
}
