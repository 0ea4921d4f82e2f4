#include "kernels/attention/attention_rows_cuda.h"
#include "kernels/rms_norm/rms_norm.h"
#include "kernels/rounding/rounding.h"
#include "tests/kernels/cuda/chunk.h"

using namespace dsv4::kernels;

TEST_CASE("queries are normed head by head and turned in one launch") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  for (const auto& [heads, dim, rope_dim] : std::vector<std::tuple<int64_t, int64_t, int64_t>>{
           {1, 6, 2}, {5, 77, 10}, {3, 512, 64}, {9, 128, 64}, {2, 128, 6}}) {
    const int64_t tokens = random.integer(1, 5);
    std::vector<float> expected = normals(random, tokens * heads * dim, 4.0F);
    std::vector<int64_t> positions;
    for (int64_t t = 0; t < tokens; ++t) positions.push_back(random.integer(0, 100000));
    RopeTable table = rope_table(rope_frequencies({rope_dim, 10000.0}), positions);
    OnDevice device;
    float* q = device.put(expected);
    rms_norm_reference({expected.data(), tokens * heads, dim, nullptr, 1e-6F, expected.data()});
    rope_reference({expected.data(), tokens * heads, dim, rope_dim, heads, &table, false});
    cuda::finish_queries(
        device.stream(),
        {q, tokens, heads, dim, rope_dim, 1e-6F, {device.put(table.cos), device.put(table.sin)}});
    require_close(device.get(q, tokens * heads * dim), expected, 1e-5);
  }
}

namespace {

// Finished by the processor from numbers that survive another order of summation: rounding must not
// hang on the last bit.
std::vector<float> finish_on_processor(const RowLayout& layout, int64_t rope_dim,
                                       const std::vector<float>& weight, const RopeTable& table,
                                       std::vector<float> x, bool round) {
  const int64_t dim = layout.dim;
  const int64_t tokens = static_cast<int64_t>(x.size()) / dim;
  rms_norm_reference({x.data(), tokens, dim, weight.data(), 1e-6F, x.data()});
  rope_reference({x.data(), tokens, dim, rope_dim, 1, &table, false});
  std::vector<uint8_t> row(static_cast<size_t>(layout.bytes()));
  for (int64_t t = 0; t < tokens && round; ++t) {
    pack_row(layout, x.data() + t * dim, row.data());
    unpack_row_reference(layout, row.data(), x.data() + t * dim);
  }
  return x;
}

// Each number is one of the format's, no further from the exact one than another summation order
// can move it: to the next code at worst.
void require_rounded(const RowLayout& layout, const std::vector<float>& got,
                     const std::vector<float>& expected, const std::vector<float>& exact) {
  size_t differ = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    INFO("at " << i << ": " << got[i] << " where the reference has " << expected[i]);
    REQUIRE(std::isnan(got[i]) == std::isnan(expected[i]));
    if (std::isnan(got[i]) || got[i] == expected[i]) continue;
    if (std::fabs(got[i] - expected[i]) > 1e-5F * (1.0F + std::fabs(expected[i]))) ++differ;
    REQUIRE(std::fabs(got[i] - exact[i]) <= 0.07F * std::fabs(exact[i]) + 1e-3F);
  }
  REQUIRE(differ <= (layout.format == RowFormat::kF32 ? 0 : got.size() / 500 + 1));
}

}  // namespace

