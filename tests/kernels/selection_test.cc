// What is chosen: the indexer's entries and the router's experts.
#include <algorithm>

#include "kernels/indexer/hadamard.h"
#include "kernels/indexer/indexer.h"
#include "kernels/moe/routing.h"
#include "kernels/rounding/rounding.h"
#include "tests/kernels/compare.h"
#include "tests/kernels/packed_pages.h"

using namespace dsv4::kernels;

TEST_CASE("the Hadamard transform equals its definition and undoes itself") {
  Random random;
  INFO("seed " << random.seed());
  for (const int64_t dim : {1, 2, 32, 128}) {
    const std::vector<float> x = normals(random, 3 * dim);
    std::vector<float> expected = x;
    hadamard_reference(expected.data(), 3, dim);
    std::vector<float> got = x;
    hadamard(got.data(), 3, dim);
    require_close(got, expected, 1e-5);
    hadamard(got.data(), 3, dim);
    require_close(got, x, 1e-5);
  }
}

TEST_CASE("the indexer chooses what its reference does, and never beyond what is visible") {
  Random random;
  INFO("seed " << random.seed());
  ThreadPool pool(3);
  for (const RowFormat format : {RowFormat::kF32, RowFormat::kF32, RowFormat::kFp4}) {
    const int64_t dim = format == RowFormat::kFp4 ? 64 : random.integer(1, 4) * 4;
    const int64_t tokens = 30;
    const int64_t heads = 5;
    const int64_t topk = 7;
    INFO("dim " << dim);
    std::vector<float> q = normals(random, tokens * heads * dim);
    if (format == RowFormat::kFp4) round_fp4_blocks(q.data(), tokens * heads * dim, 32);
    const std::vector<float> w = normals(random, tokens * heads);
    const PackedPages keys({format, dim, 0}, normals(random, 100 * dim));
    std::vector<int64_t> visible;
    for (int64_t t = 0; t < tokens; ++t) visible.push_back(t * 3);
    const auto run = [&](auto compute) {
      std::vector<int32_t> selected(static_cast<size_t>(tokens * topk), -1);
      std::vector<int64_t> count(static_cast<size_t>(tokens), -1);
      compute(IndexerParams{q.data(), w.data(), tokens, heads, dim, keys.view(), visible.data(),
                            topk, selected.data(), count.data()});
      for (int64_t t = 0; t < tokens; ++t) {
        const auto i = static_cast<size_t>(t);
        REQUIRE(count[i] == std::min(visible[i], topk));
        const auto begin = selected.begin() + t * topk;
        REQUIRE(std::is_sorted(begin, begin + count[i]));
        REQUIRE(std::all_of(begin, begin + count[i], [&](int32_t b) { return b < visible[i]; }));
      }
      return selected;
    };
    const std::vector<int32_t> expected = run(select_entries_reference);
    for (const Isa isa : isas()) {
      REQUIRE(run([&](const IndexerParams& p) { select_entries(pool, isa, p); }) == expected);
    }
  }
}

TEST_CASE("one token searches a long context with every thread and finds the same") {
  Random random;
  INFO("seed " << random.seed());
  const int64_t dim = 32;
  const int64_t visible = 5000;
  std::vector<float> q = normals(random, 2 * dim);
  round_fp4_blocks(q.data(), 2 * dim, 32);
  const std::vector<float> w = {1.0F, 0.5F};
  const PackedPages keys({RowFormat::kFp4, dim, 0}, normals(random, visible * dim), 128);
  for (const int64_t topk : {1, 100, 4999}) {
    std::vector<int32_t> expected(static_cast<size_t>(topk), -1);
    int64_t count = 0;
    IndexerParams p{q.data(), w.data(),        1,     2, dim, keys.view(), &visible,
                    topk,     expected.data(), &count};
    select_entries_reference(p);
    REQUIRE(count == topk);
    for (const int threads : {1, 2, 5}) {
      ThreadPool pool(threads);
      std::vector<int32_t> selected(static_cast<size_t>(topk), -1);
      p.selected = selected.data();
      select_entries(pool, detect_isa(), p);
      REQUIRE(selected == expected);
    }
  }
}

