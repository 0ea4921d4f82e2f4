#include "kernels/hyper_connections/hyper_connections.h"

#include "tests/kernels/compare.h"

using namespace dsv4::kernels;

namespace {

struct Mix {
  std::vector<float> pre, post, comb;
};

template <typename Run>
Mix mix(int64_t tokens, int64_t hc, HyperMixParams p, const Run& run) {
  Mix out{poisoned(tokens * hc), poisoned(tokens * hc), poisoned(tokens * hc * hc)};
  p.pre = out.pre.data();
  p.post = out.post.data();
  p.comb = out.comb.data();
  run(p);
  return out;
}

}  // namespace

TEST_CASE("the mixing numbers equal their reference and comb is doubly stochastic") {
  Random random;
  INFO("seed " << random.seed());
  ThreadPool pool(3);
  for (const int64_t hc : {1, 2, 3, 4, 7}) {
    const int64_t tokens = 50;
    const int64_t rows = (2 + hc) * hc;
    const std::vector<float> m = normals(random, tokens * rows, 2.0F);
    const std::vector<float> base = normals(random, rows);
    const std::vector<float> scale = {0.7F, 1.3F, 0.9F};
    std::vector<float> inverse(static_cast<size_t>(tokens));
    for (float& v : inverse) v = random.uniform(0.2F, 2.0F);
    HyperMixParams p;
    p.m = m.data();
    p.inverse_rms = inverse.data();
    p.tokens = tokens;
    p.streams = hc;
    p.base = base.data();
    p.scale = scale.data();
    p.eps = 1e-6F;
    p.iterations = 20;
    const Mix expected = mix(tokens, hc, p, hyper_mix_reference);
    const Mix got = mix(tokens, hc, p, [&](const HyperMixParams& q) { hyper_mix(pool, q); });
    require_close(got.pre, expected.pre, 1e-5);
    require_close(got.post, expected.post, 1e-5);
    require_close(got.comb, expected.comb, 1e-4);
    for (int64_t t = 0; t < tokens; ++t) {
      for (int64_t k = 0; k < hc; ++k) {
        double column = 0.0;  // the last step normalises columns
        for (int64_t j = 0; j < hc; ++j) {
          column += expected.comb[static_cast<size_t>((t * hc + j) * hc + k)];
        }
        REQUIRE(column == Approx(1.0).margin(1e-4));
      }
    }
  }
}

TEST_CASE("streams are reduced and spread as the formulas say") {
  Random random;
  INFO("seed " << random.seed());
  ThreadPool pool(2);
  for (const int64_t dim : {5, 64, 100, 136}) {
    const int64_t hc = 3;
    const int64_t tokens = 11;
    const std::vector<float> x = normals(random, tokens * hc * dim);
    const std::vector<float> z = normals(random, tokens * dim);
    const std::vector<float> pre = normals(random, tokens * hc);
    const std::vector<float> comb = normals(random, tokens * hc * hc);
    std::vector<float> y = poisoned(tokens * dim);
    hyper_reduce_reference({x.data(), pre.data(), tokens, hc, dim, y.data()});
    std::vector<float> spread = x;
    hyper_expand_reference({spread.data(), z.data(), pre.data(), comb.data(), tokens, hc, dim});
    for (const Isa isa : isas()) {
      std::vector<float> got = poisoned(tokens * dim);
      hyper_reduce(pool, isa, {x.data(), pre.data(), tokens, hc, dim, got.data()});
      require_close(got, y, 1e-5);
      got = x;
      hyper_expand(pool, isa, {got.data(), z.data(), pre.data(), comb.data(), tokens, hc, dim});
      require_close(got, spread, 1e-5);
    }
    // comb contracts its first index.
    double by_hand = double{pre[1]} * z[0];
    for (size_t j = 0; j < 3; ++j) {
      by_hand += double{comb[j * 3 + 1]} * x[j * static_cast<size_t>(dim)];
    }
    REQUIRE(spread[static_cast<size_t>(dim)] == Approx(by_hand).margin(1e-5));
  }
}
