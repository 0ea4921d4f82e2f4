#include "llm/serve/prefix_tree.h"

#include <map>
#include <random>

#include "tests/catch.h"

namespace dsv4::llm::serve {
namespace {

using Ids = std::vector<int32_t>;

int64_t shared(const Ids& a, const Ids& b) {
  return std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
}

// What the tree should say, in the plainest way.
struct Plain {
  std::map<Ids, int> values;
  std::vector<Ids> used;  // the latest last

  void use(const Ids& ids) {
    std::erase(used, ids);
    used.push_back(ids);
  }
};

}  // namespace

TEST_CASE("the longest beginning of a sequence that has a value is found") {
  PrefixTree<int> tree;
  CHECK(tree.find(Ids{1, 2}).value == nullptr);
  tree.put(Ids{1, 2, 3}, 3);
  tree.put(Ids{1, 2, 3, 4, 5}, 5);
  auto match = tree.find(Ids{1, 2, 3, 4, 6});
  REQUIRE(match.value != nullptr);
  CHECK(*match.value == 3);
  CHECK(match.length == 3);
  CHECK(match.common == 4);
  REQUIRE(match.other != nullptr);
  CHECK(*match.other == 5);
  match = tree.find(Ids{1, 9});
  CHECK(match.value == nullptr);
  CHECK(match.common == 1);
}

TEST_CASE("a tree of sequences agrees with a list of them, whatever comes and goes") {
  std::mt19937 random(5);
  for (int round = 0; round < 30; ++round) {
    PrefixTree<int> tree;
    Plain plain;
    for (int step = 0; step < 300; ++step) {
      Ids ids(random() % 9);
      for (int32_t& id : ids) id = static_cast<int32_t>(random() % 3);
      const auto what = random() % 10;
      if (what < 4) {
        tree.put(ids, step);
        plain.values[ids] = step;
        plain.use(ids);
      } else if (what < 6) {
        const std::optional<int> oldest = tree.pop_oldest();
        REQUIRE(oldest.has_value() == !plain.used.empty());
        if (oldest) {
          REQUIRE(*oldest == plain.values.at(plain.used.front()));
          plain.values.erase(plain.used.front());
          plain.used.erase(plain.used.begin());
        }
      } else {
        const auto match = tree.find(ids);
        int64_t common = 0;
        std::vector<Ids> beginnings;
        for (const auto& [other, value] : plain.values) {
          common = std::max(common, shared(ids, other));
          if (shared(ids, other) == static_cast<int64_t>(other.size())) beginnings.push_back(other);
        }
        std::sort(beginnings.begin(), beginnings.end(),
                  [](const Ids& a, const Ids& b) { return a.size() < b.size(); });
        REQUIRE(match.common == common);
        REQUIRE((match.value != nullptr) == !beginnings.empty());
        if (match.value != nullptr) {
          REQUIRE(*match.value == plain.values.at(beginnings.back()));
          REQUIRE(match.length == static_cast<int64_t>(beginnings.back().size()));
        }
        REQUIRE((match.other != nullptr) == !plain.values.empty());
        for (const Ids& beginning : beginnings) plain.use(beginning);
      }
      REQUIRE(tree.size() == plain.values.size());
    }
  }
}

}  // namespace dsv4::llm::serve
