#include "kernels/indexer/indexer.h"

#include "kernels/indexer/hadamard.h"
#include "kernels/indexer/indexer_cuda.h"
#include "kernels/rounding/rounding.h"
#include "tests/kernels/cuda/chunk.h"
#include "tests/kernels/packed_pages.h"

using namespace dsv4::kernels;

TEST_CASE("the indexer's queries are turned, transformed and rounded in one launch") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  const int64_t tokens = 3;
  for (const auto& [heads, dim, rope_dim] :
       std::vector<std::tuple<int64_t, int64_t, int64_t>>{{1, 16, 4}, {5, 64, 20}, {4, 128, 64}}) {
    const int64_t n = tokens * heads * dim;
    const std::vector<float> q = normals(random, n);
    const std::vector<float> weights = normals(random, tokens * heads);
    const RopeTable table = rope_table(rope_frequencies({rope_dim, 10000.0}), {5, 70, 100000});
    for (const bool rounds : {false, true}) {
      std::vector<float> expected = q;
      rope_reference({expected.data(), tokens * heads, dim, rope_dim, heads, &table, false});
      if (rounds) hadamard_reference(expected.data(), tokens * heads, dim);
      const std::vector<float> exact = expected;
      for (int64_t r = 0; r < tokens * heads && rounds; ++r) {
        round_fp4_blocks(expected.data() + r * dim, dim, 32);
      }
      OnDevice device;
      float* got = device.put(q);
      float* scaled = device.put(weights);
      cuda::finish_index(device.stream(), {got,
                                           scaled,
                                           tokens,
                                           heads,
                                           dim,
                                           rope_dim,
                                           {device.put(table.cos), device.put(table.sin)},
                                           rounds});
      std::vector<float> expected_weights = weights;
      for (float& w : expected_weights) w /= std::sqrt(static_cast<float>(dim * heads));
      require_close(device.get(scaled, tokens * heads), expected_weights, 1e-6);
      const std::vector<float> out = device.get(got, n);
      int64_t differ = 0;
      for (size_t i = 0; i < out.size(); ++i) {
        INFO("at " << i << ": " << out[i] << " where the reference has " << expected[i]);
        if (std::fabs(out[i] - expected[i]) <= 1e-5F * (1.0F + std::fabs(expected[i]))) continue;
        REQUIRE(rounds);  // a number halfway between two codes: the other one
        ++differ;
        REQUIRE(std::fabs(out[i] - exact[i]) <= 1.001F * std::fabs(expected[i] - exact[i]) + 1e-5F);
      }
      REQUIRE(differ <= n / 100 + 1);
    }
  }
}