TEST_CASE("a marker at any of ten depths of a million tokens is what its query finds") {
  Random random;
  INFO("seed " << random.seed());
  constexpr int64_t kTokens = 1 << 20;
  constexpr int64_t kEntries = kTokens / 4;  // CSA: one for each four tokens
  constexpr int64_t kDepths = 10;
  constexpr int64_t kHeads = 4;
  constexpr int64_t kDim = 128;
  std::vector<float> keys = normals(random, kEntries * kDim);
  std::vector<float> q(static_cast<size_t>(kDepths * kHeads * kDim));
  std::vector<int32_t> planted;
  for (int64_t d = 0; d < kDepths; ++d) {
    // From the first entry to the last. Each marker's query is its key, in every head.
    planted.push_back(static_cast<int32_t>(d * (kEntries - 1) / (kDepths - 1)));
    const float* key = keys.data() + planted.back() * kDim;
    for (int64_t h = 0; h < kHeads; ++h) {
      std::copy_n(key, kDim, q.data() + (d * kHeads + h) * kDim);
    }
  }
  round_fp4_blocks(q.data(), std::ssize(q), 32);
  const std::vector<float> weights(static_cast<size_t>(kDepths * kHeads), 1.0F);
  const PackedPages packed({RowFormat::kFp4, kDim, 0}, keys, 128);
  const std::vector<int64_t> visible(static_cast<size_t>(kDepths), kEntries);
  ThreadPool pool(2);
  for (const Isa isa : isas()) {
    for (const int64_t topk : {1, 512}) {
      std::vector<int32_t> selected(static_cast<size_t>(kDepths * topk), -1);
      std::vector<int64_t> count(static_cast<size_t>(kDepths), -1);
      select_entries(pool, isa,
                     {q.data(), weights.data(), kDepths, kHeads, kDim, packed.view(),
                      visible.data(), topk, selected.data(), count.data()});
      for (int64_t d = 0; d < kDepths; ++d) {
        INFO("depth " << planted[static_cast<size_t>(d)] << " topk " << topk);
        const auto begin = selected.begin() + d * topk;
        REQUIRE(count[static_cast<size_t>(d)] == topk);
        REQUIRE(std::binary_search(begin, begin + topk, planted[static_cast<size_t>(d)]));
      }
    }
  }
}

TEST_CASE("FP4 keys of any size are scored as their numbers say") {
  Random random;
  INFO("seed " << random.seed());
  ThreadPool pool(2);
  // Keys are unpacked for many queries, and scored where they lie for few.
  for (const auto& [dim, heads] : std::vector<std::pair<int64_t, int64_t>>{
           {32, 3}, {64, 3}, {96, 3}, {128, 1}, {128, 2}, {128, 3}, {128, 4}, {128, 5}}) {
    INFO("dim " << dim << ", heads " << heads);
    const int64_t entries = 90;
    const int64_t topk = 11;
    // Blocks of very different sizes, blocks of zeros, and now and then a fault.
    const auto uneven = [&](int64_t rows) {
      std::vector<float> x = normals(random, rows * dim);
      for (int64_t i = 0; i < rows * dim; i += 32) {
        const int64_t kind = random.integer(0, 5);
        const float factor = kind == 0 ? 0.0F : kind == 1 ? 0.01F : kind == 2 ? 9.0F : 1.0F;
        for (int64_t k = i; k < i + 32; ++k) x[static_cast<size_t>(k)] *= factor;
      }
      round_fp4_blocks(x.data(), rows * dim, 32);
      return x;
    };
    const int64_t tokens = 20;
    const std::vector<float> q = uneven(tokens * heads);
    const std::vector<float> w = normals(random, tokens * heads);
    std::vector<float> rows = uneven(entries);
    rows[static_cast<size_t>(7 * dim + 3)] = NAN;
    // More than one page, the last one not full.
    const PackedPages keys({RowFormat::kFp4, dim, 0}, rows, 32);
    const std::vector<int64_t> visible(static_cast<size_t>(tokens), entries);
    const auto run = [&](auto compute) {
      std::vector<int32_t> selected(static_cast<size_t>(tokens * topk), -1);
      std::vector<int64_t> count(static_cast<size_t>(tokens), -1);
      compute(IndexerParams{q.data(), w.data(), tokens, heads, dim, keys.view(), visible.data(),
                            topk, selected.data(), count.data()});
      return selected;
    };
    const std::vector<int32_t> expected = run(select_entries_reference);
    for (const Isa isa : isas()) {
      INFO(isa_name(isa));
      REQUIRE(run([&](const IndexerParams& p) { select_entries(pool, isa, p); }) == expected);
      const auto one_by_one = [&](const IndexerParams& p) {
        for (int64_t t = 0; t < p.tokens; ++t) {
          select_entries(pool, isa,
                         {p.q + t * heads * dim, p.weights + t * heads, 1, heads, dim, p.keys,
                          p.visible + t, topk, p.selected + t * topk, p.count + t});
        }
      };
      REQUIRE(run(one_by_one) == expected);
    }
  }
}

