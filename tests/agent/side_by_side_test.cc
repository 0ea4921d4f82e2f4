// Attempts of one run that go on at the same time.
#include "agent/side_by_side.h"

#include <signal.h>

#include <barrier>
#include <future>
#include <map>
#include <mutex>

#include "llm/error.h"
#include "tests/agent/toy.h"
#include "tests/catch.h"

using namespace dsv4::agent;
namespace llm = dsv4::llm;
using nlohmann::ordered_json;

namespace {

const llm::Reply kRead = calls({{"read", {{"path", "calc.py"}}}});
const llm::Reply kWrong =
    calls({{"edit", {{"path", "calc.py"}, {"old", "if x < low:"}, {"new", "if x <= low:"}}},
           {"test", ordered_json::object()}});
const llm::Reply kFinish = calls({{"finish", {{"summary", "Done."}}}});

llm::Reply repair(const std::string& remark) {
  return calls({{"edit",
                 {{"path", "calc.py"},
                  {"old", "    if x > high:\n        return low"},
                  {"new", "    if x > high:\n        return high  # " + remark}}},
                {"test", ordered_json::object()}});
}

// By attempt and turn, both from 1. With seed 0 an attempt's number is in its sampling's seed.
template <class Say>
llm::ScriptedConversation::Script by_attempt(const Say& say) {
  return [say](std::span<const llm::RecordedSegment> context, const llm::ReplyOptions& options) {
    for (uint64_t turn = 1;; ++turn) {
      const uint64_t number = options.sampling.seed - turn * 0x9e3779b97f4a7c15u;
      if (number < 100) return say(static_cast<int>(number), turns_in(context) + 1);
    }
  };
}

std::vector<ordered_json> events(const Toy& toy) {
  std::istringstream lines(toy.scratch.read("run/events.jsonl"));
  std::vector<ordered_json> all;
  for (std::string line; std::getline(lines, line);) all.push_back(ordered_json::parse(line));
  return all;
}

}  // namespace

TEST_CASE("attempts side by side: the one that repairs ends the others") {
  Toy toy;
  toy.options.attempts = 3;
  toy.options.parallel = 3;
  toy.options.limits.turns = 100'000;
  std::promise<void> wrong_ended;
  const auto report = toy.fix_by(by_attempt([&](int number, size_t turn) {
    if (number == 1) {
      if (turn == 3) wrong_ended.set_value();
      return std::vector{kRead, kWrong, kFinish}.at(turn - 1);
    }
    if (number == 2) {
      if (turn == 2) wrong_ended.get_future().wait();
      return std::vector{kRead, repair("2"), kFinish}.at(turn - 1);
    }
    return calls({{"bash", {{"command", "echo " + std::to_string(turn)}}}});  // never ends itself
  }));
  INFO(report.error);
  REQUIRE(report.status == FixStatus::kPassed);
  REQUIRE(report.attempts == 3);
  REQUIRE(report.after == true);
  REQUIRE(toy.scratch.read("run/patch.diff").find("# 2") != std::string::npos);
  REQUIRE_FALSE(std::filesystem::exists(toy.scratch / "run/work"));
  // Who said what can be told from the record.
  std::map<int, int> replies;
  int number = 0;
  for (const ordered_json& event : events(toy)) {
    if (event["event"] == "beside") number = event["attempt"];
    if (event["event"] == "reply") ++replies[number];
  }
  REQUIRE(replies[1] == 3);
  REQUIRE(replies[2] >= 2);
  REQUIRE(replies[3] >= 1);
  REQUIRE(report.turns == replies[1] + replies[2] + replies[3]);
}

TEST_CASE("which patch is taken does not depend on who is faster") {
  Toy toy;
  toy.options.attempts = 2;
  toy.options.parallel = 2;
  std::promise<void> second_spoke;
  const auto report = toy.fix_by(by_attempt([&](int number, size_t turn) {
    if (number == 1 && turn == 2) second_spoke.get_future().wait();
    if (number == 2 && turn == 3) second_spoke.set_value();  // its tests have passed
    return std::vector{kRead, repair(std::to_string(number)), kFinish}.at(turn - 1);
  }));
  REQUIRE(report.status == FixStatus::kPassed);
  REQUIRE(toy.scratch.read("run/patch.diff").find("# 1") != std::string::npos);
}

