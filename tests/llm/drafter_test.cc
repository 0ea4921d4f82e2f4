// Guessing what comes next from what is there.
#include "llm/drafter.h"

#include <cstring>
#include <random>

#include "tests/catch.h"

using namespace dsv4;
using llm::Drafter;

namespace {

llm::PageList list_of(const std::vector<int32_t>& ids) {
  llm::PageList list(sizeof(int32_t), std::make_shared<llm::PageMemory>());
  list.resize(static_cast<int64_t>(ids.size()));
  for (size_t i = 0; i < ids.size(); ++i) {
    std::memcpy(list.new_row(static_cast<int64_t>(i)), &ids[i], sizeof(int32_t));
  }
  return list;
}

// Where computing sixteen ids takes twice as long as one.
Drafter cheap() {
  Drafter drafter(false);
  for (int64_t n = 1; n <= Drafter::kMost + 1; ++n) {
    drafter.took(n, 1.0 + 0.07 * static_cast<double>(n - 1));
  }
  return drafter;
}

std::vector<int32_t> guess(Drafter& drafter, const std::vector<int32_t>& ids, int32_t next) {
  const llm::PageList past = list_of(ids);
  const auto position = static_cast<int64_t>(ids.size());
  drafter.said(past, position, next);
  return drafter.plan(past, position, next, false).ids;
}

std::vector<int32_t> guess_of_cheap(const std::vector<int32_t>& ids, int32_t next) {
  Drafter drafter = cheap();
  return guess(drafter, ids, next);
}

}  // namespace

TEST_CASE("a guess is what followed the longest repetition, the latest of equals") {
  const std::vector<int32_t> past{1, 2, 3, 7, 8, 9, 2, 3, 5, 6, 1, 2};
  const std::vector<int32_t> found = guess_of_cheap(past, 3);
  REQUIRE(found.size() >= 3);
  REQUIRE(std::vector(found.begin(), found.begin() + 3) == std::vector<int32_t>{7, 8, 9});
  REQUIRE(guess_of_cheap(past, 77).empty());
  REQUIRE(guess_of_cheap({}, 3).empty());
}

TEST_CASE("guesses that are never right stop, and come back when the text repeats itself") {
  std::mt19937 random(3);
  std::vector<int32_t> ids;
  Drafter drafter = cheap();
  const auto feed = [&](int32_t id) {
    const size_t guessed = guess(drafter, ids, id).size();
    ids.push_back(id);
    return guessed;
  };
  for (int i = 0; i < 600; ++i) feed(static_cast<int32_t>(random() % 30));
  size_t guessed = 0;
  for (int i = 0; i < 300; ++i) guessed += feed(static_cast<int32_t>(random() % 30));
  REQUIRE(guessed < 100);
  guessed = 0;
  for (size_t i = 0; i < 300; ++i) guessed += feed(ids[i]);
  REQUIRE(guessed > 200);
}

TEST_CASE("where many ids cost as much as they bring nothing is guessed") {
  Drafter drafter(false);
  for (int64_t n = 1; n <= Drafter::kMost + 1; ++n) drafter.took(n, static_cast<double>(n));
  std::vector<int32_t> ids;
  for (int32_t i = 0; i < 40; ++i) ids.push_back(i % 10);
  REQUIRE(guess(drafter, ids, 0).empty());
}

TEST_CASE("the MTP layer is asked where it is right often enough, and little where it is not") {
  // Two ids at once cost a third more than one, and asking the layer a quarter.
  const auto asked = [](double share, double asking) {
    std::mt19937 random(9);
    Drafter drafter(false);
    std::vector<int32_t> ids;
    int64_t count = 0;
    std::vector<int32_t> predicted;
    for (int32_t id = 0; id < 2000; ++id) {  // never the same id twice
      const llm::PageList past = list_of({});
      drafter.said(past, 0, id);
      const int64_t ask = drafter.plan(past, 0, id, true).ask;
      drafter.took(1 + ask, 1.0 + 0.33 * static_cast<double>(ask));
      if (ask == 0) continue;
      ++count;
      const bool right = static_cast<double>(random() % 1000) < share * 1000;
      drafter.predicted(std::vector<int32_t>(static_cast<size_t>(ask), right ? id + 1 : -1),
                        asking * static_cast<double>(ask), 0.01);
    }
    return count;
  };
  REQUIRE(asked(0.95, 0.25) > 1500);
  REQUIRE(asked(0.3, 0.25) < 100);
  REQUIRE(asked(0.95, 1.0) < 100);
}