// Score of an entry for token t, in double precision.
static double score_of(const IndexerParams& p, int64_t t, int64_t entry) {
  std::vector<uint8_t> row(static_cast<size_t>(p.keys.layout.bytes()));
  std::vector<float> key(static_cast<size_t>(p.dim));
  p.keys.load(entry, row.data());
  unpack_row_reference(p.keys.layout, row.data(), key.data());
  double score = 0.0;
  for (int64_t h = 0; h < p.heads; ++h) {
    const float* q = p.q + (t * p.heads + h) * p.dim;
    double dot = 0.0;
    for (int64_t i = 0; i < p.dim; ++i) dot += double{q[i]} * key[static_cast<size_t>(i)];
    score += p.weights[t * p.heads + h] * std::max(dot, 0.0);
  }
  return score;
}

// Whether token t's entries are the same, but for such as score alike within float's rounding.
static bool same_choice(const IndexerParams& p, int64_t t, const int32_t* a, const int32_t* b) {
  std::vector<int32_t> apart;
  std::set_symmetric_difference(a, a + p.topk, b, b + p.topk, std::back_inserter(apart));
  std::vector<double> scores;
  for (const int32_t entry : apart) scores.push_back(score_of(p, t, entry));
  if (scores.empty()) return true;
  const auto [least, most] = std::minmax_element(scores.begin(), scores.end());
  return *most - *least <= 1e-5 * (1.0 + std::fabs(*most));
}

TEST_CASE("the best of many are found however their scores are spread") {
  Random random;
  INFO("seed " << random.seed());
  constexpr int64_t kEntries = 20'000;
  constexpr int64_t kTokens = 6;
  constexpr int64_t kHeads = 2;
  constexpr int64_t kDim = 128;
  constexpr int64_t kTopk = 700;
  std::vector<float> q = normals(random, kTokens * kHeads * kDim);
  round_fp4_blocks(q.data(), std::ssize(q), 32);
  const std::vector<float> noise = normals(random, kEntries * kDim);
  const std::vector<float> weights = normals(random, kTokens * kHeads);
  const std::vector<int64_t> visible(static_cast<size_t>(kTokens), kEntries);
  ThreadPool pool(2);
  // By how much key i is larger than others: an estimate from some of the keys may be wrong by far.
  const std::pair<const char*, float (*)(int64_t)> spreads[] = {
      {"even", [](int64_t) { return 1.0F; }},
      {"all equal", [](int64_t) { return 0.0F; }},
      {"growing", [](int64_t i) { return 1e-4F * static_cast<float>(i); }},
      {"few large, at the start of each thousand",
       [](int64_t i) { return i % 1024 < 32 ? 9.F : 0.F; }},
      {"few large, side by side", [](int64_t i) { return i > 10'000 && i < 10'600 ? 9.F : .1F; }}};
  for (const auto& [name, size] : spreads) {
    std::vector<float> rows = noise;
    for (int64_t i = 0; i < kEntries * kDim; ++i) rows[static_cast<size_t>(i)] *= size(i / kDim);
    const PackedPages keys({RowFormat::kFp4, kDim, 0}, rows, 128);
    std::vector<int32_t> selected(static_cast<size_t>(kTokens * kTopk), -1);
    std::vector<int64_t> count(static_cast<size_t>(kTokens), -1);
    const auto run = [&](int64_t tokens, auto compute) {
      std::fill(selected.begin(), selected.end(), -1);
      for (int64_t t = 0; t < kTokens; t += tokens) {
        compute(IndexerParams{q.data() + t * kHeads * kDim, weights.data() + t * kHeads, tokens,
                              kHeads, kDim, keys.view(), visible.data() + t, kTopk,
                              selected.data() + t * kTopk, count.data() + t});
      }
      REQUIRE(count == std::vector<int64_t>(static_cast<size_t>(kTokens), kTopk));
      return selected;
    };
    const std::vector<int32_t> expected = run(kTokens, select_entries_reference);
    for (const Isa isa : isas()) {
      const auto compute = [&](const IndexerParams& p) { select_entries(pool, isa, p); };
      INFO(name << ", " << isa_name(isa));
      const auto right = [&](int64_t tokens) {
        const std::vector<int32_t> got = run(tokens, compute);
        const IndexerParams all{q.data(),    weights.data(), kTokens, kHeads,  kDim,
                                keys.view(), visible.data(), kTopk,   nullptr, nullptr};
        for (int64_t t = 0; t < kTokens; ++t) {
          if (!same_choice(all, t, &got[static_cast<size_t>(t * kTopk)],
                           &expected[static_cast<size_t>(t * kTopk)])) {
            return false;
          }
        }
        return true;
      };
      REQUIRE(right(kTokens));  // keys are unpacked
      REQUIRE(right(2));        // or scored where they lie
      REQUIRE(right(1));
    }
  }
}

