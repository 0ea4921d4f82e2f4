#include <signal.h>
#include <sqlite3.h>

#include <atomic>
#include <fstream>
#include <mutex>
#include <thread>

#include "agent/error.h"
#include "tasks/child.h"
#include "tasks/eval_options.h"
#include "tasks/memory.h"
#include "tasks/parallel.h"
#include "tasks/results.h"
#include "tasks/runner.h"
#include "tests/agent/scratch.h"
#include "tests/catch.h"

using namespace dsv4::tasks;
using dsv4::agent::UsageError;
using std::chrono::milliseconds;

namespace {

ChildOptions shell(const Scratch& scratch, const std::string& text) {
  ChildOptions options;
  options.argv = {"sh", "-c", text};
  options.log = scratch / "log";
  options.limit = std::chrono::minutes(1);
  return options;
}

EvalOptions parsed(std::vector<std::string> arguments) { return parse_eval_arguments(arguments); }

}  // namespace

TEST_CASE("a child's output, errors, status and environment are its own") {
  const Scratch scratch;
  ::setenv("DSV4_TEST_KEPT", "kept", 1);
  ::setenv("DSV4_TEST_CHANGED", "old", 1);
  ChildOptions options =
      shell(scratch, "echo $DSV4_TEST_KEPT $DSV4_TEST_CHANGED; echo wrong >&2; exit 7");
  options.environment = {{"DSV4_TEST_CHANGED", "new"}};
  const ChildResult result = run_child(options, {}, {});
  REQUIRE(result.end == ChildEnd::kExited);
  REQUIRE(result.status == 7);
  REQUIRE(result.output == "kept new\n");
  REQUIRE(scratch.read("log") == "wrong\n");
  REQUIRE(run_child(shell(scratch, "kill -9 $$"), {}, {}).end == ChildEnd::kSignalled);
  options.argv = {"/absent/program"};
  REQUIRE(run_child(options, {}, {}).status == 127);
}

TEST_CASE("a child is killed with all it started, and asked first where that can wait") {
  const Scratch scratch;
  std::stop_source now;
  now.request_stop();
  ChildOptions late =
      shell(scratch, "sleep 1000 & echo $! > '" + (scratch / "pid").string() + "'; wait");
  late.limit = milliseconds(300);
  REQUIRE(run_child(late, {}, {}).end == ChildEnd::kTimedOut);
  // A killed process is gone once whoever reaps it has: until then it is a zombie.
  const std::string pid = scratch.read("pid");
  const std::string status = "/proc/" + pid.substr(0, pid.find('\n')) + "/status";
  for (std::string text = "State: R"; text.find("State:") != text.npos;) {
    std::ifstream in(status);
    text.assign(std::istreambuf_iterator<char>(in), {});
    if (text.find("State:\tZ") != text.npos) break;
    std::this_thread::yield();
  }
  REQUIRE(run_child(shell(scratch, "exec sleep 1000"), {}, now.get_token()).end ==
          ChildEnd::kKilled);
  std::stop_source ask;
  ChildOptions polite = shell(scratch, "trap 'echo saved; exit 130' INT; echo begun > '" +
                                           (scratch / "begun").string() + "'; while :; do :; done");
  const std::jthread asker([&] {
    while (!std::filesystem::exists(scratch / "begun")) std::this_thread::yield();
    ask.request_stop();
  });
  const ChildResult result = run_child(polite, ask.get_token(), {});
  REQUIRE(result.end == ChildEnd::kCancelled);
  REQUIRE(result.status == 130);
  REQUIRE(result.output == "saved\n");
}

TEST_CASE("of jobs that need too much memory the last one waits, and one alone ends") {
  MemoryLimit limit(100, 2);
  auto first = std::make_unique<MemoryLimit::Job>(limit, std::stop_token());
  auto second = std::make_unique<MemoryLimit::Job>(limit, std::stop_token());
  limit.look_at(100);
  REQUIRE_FALSE(second->kill().stop_requested());
  limit.look_at(101);
  REQUIRE(second->kill().stop_requested());
  REQUIRE_FALSE(second->was_alone());
  REQUIRE_FALSE(first->kill().stop_requested());
  second.reset();
  std::atomic<bool> began{false};
  std::jthread waiting([&] {
    const MemoryLimit::Job job(limit, std::stop_token());
    began = true;
  });
  REQUIRE_FALSE(began);  // one at a time now
  limit.look_at(101);
  REQUIRE(first->kill().stop_requested());
  REQUIRE(first->was_alone());
  first.reset();
  waiting.join();
  REQUIRE(began);
}

TEST_CASE("no more jobs run at the same time than may, and all are run") {
  std::mutex mutex;
  int running = 0;
  int most = 0;
  std::vector<int> times(50);
  run_parallel(3, times.size(), {}, [&](size_t at) {
    {
      const std::lock_guard lock(mutex);
      most = std::max(most, ++running);
      ++times[at];
    }
    std::this_thread::yield();
    const std::lock_guard lock(mutex);
    --running;
  });
  REQUIRE(most <= 3);
  REQUIRE(times == std::vector<int>(50, 1));
  REQUIRE_THROWS_WITH(run_parallel(2, 9, {},
                                   [](size_t at) {
                                     if (at == 4) throw std::runtime_error("four");
                                   }),
                      message_with("four"));
}

