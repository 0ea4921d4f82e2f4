// The list of sessions: several processes write it, and whatever happens to its file, the run
// directories say what there is.
#include "agent/session_index.h"

#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "agent/error.h"
#include "agent/run_directory.h"
#include "tests/agent/program.h"
#include "tests/catch.h"

using namespace dsv4::agent;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

// A state directory with runs in it, as `fix` leaves them.
class State {
 public:
  fs::path directory() const { return scratch / "state/dsv4-agent"; }

  fs::path make_run(const std::string& id, int64_t began, const std::string& status) const {
    const std::string run = "state/dsv4-agent/runs/" + id;
    const json event = {{"event", "run"},
                        {"seconds", 0},
                        {"id", id},
                        {"kind", "fix"},
                        {"began", began},
                        {"repository", "/somewhere/calc"},
                        {"title", id + " is wrong"}};
    const json reply = {{"event", "reply"}, {"text", "x"}, {"context", 321}};
    scratch.write(run + "/events.jsonl", event.dump() + "\n" + reply.dump() + "\n");
    if (!status.empty()) {
      const json report = {{"status", status}, {"tokens", {{"context", 400}, {"generated", 9}}}};
      scratch.write(run + "/report.json", report.dump());
    }
    return scratch / run;
  }

  std::vector<std::string> listed() const {
    std::vector<std::string> out;
    for (const SessionRow& row : SessionIndex(directory()).list()) {
      out.push_back(row.id + " " + row.state);
    }
    return out;
  }