TEST_CASE("equal scores go to the earlier entries and NaN to none") {
  const std::vector<float> q = {1, 0, 0, 0, 0, 0, 0, 0};
  const float weight = 1.0F;
  std::vector<float> rows(6 * 8, 0.0F);
  const float scores[6] = {2, 5, 2, NAN, 2, 2};
  for (size_t b = 0; b < 6; ++b) rows[b * 8] = scores[b];
  const PackedPages keys({RowFormat::kF32, 8, 0}, rows);
  const int64_t visible = 6;
  ThreadPool pool(1);
  for (const Isa isa : isas()) {
    std::vector<int32_t> selected(3, -1);
    int64_t count = 0;
    select_entries(pool, isa,
                   {q.data(), &weight, 1, 1, 8, keys.view(), &visible, 3, selected.data(), &count});
    REQUIRE(selected == std::vector<int32_t>{0, 1, 2});
  }
}

TEST_CASE("routing equals its reference for every scoring function and by table") {
  Random random;
  INFO("seed " << random.seed());
  const int64_t tokens = 40;
  const int64_t experts = 9;
  const int64_t chosen = 3;
  const std::vector<float> logits = normals(random, tokens * experts, 3.0F);
  const std::vector<float> bias = normals(random, experts);
  std::vector<int32_t> table;
  for (int i = 0; i < 5 * 3; ++i) table.push_back(static_cast<int32_t>(random.integer(0, 8)));
  std::vector<int32_t> ids;
  for (int i = 0; i < 40; ++i) ids.push_back(static_cast<int32_t>(random.integer(0, 4)));
  for (const RoutingScore score :
       {RoutingScore::kSqrtSoftplus, RoutingScore::kSoftmax, RoutingScore::kSigmoid}) {
    for (const bool hashed : {false, true}) {
      RoutingParams p;
      p.logits = logits.data();
      p.tokens = tokens;
      p.experts = experts;
      p.chosen = chosen;
      p.score = score;
      p.bias = bias.data();
      p.table = hashed ? table.data() : nullptr;
      p.ids = ids.data();
      p.factor = 2.5F;
      std::vector<float> scratch(static_cast<size_t>(experts));
      p.scores = scratch.data();
      std::vector<int32_t> index(static_cast<size_t>(tokens * chosen), -1);
      std::vector<int32_t> expected_index = index;
      std::vector<float> weight = poisoned(tokens * chosen);
      std::vector<float> expected = weight;
      p.index = expected_index.data();
      p.weight = expected.data();
      route_reference(p);
      p.index = index.data();
      p.weight = weight.data();
      route(p);
      REQUIRE(index == expected_index);
      require_close(weight, expected, 1e-5);
      for (int64_t t = 0; t < tokens; ++t) {
        const auto first = weight.begin() + t * chosen;
        REQUIRE(first[0] + first[1] + first[2] == Approx(2.5).epsilon(1e-4));
      }
    }
  }
}

TEST_CASE("the bias decides who is chosen but not with what weight; all zero scores stay finite") {
  const std::vector<float> logits = {1.0F, 0.0F, -1.0F};
  const std::vector<float> bias = {-10.0F, 0.0F, 10.0F};
  std::vector<float> scores(3);
  std::vector<int32_t> index(2, -1);
  std::vector<float> weight = poisoned(2);
  RoutingParams p;
  p.logits = logits.data();
  p.tokens = 1;
  p.experts = 3;
  p.chosen = 2;
  p.score = RoutingScore::kSigmoid;
  p.bias = bias.data();
  p.index = index.data();
  p.weight = weight.data();
  p.scores = scores.data();
  route(p);
  REQUIRE(index == std::vector<int32_t>{1, 2});
  const double low = 1.0 / (1.0 + std::exp(1.0));
  REQUIRE(weight[0] == Approx(0.5 / (0.5 + low)));
  REQUIRE(weight[1] == Approx(low / (0.5 + low)));
  const std::vector<float> zero(3, -1e30F);
  p.logits = zero.data();
  route(p);
  REQUIRE(std::isfinite(weight[0]));
}