namespace {

struct Shape {
  RowFormat format = RowFormat::kF32;
  int64_t heads = 0;
  int64_t dim = 0;
  int64_t topk = 0;
  int64_t tokens_at_once = 0;
  int64_t spread = 0;  // of the sizes of blocks, in powers of two
};

// Numbers small enough that every sum is exact, whatever its order: equal scores are equal
// everywhere, and there are many of them. FP4 holds them, in blocks of 32 of different scales, some
// of zeros.
std::vector<float> small_integers(Random& random, int64_t n, int64_t spread) {
  std::vector<float> x;
  while (std::ssize(x) < n) {
    const auto exponent = static_cast<int>(random.integer(0, spread));
    const int64_t most = random.integer(0, 7) == 0 ? 0 : 3;
    for (int i = 0; i < 32 && std::ssize(x) < n; ++i) {
      x.push_back(std::ldexp(static_cast<float>(random.integer(-most, most)), exponent));
    }
  }
  return x;
}

// The processor's choice and the card's.
void require_same_selection(Random& random, const Shape& shape,
                            const std::vector<TestStretch>& stretches) {
  constexpr int64_t kRatio = 4;
  OnDevice device;
  const TestChunk chunk(device, stretches, 1);
  const int64_t tokens = chunk.tokens();
  const RowLayout layout{shape.format, shape.dim, 0};
  const auto q = small_integers(random, tokens * shape.heads * shape.dim, shape.spread);
  std::vector<float> weights;
  for (int64_t i = 0; i < tokens * shape.heads; ++i) {
    weights.push_back(static_cast<float>(random.integer(-2, 4)) / 4);
  }
  TestPages pages(layout, 64);
  std::vector<int32_t> expected(static_cast<size_t>(tokens * shape.topk), -1);
  std::vector<int32_t> counts(static_cast<size_t>(tokens), 0);
  int64_t most = 0;
  for (int64_t s = 0; s < chunk.sequences(); ++s) {
    const TestStretch& stretch = chunk.stretch(s);
    const int64_t entries = stretch.end() / kRatio;
    most = std::max(most, entries);
    const auto keys = small_integers(random, (entries + 1) * shape.dim, shape.spread);
    pages.add(device, keys);
    const PackedPages on_processor(layout, keys, 64);
    std::vector<int64_t> visible, count(static_cast<size_t>(stretch.tokens));
    for (int64_t i = 0; i < stretch.tokens; ++i) {
      visible.push_back((stretch.start + i + 1) / kRatio);
    }
    const int64_t first = chunk.begin(s);
    select_entries_reference({q.data() + first * shape.heads * shape.dim,
                              weights.data() + first * shape.heads, stretch.tokens, shape.heads,
                              shape.dim, on_processor.view(), visible.data(), shape.topk,
                              expected.data() + first * shape.topk, count.data()});
    for (int64_t i = 0; i < stretch.tokens; ++i) {
      counts[static_cast<size_t>(first + i)] = static_cast<int32_t>(count[static_cast<size_t>(i)]);
    }
  }
  cuda::SelectParams p;
  p.chunk = chunk.view();
  p.q = device.put(q);
  p.weights = device.put(weights);
  p.heads = shape.heads;
  p.dim = shape.dim;
  p.keys = pages.view(device);
  p.ratio = kRatio;
  p.topk = shape.topk;
  p.selected = device.put(std::vector<int32_t>(expected.size(), -1));
  p.count = device.put(std::vector<int32_t>(counts.size(), -1));
  p.most_entries = most;
  p.scratch_bytes = cuda::select_scratch_bytes(shape.tokens_at_once, most, shape.topk);
  p.scratch = device.poisoned_floats(p.scratch_bytes / 4);
  cuda::select_entries(device.stream(), p);
  REQUIRE(device.get(p.count, tokens) == counts);
  REQUIRE(device.get(p.selected, tokens * shape.topk) == expected);
}

}  // namespace

TEST_CASE("the card chooses the entries that the reference does, the first among equals") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  const std::vector<Shape> shapes = {
      {RowFormat::kF32, 3, 5, 4, 100, 0},   {RowFormat::kFp4, 4, 16, 7, 2, 0},
      {RowFormat::kFp4, 5, 64, 9, 5, 1},    {RowFormat::kFp4, 70, 128, 3, 100, 1},
      {RowFormat::kFp4, 8, 128, 33, 3, 2},  {RowFormat::kFp4, 64, 128, 5, 1, 3},
      {RowFormat::kFp4, 9, 128, 5, 100, 4}, {RowFormat::kFp4, 3, 64, 5, 100, 4}};
  for (const Shape& shape : shapes) {
    INFO("dim " << shape.dim << ", topk " << shape.topk << ", spread " << shape.spread);
    require_same_selection(random, shape, {{0, 9}, {500, 3}, {123, 2}});
    require_same_selection(random, shape, {{1200, 1}});
  }
}

TEST_CASE("many tokens of several sequences choose from the keys that they share") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  for (const int64_t spread : {2, 4}) {
    const Shape shape{RowFormat::kFp4, 6, 128, 11, 17, spread};
    require_same_selection(random, shape, {{700, 11}, {2000, 1}, {30, 13}, {900, 9}});
  }
}

TEST_CASE("one token chooses from a long context, all of whose scores may be equal") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  require_same_selection(random, {RowFormat::kFp4, 1, 128, 500, 1, 0}, {{4 * 20000, 1}});
  require_same_selection(random, {RowFormat::kF32, 1, 1, 100, 1, 0}, {{4 * 20000, 1}});
}