TEST_CASE("where none of a group repairs, the next group begins, and knows what has failed") {
  Toy toy;
  toy.options.attempts = 3;
  toy.options.parallel = 2;
  const auto report = toy.fix_by(by_attempt([&](int number, size_t turn) {
    const auto second = number == 3 ? repair("3") : kWrong;
    return std::vector{kRead, second, kFinish}.at(turn - 1);
  }));
  REQUIRE(report.status == FixStatus::kPassed);
  REQUIRE(report.attempts == 3);
  int begun = 0;
  std::vector<std::string> failed;
  for (const ordered_json& event : events(toy)) {
    if (event["event"] == "attempt") ++begun;
    for (const ordered_json& tree : event.value("failed", ordered_json::array())) {
      failed.push_back(tree.dump());
    }
  }
  REQUIRE(begun == 3);
  REQUIRE(failed.size() == 2);  // the untouched tree, and the same change of two attempts
  REQUIRE(failed[0] != failed[1]);
}

TEST_CASE("a group that the time limit cuts counts as attempts") {
  Toy toy;
  toy.options.attempts = 2;
  toy.options.parallel = 2;
  toy.options.time_limit = std::chrono::seconds(2);
  const auto report = toy.fix_by(by_attempt([](int, size_t) {
    return calls({{"bash", {{"command", "sleep 1000"}}}});
  }));
  REQUIRE(report.status == FixStatus::kGaveUp);
  REQUIRE(report.attempts == 2);
  REQUIRE(report.turns == 2);
}

TEST_CASE("an engine that fails in one attempt ends the run, unless another has repaired") {
  Toy toy;
  toy.options.attempts = 2;
  toy.options.parallel = 2;
  const bool repairs = GENERATE(true, false);
  const auto report = toy.fix_by(by_attempt([&](int number, size_t turn) -> llm::Reply {
    if (number == 2) throw llm::Error("the model is broken");
    return std::vector{kRead, repairs ? repair("1") : kWrong, kFinish}.at(turn - 1);
  }));
  REQUIRE(report.status == (repairs ? FixStatus::kPassed : FixStatus::kEngine));
  if (repairs) return;
  REQUIRE(report.error == "the model is broken");
  // Each goes on where it was, once the model is whole again.
  std::mutex mutex;
  std::map<int, size_t> first_turn;
  const SavedRun saved = read_run(toy.scratch / "run");
  const auto again = toy.run_by(by_attempt([&](int number, size_t turn) {
                                  const std::lock_guard lock(mutex);
                                  first_turn.emplace(number, turn);
                                  return number == 2 && turn == 1 ? repair("1") : kFinish;
                                }),
                                options_from(saved.run.at("options")), &saved);
  INFO(again.error);
  REQUIRE(again.status == FixStatus::kPassed);
  REQUIRE(first_turn[1] > 1);
  REQUIRE(first_turn[2] == 1);
}

TEST_CASE("a signal ends all attempts of a group, and the run goes on with each where it was") {
  Toy toy;
  toy.options.attempts = 2;
  toy.options.parallel = 2;
  std::barrier both_read(2);
  const auto interrupted = toy.fix_by(by_attempt([&](int number, size_t turn) {
    if (turn == 1) return kRead;
    both_read.arrive_and_wait();
    if (number == 1) ::raise(SIGTERM);
    return calls({{"bash", {{"command", "sleep 1000"}}}});
  }));
  REQUIRE(interrupted.status == FixStatus::kInterrupted);
  std::map<int, size_t> first_turn;
  std::mutex mutex;
  const SavedRun saved = read_run(toy.scratch / "run");
  const auto script = by_attempt([&](int number, size_t turn) {
    const std::lock_guard lock(mutex);
    first_turn.emplace(number, turn);
    return std::vector{kRead, repair(std::to_string(number)), kFinish, kFinish}.at(turn - 1);
  });
  const auto report = toy.run_by(script, options_from(saved.run.at("options")), &saved);
  INFO(report.error);
  REQUIRE(report.status == FixStatus::kPassed);
  REQUIRE(first_turn[1] == 2);
  REQUIRE(first_turn[2] == 2);
  REQUIRE(report.tokens.reprefilled == 0);
  REQUIRE(toy.scratch.read("run/patch.diff").find("# 1") != std::string::npos);
}
