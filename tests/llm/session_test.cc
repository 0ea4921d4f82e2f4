#include "llm/session.h"

#include <cmath>
#include <cstdlib>

#include "llm/error.h"
#include "llm/sampler.h"
#include "tests/catch.h"
#include "tests/llm/fixture.h"

using namespace dsv4;
using llm::Session;

namespace {

struct Opened {
  Fixture fixture{"all_kinds"};
  std::shared_ptr<const llm::Model> model = llm::Model::open(fixture.directory);
  kernels::ThreadPool pool{2};
};

std::vector<float> copy(std::span<const float> logits) { return {logits.begin(), logits.end()}; }

}  // namespace

TEST_CASE("forks go on independently and exactly") {
  Opened o;
  const std::span<const int32_t> ids = o.fixture.ids;
  for (const size_t cut : {1, 3, 130, 255}) {
    INFO("fork after " << cut << " ids");
    Session trunk(o.model, o.pool);
    trunk.append(ids.first(cut));
    const auto branch = trunk.fork();
    REQUIRE(branch->position() == static_cast<int64_t>(cut));
    REQUIRE(copy(branch->logits()) == copy(trunk.logits()));
    trunk.append(ids.subspan(cut, 100));
    std::vector<int32_t> other(ids.begin() + 200, ids.begin() + 330);
    branch->append(other);

    Session alone(o.model, o.pool);
    alone.append(ids.first(cut + 100));
    REQUIRE(copy(alone.logits()) == copy(trunk.logits()));
    Session both(o.model, o.pool);
    both.append(ids.first(cut));
    both.append(other);
    REQUIRE(copy(both.logits()) == copy(branch->logits()));
  }
}

TEST_CASE("a cancelled append keeps what was computed and can go on") {
  Opened o;
  const std::span<const int32_t> ids = o.fixture.ids;
  Session session(o.model, o.pool, {{}, 50});
  std::stop_source stop;
  std::vector<int64_t> seen;
  const bool whole = session.append(
      ids.first(300),
      [&](int64_t done, int64_t total) {
        REQUIRE(total == 300);
        seen.push_back(done);
        if (done == 100) stop.request_stop();
      },
      stop.get_token());
  REQUIRE_FALSE(whole);
  REQUIRE(seen == std::vector<int64_t>{50, 100});
  REQUIRE(session.position() == 100);
  REQUIRE(session.append(ids.subspan(100, 200)));
  Session straight(o.model, o.pool);
  straight.append(ids.first(300));
  REQUIRE(copy(session.logits()) == copy(straight.logits()));
}

TEST_CASE("an id outside the vocabulary is refused before anything is computed") {
  Opened o;
  Session session(o.model, o.pool);
  const auto vocab = static_cast<int32_t>(o.model->config().vocab_size);
  for (const int32_t bad : {-1, vocab}) {
    REQUIRE_THROWS_AS(session.append(std::vector<int32_t>{1, 2, bad}), llm::FormatError);
    REQUIRE(session.position() == 0);
  }
  REQUIRE(session.logits().empty());
}

TEST_CASE("sampling is greedy, repeatable and keeps within its limits") {
  const std::vector<float> logits = {1.0F, 5.0F, 4.5F, -2.0F, 5.0F, 0.0F};
  REQUIRE(llm::greedy(logits) == 1);
  llm::Sampling s;
  s.temperature = 0.0;
  REQUIRE(llm::Sampler(s).sample(logits) == 1);
  s.temperature = 1.0;
  s.seed = 7;
  const auto draw = [&](const llm::Sampling& how) {
    llm::Sampler sampler(how);
    std::vector<int> count(logits.size());
    for (int i = 0; i < 4000; ++i) ++count[static_cast<size_t>(sampler.sample(logits))];
    return count;
  };
  REQUIRE(draw(s) == draw(s));
  const std::vector<int> all = draw(s);
  // Shares of e^1, e^5, e^4.5, e^-2, e^5, e^0 in their sum.
  REQUIRE(std::abs(all[1] / 4000.0 - 0.3808) < 0.04);
  REQUIRE(std::abs(all[2] / 4000.0 - 0.2310) < 0.04);
  llm::Sampling top_k = s;
  top_k.top_k = 2;
  REQUIRE(draw(top_k)[2] == 0);
  REQUIRE(draw(top_k)[4] > 0);
  llm::Sampling top_p = s;
  top_p.top_p = 0.5;
  REQUIRE(draw(top_p)[2] == 0);
  llm::Sampling min_p = s;
  min_p.min_p = 0.55;
  REQUIRE(draw(min_p)[0] == 0);
  REQUIRE(draw(min_p)[2] > 0);
  llm::Sampling bad = s;
  bad.top_p = 0.0;
  REQUIRE_THROWS_AS(llm::Sampler(bad), llm::FormatError);
  REQUIRE_THROWS_AS(llm::greedy(std::vector<float>{NAN, NAN}), llm::Error);
}