TEST_CASE("of real numbers no entry is passed over for one that is clearly worse") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  constexpr int64_t kHeads = 64, kDim = 128, kEntries = 700, kTopk = 60;
  const int64_t tokens = GENERATE(1, 17);
  OnDevice device;
  const TestChunk chunk(device, {{4 * kEntries - tokens, tokens}});
  std::vector<float> q = normals(random, tokens * kHeads * kDim);
  round_fp4_blocks(q.data(), tokens * kHeads * kDim, 32);
  const std::vector<float> weights = normals(random, tokens * kHeads, 0.01F);
  const std::vector<float> keys = normals(random, kEntries * kDim);
  TestPages pages({RowFormat::kFp4, kDim, 0}, 128);
  pages.add(device, keys);
  cuda::SelectParams p;
  p.chunk = chunk.view();
  p.q = device.put(q);
  p.weights = device.put(weights);
  p.heads = kHeads;
  p.dim = kDim;
  p.keys = pages.view(device);
  p.ratio = 4;
  p.topk = kTopk;
  p.selected = device.put(std::vector<int32_t>(static_cast<size_t>(tokens * kTopk), -1));
  p.count = device.put(std::vector<int32_t>(static_cast<size_t>(tokens), -1));
  p.most_entries = kEntries;
  p.scratch_bytes = cuda::select_scratch_bytes(tokens, kEntries, kTopk);
  p.scratch = device.poisoned_floats(p.scratch_bytes / 4);
  cuda::select_entries(device.stream(), p);
  REQUIRE(device.get(p.count, tokens) == std::vector<int32_t>(static_cast<size_t>(tokens), kTopk));
  const auto selected = device.get(p.selected, tokens * kTopk);

  std::vector<float> rounded = keys;
  round_fp4_blocks(rounded.data(), kEntries * kDim, 32);
  for (int64_t t = 0; t < tokens; ++t) {
    std::vector<double> scores;
    for (int64_t b = 0; b < (4 * kEntries - tokens + t + 1) / 4; ++b) {
      double sum = 0;
      for (int64_t h = 0; h < kHeads; ++h) {
        double dot = 0;
        for (int64_t i = 0; i < kDim; ++i) {
          dot += double{q[static_cast<size_t>((t * kHeads + h) * kDim + i)]} *
                 rounded[static_cast<size_t>(b * kDim + i)];
        }
        sum += weights[static_cast<size_t>(t * kHeads + h)] * std::max(dot, 0.0);
      }
      scores.push_back(sum);
    }
    std::vector<bool> chosen(scores.size(), false);
    double worst = 1e30;
    for (int64_t i = t * kTopk; i < (t + 1) * kTopk; ++i) {
      const auto entry = static_cast<size_t>(selected[static_cast<size_t>(i)]);
      REQUIRE((i == t * kTopk ||
               selected[static_cast<size_t>(i)] > selected[static_cast<size_t>(i - 1)]));
      chosen.at(entry) = true;
      worst = std::min(worst, scores[entry]);
    }
    for (size_t b = 0; b < scores.size(); ++b) REQUIRE((chosen[b] || scores[b] <= worst + 1e-4));
  }
}

TEST_CASE("keys and queries that are damaged are never chosen") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  OnDevice device;
  const TestChunk chunk(device, {{99, 1}, {99, 1}});
  const auto dim = static_cast<size_t>(GENERATE(32, 128));
  std::vector<float> q(2 * dim, 1.0F);
  q[dim + 8] = NAN;
  std::vector<float> keys(25 * dim, 1.0F);
  for (const size_t damaged : {3, 11, 24}) keys[damaged * dim + 7] = NAN;
  TestPages pages({RowFormat::kFp4, static_cast<int64_t>(dim), 0}, 32);
  pages.add(device, keys);
  pages.add(device, keys);
  cuda::SelectParams p;
  p.chunk = chunk.view();
  p.q = device.put(q);
  p.weights = device.put(std::vector<float>{1.0F, 1.0F});
  p.heads = 1;
  p.dim = static_cast<int64_t>(dim);
  p.keys = pages.view(device);
  p.ratio = 4;
  p.topk = 24;
  p.selected = device.put(std::vector<int32_t>(48, -1));
  p.count = device.put(std::vector<int32_t>(2, -1));
  p.most_entries = 25;
  p.scratch_bytes = cuda::select_scratch_bytes(2, 25, 24);
  p.scratch = device.poisoned_floats(p.scratch_bytes / 4);
  cuda::select_entries(device.stream(), p);
  REQUIRE(device.get(p.count, 2) == std::vector<int32_t>{22, 0});
  std::vector<int32_t> expected;
  for (int32_t i = 0; i < 25; ++i) {
    if (i != 3 && i != 11 && i != 24) expected.push_back(i);
  }
  REQUIRE(device.get(p.selected, 22) == expected);
}
