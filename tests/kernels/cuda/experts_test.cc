#include <algorithm>
#include <stdexcept>

#include "kernels/moe/experts_cuda.h"
#include "kernels/swiglu/swiglu.h"
#include "tests/kernels/cuda/weight_on_device.h"

using namespace dsv4::kernels;

namespace {

struct Expert {
  Expert(Random& random, WeightFormat format, int64_t hidden, int64_t width)
      : w1(random, format, width, hidden),
        w3(random, format, width, hidden),
        w2(random, format, hidden, width) {}
  RandomWeight w1, w3, w2;
};

// A feed-forward site on the processor, and what it should give.
struct Site {
  Site(Random& random, WeightFormat format_, WeightFormat shared_format, int64_t tokens_)
      : format(format_), tokens(tokens_), shared(random, shared_format, hidden, width) {
    for (int64_t e = 0; e < experts; ++e) expert.emplace_back(random, format, hidden, width);
    x = normals(random, tokens * hidden);
    for (int64_t i = 0; i < tokens * chosen; ++i) {
      // The last expert is nobody's; a token may have one twice.
      index.push_back(static_cast<int32_t>(random.integer(0, experts - 2)));
      weight.push_back(random.uniform(0.1F, 1.0F));
    }
  }

  static std::vector<float> product(const RandomWeight& w, const float* x,
                                    ActivationRounding rounding) {
    const bool narrow = w.view().scale != nullptr;
    const MatmulParams p{x, 1, w.view(), narrow ? rounding : ActivationRounding::kNone, nullptr};
    return poisoned_output(p, matmul_reference);
  }
  std::vector<float> one(const Expert& e, const float* token, float factor) const {
    std::vector<float> g = product(e.w1, token, rounding);
    const std::vector<float> u = product(e.w3, token, rounding);
    swiglu_reference({g.data(), u.data(), 1, width, &factor, limit, g.data()});
    return product(e.w2, g.data(), rounding);
  }
  std::vector<float> expected(bool with_shared) const {
    std::vector<float> out;
    for (int64_t t = 0; t < tokens; ++t) {
      std::vector<float> sum(hidden, 0.0F);
      const float* token = x.data() + t * hidden;
      const auto add = [&](const Expert& e, float factor) {
        const std::vector<float> y = one(e, token, factor);
        for (size_t d = 0; d < y.size(); ++d) sum[d] += y[d];
      };
      if (with_shared) add(shared, 1.0F);
      for (int64_t k = t * chosen; k < (t + 1) * chosen; ++k) add(expert[index[k]], weight[k]);
      out.insert(out.end(), sum.begin(), sum.end());
    }
    return out;
  }

  WeightFormat format;
  int64_t tokens;
  int64_t hidden = 160;
  int64_t width = 96;
  int64_t experts = 5;
  int64_t chosen = 2;
  float limit = 4.0F;
  ActivationRounding rounding = ActivationRounding::kFp8Block128;
  Expert shared;
  std::vector<Expert> expert;
  std::vector<float> x, weight;
  std::vector<int32_t> index;
};

cuda::ExpertMatrices put_expert(OnDevice& device, const Expert& e) {
  const auto matrix = [&](const RandomWeight& w) {
    const WeightMatrix on = put_weight(device, w.view(), true);
    return cuda::ExpertMatrix{on.data, on.scale};
  };
  return {matrix(e.w1), matrix(e.w3), matrix(e.w2)};
}

// Runs tokens [begin, end) of the site.
std::vector<float> on_card(const Site& site, WeightFormat shared_format, bool with_shared,
                           int64_t begin, int64_t end) {
  OnDevice device;
  std::vector<cuda::ExpertMatrices> matrices;
  for (const Expert& e : site.expert) matrices.push_back(put_expert(device, e));
  matrices.back() = {};  // whoever reads it faults
  cuda::ExpertsParams p;
  p.tokens = end - begin;
  p.hidden = site.hidden;
  p.width = site.width;
  p.experts = site.experts;
  p.chosen = site.chosen;
  p.x = device.put(site.x) + begin * p.hidden;
  p.index = device.put(site.index) + begin * p.chosen;
  p.weight = device.put(site.weight) + begin * p.chosen;
  p.format = site.format;
  p.matrices = device.put(matrices);
  p.shared_format = shared_format;
  if (with_shared) p.shared = put_expert(device, site.shared);
  p.rounding = site.rounding;
  p.limit = site.limit;
  float* out = device.poisoned_floats(p.tokens * p.hidden);
  p.out = out;
  const int64_t bytes = cuda::experts_scratch_bytes(p);
  const auto scratch = device.put(std::vector<uint8_t>(bytes, 0xff));
  REQUIRE_THROWS_AS(cuda::run_experts(device.stream(), p, {scratch, bytes - 1}),
                    std::invalid_argument);
  cuda::run_experts(device.stream(), p, {scratch, bytes});
  return device.get(out, p.tokens * p.hidden);
}

// Between w1 and w2 a sum at the edge of two FP8 codes may fall on either side: a code is up to
// 1/16 of its number, but only of one among `width`.
void require_near(const std::vector<float>& got, const std::vector<float>& expected,
                  double tolerance) {
  REQUIRE(got.size() == expected.size());
  double size = 0;
  for (const float v : expected) size += double{v} * v;
  size = std::sqrt(size / static_cast<double>(expected.size()));
  for (size_t i = 0; i < got.size(); ++i) {
    INFO("at " << i << ": " << got[i] << " where the reference has " << expected[i]);
    REQUIRE(std::fabs(double{got[i]} - double{expected[i]}) <= tolerance * size);
  }
}

}  // namespace

TEST_CASE("the card's experts give what each of them gives alone") {
  Random random;
  INFO("seed " << random.seed());
  constexpr auto kFp4 = WeightFormat::kFp4Block32;
  constexpr auto kFp8 = WeightFormat::kFp8Block128;
  for (const auto& [format, shared] : std::vector<std::pair<WeightFormat, WeightFormat>>{
           {kFp4, kFp8},
           {kFp8, kFp8},
           {WeightFormat::kBf16, WeightFormat::kBf16},
           {WeightFormat::kF32, kFp8}}) {
    for (const int64_t tokens : {1, 7, 45}) {
      INFO(format_name(format) << " and " << format_name(shared) << ", tokens " << tokens);
      const Site site(random, format, shared, tokens);
      for (const bool with_shared : {false, true}) {
        require_near(on_card(site, shared, with_shared, 0, tokens), site.expected(with_shared),
                     shared == kFp8 ? 0.05 : 1e-4);
      }
    }
  }
}

TEST_CASE("a card's experts without rounding are as good as float32") {
  Random random;
  INFO("seed " << random.seed());
  Site site(random, WeightFormat::kFp4Block32, WeightFormat::kFp8Block128, 3);
  site.rounding = ActivationRounding::kNone;
  require_near(on_card(site, WeightFormat::kFp8Block128, true, 0, 3), site.expected(true), 3e-5);
}

TEST_CASE("a token's experts on the card give the same bits however many tokens go together") {
  Random random;
  INFO("seed " << random.seed());
  const auto shared = WeightFormat::kFp8Block128;
  const Site site(random, WeightFormat::kFp4Block32, shared, 60);
  const auto together = on_card(site, shared, true, 0, 60);
  for (const int64_t chunk : {1, 3, 12, 35}) {
    const int64_t t = random.integer(0, 60 - chunk);
    const auto alone = on_card(site, shared, true, t, t + chunk);
    REQUIRE(std::equal(alone.begin(), alone.end(), together.begin() + t * site.hidden));
  }
}
