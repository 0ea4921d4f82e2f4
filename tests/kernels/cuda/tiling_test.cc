#include "kernels/matmul/tiling.h"

#include <stdexcept>
#include <utility>

#include "tests/catch.h"

using namespace dsv4::kernels::cuda;

TEST_CASE("a decoded token's products occupy a large card and fit any card's shared memory") {
  // V4-Flash's and V4-Pro's matrices: rows, columns.
  const int64_t shapes[][2] = {{1024, 4096}, {32768, 1024}, {512, 4096},    {1024, 4096},
                               {4096, 8192}, {2048, 4096},  {4096, 2048},   {256, 4096},
                               {7168, 3072}, {7168, 16384}, {129280, 4096}, {65536, 1536}};
  for (const auto& [rows, cols] : shapes) {
    for (const int64_t tokens : {1, 8}) {
      INFO("rows " << rows << " cols " << cols << " tokens " << tokens);
      const Tiling tiling = few_tokens_tiling(tokens, rows, cols);
      CHECK(kFewTokensWarps % tiling.splits == 0);
      const int64_t groups = kFewTokensWarps / tiling.splits;
      CHECK(tiling.blocks * groups * 16 >= rows);
      CHECK((tiling.blocks - 1) * groups * 16 < rows);
      CHECK(tiling.token_tiles == 1);
      CHECK(tiling.shared_bytes <= 99 << 10);
      // Warps with something to do: enough, or as many as this way of cutting gives.
      const bool enough = rows / 16 * tiling.splits >= 132 * 16;
      CHECK((enough || tiling.splits == kFewTokensWarps));
    }
  }
}

TEST_CASE("matrices that are multiplied together leave each warp more to do") {
  // One token's experts of V4-Flash: w1 and w3 of seven.
  CHECK(few_tokens_tiling(1, 2048, 4096).splits == kFewTokensWarps);
  CHECK(few_tokens_tiling(1, 2048, 4096, 14).splits == 2);
}

TEST_CASE("tokens go by the hundred where that is worth it") {
  using dsv4::kernels::WeightFormat;
  const auto many = [](int64_t tokens, WeightFormat format, int64_t rows, int64_t cols) {
    return many_tokens(tokens, {format, nullptr, nullptr, rows, cols},
                       format == WeightFormat::kBf16);
  };
  for (const auto& [rows, cols] : {std::pair{1024, 4096}, {32768, 1024}, {4096, 8192}}) {
    INFO("rows " << rows << " cols " << cols);
    for (const int64_t tokens : {1, 8}) {
      CHECK(!many(tokens, WeightFormat::kFp8Block128, rows, cols));
      CHECK(!many(tokens, WeightFormat::kBf16, rows, cols));
    }
    CHECK(many(2048, WeightFormat::kFp8Block128, rows, cols));
    CHECK(many(2048, WeightFormat::kBf16, rows, cols));
  }
  // Eight tiles of rows would leave most of the card idle.
  CHECK(!many(64, WeightFormat::kFp8Block128, 1024, 4096));
  CHECK(many(64, WeightFormat::kFp8Block128, 32768, 1024));
  // The head reads a gigabyte.
  CHECK(!many(8, WeightFormat::kBf16, 129280, 4096));
}

TEST_CASE("no matrix is too small to be cut up, and one that is too wide is refused") {
  for (const int64_t rows : {1, 15, 16, 17}) {
    for (const int64_t cols : {1, 127, 128, 129}) {
      const Tiling tiling = few_tokens_tiling(1, rows, cols);
      CHECK(tiling.blocks >= 1);
      CHECK(tiling.splits <= (cols + 127) / 128);
    }
  }
  CHECK(few_tokens_tiling(9, 16, 128).token_tiles == 2);
  CHECK_THROWS_AS(few_tokens_tiling(1, 16, 1 << 21), std::invalid_argument);
}
