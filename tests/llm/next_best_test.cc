#include "llm/next_best.h"

#include <cmath>
#include <limits>
#include <set>

#include "tests/catch.h"

using dsv4::llm::NextBest;

namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

// A turn is two ids; the second one's odds depend on the first.
std::vector<float> odds(const std::vector<int32_t>& said) {
  if (said.empty()) return {std::log(0.6f), std::log(0.3f), std::log(0.1f)};
  if (said[0] == 0) return {std::log(0.5f), std::log(0.3f), std::log(0.2f)};
  return {std::log(0.9f), std::log(0.1f), kNever};
}

std::vector<int32_t> draw(NextBest& best, const std::vector<int32_t>& beginning) {
  best.begin_draw(beginning);
  std::vector<int32_t> said = beginning;
  while (said.size() < 2) {
    const auto logits = odds(said);
    const auto top =
        static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    best.step(logits, top, true);
    said.push_back(top);
  }
  return said;
}

}  // namespace

TEST_CASE("turns that are taken back are followed by all others, the likelier beginning first") {
  NextBest best;
  std::vector<std::vector<int32_t>> turns{draw(best, {})};
  while (const auto beginning = best.next()) turns.push_back(draw(best, *beginning));
  // 0.3 as a first id, 0.6 * 0.3 and 0.6 * 0.2 as second ones, 0.1 as a first id, ...
  const std::vector<std::vector<int32_t>> expected{{0, 0}, {1, 0}, {0, 1}, {0, 2},
                                                   {2, 0}, {1, 1}, {2, 1}};
  REQUIRE(turns == expected);
}

TEST_CASE("choices at a place that is no branch are never offered") {
  NextBest best;
  best.begin_draw({});
  best.step(odds({}), 0, false);
  REQUIRE_FALSE(best.next());
}

TEST_CASE("an id without a choice beside it is part of the beginnings that come after it") {
  NextBest best;
  best.begin_draw({});
  best.certain(7);
  best.step(odds({}), 0, true);
  REQUIRE(best.next() == std::vector<int32_t>{7, 1});
  best.begin_draw({7, 1});
  best.certain(8);
  best.step(odds({}), 0, true);
  REQUIRE(best.next() == std::vector<int32_t>{7, 2});  // 0.1, before 0.3 * 0.3
  REQUIRE(best.next() == std::vector<int32_t>{7, 1, 8, 1});
}
