#include "kernels/packed_rows/packed_rows_cuda.h"
#include "tests/kernels/cuda/chunk.h"

using namespace dsv4::kernels;

namespace {

// Of every format, with dims that its blocks do not divide as well.
const std::vector<RowLayout> kLayouts = {
    {RowFormat::kF32, 5, 0},       {RowFormat::kFp8F32, 70, 6},    {RowFormat::kFp8F32, 192, 64},
    {RowFormat::kFp8Bf16, 133, 4}, {RowFormat::kFp8Bf16, 512, 64}, {RowFormat::kFp4, 45, 0},
    {RowFormat::kFp4, 128, 0},     {RowFormat::kFp4, 32, 0}};

// Rows of many sizes, some of them damaged.
std::vector<float> some_rows(Random& random, int64_t rows, int64_t dim) {
  std::vector<float> x;
  for (int64_t r = 0; r < rows; ++r) {
    const int exponent = static_cast<int>(random.integer(-30, 20));
    for (int64_t c = 0; c < dim; ++c) x.push_back(std::ldexp(random.normal(), exponent));
  }
  for (const float damage : {NAN, -NAN, INFINITY, -INFINITY}) {
    x[static_cast<size_t>(random.integer(0, rows * dim - 1))] = damage;
  }
  return x;
}

void require_same(const std::vector<float>& got, const std::vector<float>& expected) {
  REQUIRE(got.size() == expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    INFO("at " << i << ": " << got[i] << " where the reference has " << expected[i]);
    REQUIRE((got[i] == expected[i] || (std::isnan(got[i]) && std::isnan(expected[i]))));
  }
}

}  // namespace

TEST_CASE("the card packs and unpacks the same bytes as the processor") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  for (const RowLayout& layout : kLayouts) {
    INFO("format " << static_cast<int>(layout.format) << ", dim " << layout.dim);
    const int64_t rows = 9;
    const int64_t bytes = layout.bytes();
    const std::vector<float> x = some_rows(random, rows, layout.dim);
    std::vector<uint8_t> expected(static_cast<size_t>(rows * bytes));
    std::vector<float> back = poisoned(rows * layout.dim);
    for (int64_t r = 0; r < rows; ++r) {
      pack_row(layout, x.data() + r * layout.dim, expected.data() + r * bytes);
      unpack_row_reference(layout, expected.data() + r * bytes, back.data() + r * layout.dim);
    }
    OnDevice device;
    cuda::PackRowsParams p;
    p.layout = layout;
    p.rows = rows;
    p.packed = device.put(std::vector<uint8_t>(expected.size(), 0x5a));
    cuda::pack_rows(device.stream(), device.put(x), p);
    REQUIRE(device.get(p.packed, rows * bytes) == expected);
    float* unpacked = device.poisoned_floats(rows * layout.dim);
    cuda::unpack_rows(device.stream(), p, unpacked);
    require_same(device.get(unpacked, rows * layout.dim), back);
  }
}

TEST_CASE("rows that the card stores in pages are where the processor puts them") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  for (const RowLayout& layout : kLayouts) {
    INFO("format " << static_cast<int>(layout.format) << ", dim " << layout.dim);
    const int64_t dim = layout.dim;
    const std::vector<float> x = some_rows(random, 7, dim);
    const std::vector<int64_t> at = {70, 3, 0, 64, 31, 32, 130};
    OnDevice device;
    TestPages pages(layout, 64);
    pages.add(device, normals(random, 20 * dim), 150);
    cuda::PackRowsParams p;
    p.layout = layout;
    p.rows = 7;
    p.pages = device.get(pages.view(device).pages, 1).front();
    p.rows_per_page = 64;
    p.at = device.put(at);
    cuda::pack_rows(device.stream(), device.put(x), p);
    std::vector<uint8_t> row(static_cast<size_t>(layout.bytes()));
    std::vector<float> back = poisoned(7 * dim);
    auto& expected = pages.pages(0);
    for (size_t r = 0; r < at.size(); ++r) {
      pack_row(layout, x.data() + static_cast<int64_t>(r) * dim, row.data());
      store_row(layout, row.data(), expected[static_cast<size_t>(at[r] / 64)].data(), at[r] % 64);
      unpack_row_reference(layout, row.data(), back.data() + static_cast<int64_t>(r) * dim);
    }
    REQUIRE(pages.read(device, 0) == expected);
    float* unpacked = device.poisoned_floats(7 * dim);
    cuda::unpack_rows(device.stream(), p, unpacked);
    require_same(device.get(unpacked, 7 * dim), back);
  }
}
