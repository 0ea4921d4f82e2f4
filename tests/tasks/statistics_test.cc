#include "tasks/statistics.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "tests/catch.h"

using namespace dsv4::tasks;

TEST_CASE("Wilson's interval is the published one") {
  // 8 of 10 and 0 of 20, as R's binom::binom.wilson has them.
  const Interval eight = wilson(0.8, 10);
  REQUIRE(eight.value == Approx(0.8));
  REQUIRE(eight.low == Approx(0.4901625).epsilon(1e-5));
  REQUIRE(eight.high == Approx(0.9433178).epsilon(1e-5));
  REQUIRE(wilson(0, 20).low == 0.0);
  REQUIRE(wilson(0, 20).high == Approx(0.1611252).epsilon(1e-5));
  REQUIRE(wilson(1, 20).high == 1.0);
  REQUIRE(wilson(0, 0).value == 0.0);
}

TEST_CASE("pass@k is the mean over all choices of k samples") {
  const int n = 7;
  for (int c = 0; c <= n; ++c) {
    for (int k = 1; k <= n; ++k) {
      // Every subset of k, by its bits; the first c samples are right.
      int subsets = 0;
      int with_one = 0;
      for (unsigned bits = 0; bits < 1u << n; ++bits) {
        if (__builtin_popcount(bits) != k) continue;
        ++subsets;
        with_one += (bits & ((1u << c) - 1)) != 0 ? 1 : 0;
      }
      REQUIRE(pass_at_k(n, c, k) == Approx(double(with_one) / subsets).margin(1e-12));
    }
  }
}

TEST_CASE("McNemar's exact test counts coin throws") {
  REQUIRE(mcnemar(0, 0) == 1.0);
  REQUIRE(mcnemar(5, 5) == 1.0);
  REQUIRE(mcnemar(0, 6) == Approx(2.0 / 64));
  REQUIRE(mcnemar(6, 0) == Approx(2.0 / 64));
  REQUIRE(mcnemar(2, 8) == Approx(2.0 * (1 + 10 + 45) / 1024));
}

TEST_CASE("a bootstrap interval holds the mean about as often as it says") {
  std::mt19937 random(7);
  int held = 0;
  constexpr int kRounds = 100;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<double> values(60);
    for (double& each : values) each = random() % 10 < 3 ? 1 : 0;
    const Interval interval = bootstrap_mean(values);
    held += interval.low <= 0.3 && 0.3 <= interval.high ? 1 : 0;
  }
  REQUIRE(held >= 85);
  REQUIRE(held < kRounds);
  const std::vector<double> same = {1, 0, 1};
  REQUIRE(bootstrap_mean(same).low == bootstrap_mean(same).low);
  REQUIRE(bootstrap_mean({}).high == 0.0);
}

TEST_CASE("quarters are between the values around them") {
  const std::vector<double> values = {4, 1, 3, 2};
  const Spread s = spread(values);
  REQUIRE(s.least == 1);
  REQUIRE(s.quarter == 1.75);
  REQUIRE(s.median == 2.5);
  REQUIRE(s.three_quarters == 3.25);
  REQUIRE(s.most == 4);
  REQUIRE(spread({}).most == 0);
}
