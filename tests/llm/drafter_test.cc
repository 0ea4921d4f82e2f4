// Guessing what comes next from what is there.
#include "llm/drafter.h"

#include <cstring>
#include <random>

#include "llm/session.h"
#include "tests/catch.h"
#include "tests/llm/fixture.h"

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
  Drafter drafter;
  for (int64_t n = 1; n <= Drafter::kMost + 1; ++n) {
    drafter.took(n, 1.0 + 0.07 * static_cast<double>(n - 1));
  }
  return drafter;
}

}  // namespace

TEST_CASE("a guess is what followed the longest repetition, the latest of equals") {
  const llm::PageList past = list_of({1, 2, 3, 7, 8, 9, 2, 3, 5, 6, 1, 2});
  Drafter drafter = cheap();
  const std::vector<int32_t> guess = drafter.draft(past, 12, 3);
  REQUIRE(guess.size() >= 3);
  REQUIRE(std::vector(guess.begin(), guess.begin() + 3) == std::vector<int32_t>{7, 8, 9});
  REQUIRE(cheap().draft(past, 10, 77).empty());
  REQUIRE(cheap().draft(list_of({}), 0, 3).empty());
}

TEST_CASE("guesses that are never right stop, and come back when the text repeats itself") {
  std::mt19937 random(3);
  std::vector<int32_t> ids;
  Drafter drafter = cheap();
  const auto feed = [&](int32_t id) {
    const size_t guessed = drafter.draft(list_of(ids), static_cast<int64_t>(ids.size()), id).size();
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
  Drafter drafter;
  for (int64_t n = 1; n <= Drafter::kMost + 1; ++n) drafter.took(n, static_cast<double>(n));
  std::vector<int32_t> ids;
  for (int32_t i = 0; i < 40; ++i) ids.push_back(i % 10);
  REQUIRE(drafter.draft(list_of(ids), 40, 0).empty());
}

TEST_CASE("the logits after sampled ids are the same with guesses and without") {
  for (const char* name : {"all_kinds", "published"}) {
    const Fixture fixture(name);
    const auto model = llm::Model::open(fixture.directory);
    kernels::ThreadPool pool(2);
    llm::SessionOptions plain;
    plain.draft = false;
    plain.checkpoint_every = 97;
    llm::SessionOptions drafting = plain;
    drafting.draft = true;
    llm::Session a(model, pool, plain);
    llm::Session b(model, pool, drafting);
    a.append(fixture.ids);
    b.append(fixture.ids);
    std::mt19937 random(5);
    for (int i = 0; i < 400; ++i) {
      // Text that repeats: every so often it goes elsewhere.
      const size_t at = static_cast<size_t>(i + (i / 50) * 7) % fixture.ids.size();
      const int32_t id = random() % 16 == 0 ? 1 : fixture.ids[at];
      // Now and then several at once, as when a grammar leaves no choice.
      std::vector<int32_t> ids{id};
      if (random() % 8 == 0)
        ids.resize(1 + random() % 40, fixture.ids[(at + 1) % fixture.ids.size()]);
      REQUIRE(a.append_sampled(ids));
      REQUIRE(b.append_sampled(ids));
      REQUIRE(std::equal(a.logits().begin(), a.logits().end(), b.logits().begin()));
    }
    REQUIRE(a.drafts().guessed == 0);
    REQUIRE(b.drafts().right > 0);
    REQUIRE(b.position() == a.position());
  }
}