TEST_CASE("results are what was put, by task and sample, also for a second reader") {
  const Scratch scratch;
  SampleResult row;
  row.task = "b'; DROP TABLE samples; --";
  row.sample = 2;
  row.seed = 12345678901234567890u;
  row.status = "passed";
  row.resolved = true;
  row.reason = "zero \xc3\xa9";
  row.generated = 1ll << 40;
  row.seconds = 1.25;
  row.cost = 0.0375;
  row.patch = std::string(
      "a\n\x01"
      "b",
      4);
  {
    Results results(scratch.path());
    results.set_about({{"suite", "s"}});
    results.put(row);
    row.sample = 1;
    row.resolved = false;
    results.put(row);
    row.status = "gave_up";
    row.cost.reset();
    results.put(row);  // in place of the one before
    const Results reader(scratch.path(), Results::Open::kRead);
    REQUIRE(reader.all().size() == 2);
  }
  const Results results(scratch.path(), Results::Open::kRead);
  const std::vector<SampleResult> all = results.all();
  REQUIRE(all.size() == 2);
  REQUIRE(all[0].sample == 1);
  REQUIRE(all[0].status == "gave_up");
  REQUIRE(all[1].resolved);
  REQUIRE(all[1].task == row.task);
  REQUIRE(all[1].seed == 12345678901234567890u);
  REQUIRE(all[1].generated == 1ll << 40);
  REQUIRE(all[1].seconds == 1.25);
  REQUIRE(all[1].patch == row.patch);
  REQUIRE(all[1].cost == 0.0375);
  REQUIRE_FALSE(all[0].cost);
  REQUIRE(results.about().at("suite") == "s");
  const Scratch other;
  REQUIRE_THROWS_AS(Results(other.path(), Results::Open::kRead), UsageError);
  other.write("results.db", std::string(5000, 'x'));
  REQUIRE_THROWS_AS(Results(other.path()), UsageError);
}

TEST_CASE("results of a version that knew no cost can be gone on with") {
  const Scratch scratch;
  SampleResult row;
  row.task = "old";
  row.status = "passed";
  Results(scratch.path()).put(row);
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open((scratch.path() / "results.db").c_str(), &database) == SQLITE_OK);
  REQUIRE(sqlite3_exec(database, "ALTER TABLE samples DROP COLUMN cost; PRAGMA user_version=1",
                       nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(database);
  Results results(scratch.path());
  REQUIRE(results.all().at(0).task == "old");
  REQUIRE_FALSE(results.all().at(0).cost);
  row.cost = 2.5;
  results.put(row);
  REQUIRE(results.all().at(0).cost == 2.5);
}

TEST_CASE("results that are damaged further in are named") {
  const Scratch scratch;
  {
    Results results(scratch.path());
    SampleResult row;
    row.status = "passed";
    row.patch = std::string(3000, 'p');
    for (int i = 0; i < 100; ++i) {
      row.task = "t" + std::to_string(i);
      results.put(row);
    }
  }
  std::fstream file(scratch.path() / "results.db", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4 * 4096);
  const std::string noise(60 * 4096, '\xa5');
  file.write(noise.data(), static_cast<std::streamsize>(noise.size()));
  file.close();
  Results results(scratch.path());
  REQUIRE_THROWS_WITH(results.all(), message_with("results.db cannot be used: "));
}

TEST_CASE("a run's folder is a file name of its own, whatever the task is called") {
  REQUIRE(directory_of("django__django-1", 1) == "runs/django__django-1/1");
  REQUIRE(directory_of("a/../../b", 3).find("/b") == std::string::npos);
  REQUIRE(directory_of("..", 1).find("runs/..") == std::string::npos);
  REQUIRE(directory_of("a b", 1) != directory_of("a_b", 1));
  REQUIRE(directory_of("a b", 1) != directory_of("a\tb", 1));
}

TEST_CASE("what eval is asked for is read, and what makes no sense is refused") {
  const EvalOptions options =
      parsed({"suite", "--out", "o", "--jobs", "3", "--memory", "1.5G", "--samples", "4",
              "--filter", "a*", "--time-limit", "90s", "--", "--attempts", "2", "--parallel=2"});
  REQUIRE(options.jobs == 3);
  REQUIRE(options.memory_bytes == 3ull << 29);
  REQUIRE(options.samples == 4);
  REQUIRE(options.time_limit == std::chrono::seconds(90));
  REQUIRE(options.agent_flags == std::vector<std::string>{"--attempts", "2", "--parallel=2"});
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--out", "o"}, "name one suite"},
      {{"a", "b", "--out", "o"}, "name one suite"},
      {{"a"}, "--out DIR"},
      {{"a", "--out", "o", "--memory", "lots"}, "--memory lots"},
      {{"a", "--out", "o", "--memory", "8X"}, "--memory 8X"},
      {{"a", "--out", "o", "--jobs", "0"}, "--jobs 0"},
      {{"a", "--out", "o", "--model", "m", "--endpoint", "u"}, "exclude each other"},
      {{"a", "--check", "--compare", "c"}, "--check goes with"},
      {{"a", "--out", "o", "--", "--seed", "1"}, "--seed cannot stand after --"},
      {{"a", "--out", "o", "--", "--run-dir=x"}, "--run-dir=x cannot stand after --"},
      {{"a", "--out", "o", "--sandbox", "none"}, "--sandbox"},
  };
  for (const auto& [arguments, sentence] : cases) {
    INFO(sentence);
    REQUIRE_THROWS_WITH(parsed(arguments), message_with(sentence));
  }
}
