// What a box costs: `sandbox_tests "[bench]"`, not part of the test run, because a busy machine
// says nothing.

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "tests/catch.h"
#include "tests/sandbox/boxes.h"
#include "tests/sandbox/work_dir.h"

using namespace dsv4::sandbox;

TEST_CASE("a box costs less than 25 ms over running the command bare", "[.][bench]") {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  const WorkDir work;
  Policy policy = task_policy(work.path());
  std::vector<Sandbox> boxes;
  for (const BoxKind& kind : box_kinds()) boxes.push_back(kind.make(policy));
  policy.enforce = false;
  boxes.emplace_back(policy);
  constexpr size_t kRuns = 101;
  std::vector<std::vector<double>> taken(boxes.size());
  for (size_t i = 0; i < kRuns; ++i) {  // in turn, so that a busy moment is everybody's
    for (size_t b = 0; b < boxes.size(); ++b) {
      const auto start = std::chrono::steady_clock::now();
      REQUIRE(boxes[b].run({{"true"}, ".", {}, {}}).ok());
      taken[b].push_back(Milliseconds(std::chrono::steady_clock::now() - start).count());
    }
  }
  for (std::vector<double>& times : taken) std::sort(times.begin(), times.end());
  const double bare = taken.back()[kRuns / 2];
  std::printf("bare: median %.2f ms\n", bare);
  for (size_t b = 0; b + 1 < boxes.size(); ++b) {
    const double more = taken[b][kRuns / 2] - bare;
    std::printf("%s: median %.2f ms more\n", box_kinds()[b].name, more);
    CHECK(more < 25);
  }
}