  Scratch scratch;
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("runs are listed newest first, each with how it ended") {
  const State state;
  state.make_run("a", 100, "passed");
  state.make_run("b", 300, "gave_up");
  state.make_run("c", 200, "");
  REQUIRE(state.listed() == Lines{"b gave_up", "c interrupted", "a passed"});
  const std::vector<SessionRow> rows = SessionIndex(state.directory()).list();
  REQUIRE(rows[0].title == "b is wrong");
  REQUIRE(rows[0].repository == "/somewhere/calc");
  REQUIRE(rows[0].tokens.context == 400);
  REQUIRE(rows[0].tokens.generated == 9);
  REQUIRE(rows[1].tokens.context == 321);  // no report: as its last turn left it
}

TEST_CASE("a run is running while a process works in it, and interrupted once that is gone") {
  const State state;
  const fs::path run = state.make_run("a", 100, "");
  {
    const RunLock lock(run);
    REQUIRE(state.listed() == Lines{"a running"});
    REQUIRE_THROWS_AS(RunLock(run), UsageError);
    REQUIRE_THROWS_AS(remove_run(run), UsageError);
  }
  REQUIRE(state.listed() == Lines{"a interrupted"});
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const RunLock lock(run);
    if (::write(ready[1], "x", 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  REQUIRE(state.listed() == Lines{"a running"});
  ::kill(child, SIGKILL);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  REQUIRE(state.listed() == Lines{"a interrupted"});
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("a list that is missing, damaged or of another kind is made anew") {
  const State state;
  state.make_run("a", 100, "passed");
  state.make_run("b", 200, "gave_up");
  const Lines all = {"b gave_up", "a passed"};
  REQUIRE(state.listed() == all);
  const std::string file = "state/dsv4-agent/sessions.db";
  const std::string good = state.scratch.read(file);
  REQUIRE(good.size() > 4096);
  std::string holes = good;
  for (size_t at = 100; at < holes.size(); at += 7) holes[at] = static_cast<char>(at);
  const std::vector<std::string> bad = {"", "not a database at all", good.substr(0, 5000), holes};
  for (const std::string& bytes : bad) {
    state.scratch.write(file, bytes);
    REQUIRE(state.listed() == all);
    REQUIRE(state.listed() == all);
  }
  fs::remove(state.scratch / file);
  REQUIRE(state.listed() == all);
  fs::remove(state.scratch / file);
  fs::create_directory(state.scratch / file);
  state.scratch.write(file + "/in the way", "");
  REQUIRE(state.listed() == all);
}

TEST_CASE("what is gone from the disk is gone from the list, and what appears is in it") {
  const State state;
  const fs::path first = state.make_run("a", 100, "passed");
  REQUIRE(state.listed() == Lines{"a passed"});
  state.make_run("b", 200, "passed");
  fs::remove_all(first);
  REQUIRE(state.listed() == Lines{"b passed"});
  fs::create_directories(state.directory() / "runs/empty");
  state.scratch.write("state/dsv4-agent/runs/notes.txt", "mine");
  REQUIRE(state.listed() == Lines{"b passed"});
}

TEST_CASE(
    "a run in a directory of the user's choice is listed, and two of one name are told apart") {
  const State state;
  SessionIndex index(state.directory());
  fs::create_directories(state.scratch / "x");
  fs::create_directories(state.scratch / "y");
  for (const char* place : {"x", "y"}) {
    fs::rename(state.make_run("named", 100, "passed"), state.scratch / place / "named");
    index.put(*describe_run(state.scratch / place / "named"));
  }
  REQUIRE(state.listed() == Lines{"named passed", "named passed"});
  REQUIRE_THROWS_AS(find_one(&index, "named"), UsageError);
  REQUIRE(find_one(&index, (state.scratch / "y/named").string()).directory ==
          state.scratch / "y/named");
  REQUIRE_THROWS_AS(find_one(&index, "absent"), UsageError);
}

TEST_CASE("several processes put runs in at once and none is lost") {
  const State state;
  constexpr int kProcesses = 4;
  constexpr int kRuns = 20;
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    const pid_t child = ::fork();
    if (child == 0) {
      SessionIndex index(state.directory());
      for (int r = 0; r < kRuns; ++r) {
        const std::string id = std::to_string(p) + "-" + std::to_string(r);
        const fs::path run = state.make_run(id, 100 + r, "passed");
        fs::create_directories(state.scratch / "elsewhere");
        fs::rename(run, state.scratch / "elsewhere" / id);  // so that only the list knows it
        index.put(*describe_run(state.scratch / "elsewhere" / id));
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(status == 0);
  }
  REQUIRE(state.listed().size() == kProcesses * kRuns);
}

TEST_CASE("sessions prints a line for each run, JSON on request, and removes what it is told to") {
  const State state;
  const fs::path first = state.make_run("a", 100, "passed");
  state.make_run("b", 200, "gave_up");
  state.make_run("c", 300, "");
  state.scratch.write("state/dsv4-agent/runs/a/mine.txt", "kept");
  const auto run = [&](const std::string& arguments) {
    return run_agent(state.scratch, state.scratch.path(), "sessions " + arguments);
  };
  const Ended text = run("");
  REQUIRE(text.status == 0);
  REQUIRE(text.out.find("gave up") != std::string::npos);
  REQUIRE(text.out.find("calc: c is wrong") < text.out.find("calc: a is wrong"));
  const json all = json::parse(run("--json").out);
  REQUIRE(all["sessions"].size() == 3);
  REQUIRE(all["sessions"][0]["id"] == "c");
  REQUIRE(all["sessions"][0]["state"] == "interrupted");

  REQUIRE(run("--delete absent").status == 2);
  REQUIRE(run("--keep -1").status == 2);
  REQUIRE(run("--no-such-option").status == 2);
  {
    const RunLock lock(state.directory() / "runs/c");
    REQUIRE(run("--delete c").status == 2);
    REQUIRE(run("--keep 0").status == 0);
    REQUIRE(state.listed() == Lines{"c running"});
  }
  REQUIRE(state.scratch.read("state/dsv4-agent/runs/a/mine.txt") == "kept");
  REQUIRE_FALSE(fs::exists(first / "events.jsonl"));
  REQUIRE(run("--older-than 1").status == 0);
  REQUIRE(state.listed().empty());
}
