#include "kernels/hyper_connections/hyper_connections.h"

#include "kernels/hyper_connections/hyper_connections_cuda.h"
#include "kernels/matmul/matmul.h"
#include "kernels/rms_norm/rms_norm.h"
#include "tests/kernels/cuda/on_device.h"

using namespace dsv4::kernels;

namespace {

struct Site {
  int64_t tokens, hc, dim;
  std::vector<float> x, fn, base, scale, weight;

  Site(Random& random, int64_t t, int64_t n, int64_t d, bool head) : tokens(t), hc(n), dim(d) {
    const int64_t rows = head ? hc : (2 + hc) * hc;
    x = normals(random, tokens * hc * dim, 2.0F);
    fn = normals(random, rows * hc * dim, 0.05F);
    base = normals(random, rows);
    scale = head ? std::vector<float>{0.8F} : std::vector<float>{0.7F, 1.3F, 0.9F};
    weight = normals(random, dim);
  }
};

struct Entered {
  std::vector<float> post, comb, y;
};

constexpr float kRmsEps = 1e-6F;
constexpr float kEps = 1e-6F;

Entered reference(const Site& s, bool head) {
  const int64_t rows = head ? s.hc : (2 + s.hc) * s.hc;
  const int64_t width = s.hc * s.dim;
  std::vector<float> m = poisoned(s.tokens * rows);
  const WeightMatrix fn{WeightFormat::kF32, s.fn.data(), nullptr, rows, width};
  matmul_reference({s.x.data(), s.tokens, fn, ActivationRounding::kNone, m.data()});
  std::vector<float> inverse;
  for (int64_t t = 0; t < s.tokens; ++t) {
    inverse.push_back(inverse_rms(Isa::kScalar, s.x.data() + t * width, width, kRmsEps));
  }
  std::vector<float> pre = poisoned(s.tokens * s.hc);
  Entered out{poisoned(s.tokens * s.hc), poisoned(s.tokens * s.hc * s.hc),
              poisoned(s.tokens * s.dim)};
  if (head) {
    hyper_head(
        {m.data(), inverse.data(), s.tokens, s.hc, s.base.data(), s.scale[0], kEps, pre.data()});
  } else {
    hyper_mix_reference({m.data(), inverse.data(), s.tokens, s.hc, s.base.data(), s.scale.data(),
                         kEps, 20, pre.data(), out.post.data(), out.comb.data()});
  }
  hyper_reduce_reference({s.x.data(), pre.data(), s.tokens, s.hc, s.dim, out.y.data()});
  rms_norm_reference({out.y.data(), s.tokens, s.dim, s.weight.data(), kRmsEps, out.y.data()});
  return out;
}

}  // namespace

TEST_CASE("the card's way into a site matches the reference, twice with one scratch memory") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  for (const int64_t hc : {1, 2, 4, 7}) {
    const bool head = random.integer(0, 1) == 1;
    const Site s(random, random.integer(1, 5), hc, random.integer(1, 700), head);
    const Entered expected = reference(s, head);
    OnDevice device;
    cuda::HyperEnterParams p;
    p.x = device.put(s.x);
    p.tokens = s.tokens;
    p.streams = hc;
    p.dim = s.dim;
    p.fn = device.put(s.fn);
    p.base = device.put(s.base);
    p.scale = device.put(s.scale);
    p.weight = device.put(s.weight);
    p.rms_eps = kRmsEps;
    p.eps = kEps;
    p.iterations = 20;
    p.head = head;
    const int64_t bytes = cuda::hyper_enter_scratch_bytes(s.tokens, hc, s.dim);
    p.scratch = device.put(std::vector<char>(static_cast<size_t>(bytes), 0));
    for (int again = 0; again < 2; ++again) {
      p.tokens = 1;  // what fewer tokens leave there does not matter
      p.post = device.poisoned_floats(hc);
      p.comb = device.poisoned_floats(hc * hc);
      p.y = device.poisoned_floats(s.dim);
      cuda::hyper_enter(device.stream(), p);
      p.tokens = s.tokens;
      p.post = device.poisoned_floats(s.tokens * hc);
      p.comb = device.poisoned_floats(s.tokens * hc * hc);
      p.y = device.poisoned_floats(s.tokens * s.dim);
      cuda::hyper_enter(device.stream(), p);
      require_close(device.get(p.post, s.tokens * hc), expected.post, 1e-4);
      require_close(device.get(p.comb, s.tokens * hc * hc), expected.comb, 1e-4);
      require_close(device.get(p.y, s.tokens * s.dim), expected.y, 1e-4);
    }
  }
}

TEST_CASE("the card's way out of a site matches the reference") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  for (const int64_t hc : {1, 2, 4, 7}) {
    const int64_t tokens = random.integer(1, 5);
    const int64_t dim = random.integer(1, 300);
    std::vector<float> x = normals(random, tokens * hc * dim);
    const std::vector<float> z = normals(random, tokens * dim);
    const std::vector<float> post = normals(random, tokens * hc);
    const std::vector<float> comb = normals(random, tokens * hc * hc);
    OnDevice device;
    float* streams = device.put(x);
    cuda::hyper_leave(device.stream(), {streams, device.put(z), device.put(post), device.put(comb),
                                        tokens, hc, dim});
    hyper_expand_reference({x.data(), z.data(), post.data(), comb.data(), tokens, hc, dim});
    require_close(device.get(streams, tokens * hc * dim), x, 1e-5);
  }
}

TEST_CASE("more streams than the card's kernels hold are refused") {
  OnDevice device;
  cuda::HyperLeaveParams p;
  p.streams = 33;
  REQUIRE_THROWS_AS(cuda::hyper_leave(device.stream(), p), cuda::DeviceError);
}