TEST_CASE("raw rows are normed, turned, rounded as they are stored and put into the ring") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  for (const RowLayout& layout :
       {RowLayout{RowFormat::kF32, 77, 0}, RowLayout{RowFormat::kFp8F32, 70, 6},
        RowLayout{RowFormat::kFp8Bf16, 200, 12}, RowLayout{RowFormat::kFp8Bf16, 512, 64}}) {
    const int64_t dim = layout.dim;
    const int64_t rope_dim = layout.rope == 0 ? 8 : layout.rope;
    const int64_t slots = 11;
    OnDevice device;
    const TestChunk chunk(device, {{1000, 3}, {8, 1}, {20, 5}}, 2);
    std::vector<float> x = normals(random, chunk.tokens() * dim, 2.0F);
    x[static_cast<size_t>(4 * dim + 1)] = NAN;
    const std::vector<float> weight = normals(random, dim);
    RopeTable table = rope_table(rope_frequencies({rope_dim, 10000.0}), chunk.positions());
    const auto expected = finish_on_processor(layout, rope_dim, weight, table, x, true);
    const auto exact = finish_on_processor(layout, rope_dim, weight, table, x, false);

    cuda::FinishRowsParams p;
    p.chunk = chunk.view();
    p.x = device.put(x);
    p.weight = device.put(weight);
    p.rope_dim = rope_dim;
    p.eps = 1e-6F;
    p.turns = {device.put(table.cos), device.put(table.sin)};
    p.layout = layout;
    std::vector<float*> rings;
    for (int s = 0; s < 3; ++s) rings.push_back(device.put(std::vector<float>(slots * dim, -7e7F)));
    p.ring = device.put(rings);
    p.slots = slots;
    cuda::finish_rows(device.stream(), p);
    std::vector<float> got = device.get(p.x, chunk.tokens() * dim);
    const std::vector<float> padding(got.end() - 2 * dim, got.end());
    REQUIRE(padding == std::vector<float>(x.end() - 2 * dim, x.end()));
    const auto rows = [&](const std::vector<float>& all) {
      return std::vector<float>(all.begin(), all.end() - 2 * dim);
    };
    require_rounded(layout, rows(got), rows(expected), rows(exact));

    cuda::StoreInRingParams later{p.chunk, p.x, dim, p.ring, 2};
    for (const bool in_ring_of_two : {false, true}) {
      if (in_ring_of_two) cuda::store_in_ring(device.stream(), later);
      for (int64_t s = 0; s < 3; ++s) {
        const auto ring = device.get(rings[static_cast<size_t>(s)], slots * dim);
        const TestStretch& stretch = chunk.stretch(s);
        const int64_t kept = in_ring_of_two ? 2 : slots;
        int64_t stored = 0;
        for (int64_t i = std::max<int64_t>(0, stretch.tokens - kept); i < stretch.tokens; ++i) {
          const float* row = got.data() + (chunk.begin(s) + i) * dim;
          const float* in_ring = ring.data() + (stretch.start + i) % kept * dim;
          ++stored;
          for (int64_t c = 0; c < dim; ++c) {
            REQUIRE((in_ring[c] == row[c] || std::isnan(row[c])));
            REQUIRE(std::isnan(in_ring[c]) == std::isnan(row[c]));
          }
        }
        if (!in_ring_of_two) {
          REQUIRE(std::count(ring.begin(), ring.end(), -7e7F) == (slots - stored) * dim);
        }
      }
    }
  }
}

TEST_CASE("all of a site's rows are finished in one launch as they are in one each") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  OnDevice device;
  const TestChunk chunk(device, {{1000, 3}, {8, 1}}, 1);
  const int64_t tokens = chunk.tokens();
  for (const int64_t dim : {40, 128, 512}) {
    for (const int64_t index_tokens : {int64_t{0}, tokens}) {
      const RowLayout layout{RowFormat::kFp8Bf16, dim, 8};
      const RopeTable table = rope_table(rope_frequencies({8, 10000.0}), chunk.positions());
      cuda::FinishSiteParams p;
      const cuda::RopeTurns turns{device.put(table.cos), device.put(table.sin)};
      p.queries = {nullptr, tokens, 5, dim, 8, 1e-6F, turns};
      p.rows = {chunk.view(), nullptr, device.put(normals(random, dim)), 8, 1e-6F, turns, layout};
      p.index = {nullptr, nullptr, index_tokens, 3, 64, 8, turns, true};
      const std::vector<float> inputs[4] = {
          normals(random, tokens * 5 * dim), normals(random, tokens * dim),
          normals(random, tokens * 3 * 64), normals(random, tokens * 3)};
      std::vector<float> outputs[2][4];
      for (const bool together : {false, true}) {
        float* on_device[4];
        for (size_t i = 0; i < 4; ++i) on_device[i] = device.put(inputs[i]);
        p.queries.q = on_device[0];
        p.rows.x = on_device[1];
        p.index.q = on_device[2];
        p.index.weights = on_device[3];
        if (together) {
          cuda::finish_site(device.stream(), p);
        } else {
          cuda::finish_queries(device.stream(), p.queries);
          cuda::finish_rows(device.stream(), p.rows);
          cuda::finish_index(device.stream(), p.index);
        }
        for (size_t i = 0; i < 4; ++i) {
          outputs[together ? 1 : 0][i] = device.get(on_device[i], std::ssize(inputs[i]));
        }
      }
      for (size_t i = 0; i < 4; ++i) {
        REQUIRE(outputs[0][i] == outputs[1][i]);
        REQUIRE((outputs[0][i] == inputs[i]) == (i >= 2 && index_tokens == 0));
      }
    }
  }
}
