#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/bubblewrap.h"
#include "sandbox/sandbox.h"
#include "sandbox/supervisor.h"
#include "tests/catch.h"
#include "tests/sandbox/boxes.h"
#include "tests/sandbox/work_dir.h"

using namespace dsv4::sandbox;
using namespace std::chrono_literals;

namespace {

// A variable of this program that has another value for a while.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = ::getenv(name)) before_ = before;
    ::setenv(name, value, 1);
  }
  ~Variable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

// In every kind of box, and bare.
std::vector<Sandbox> all_kinds(Policy policy) {
  std::vector<Sandbox> boxes;
  for (const BoxKind& kind : box_kinds()) boxes.push_back(kind.make(policy));
  policy.enforce = false;
  boxes.emplace_back(policy);
  return boxes;
}

}  // namespace

TEST_CASE("a command's status, signal and output come back") {
  const WorkDir work;
  for (const Sandbox& box : all_kinds(task_policy(work.path()))) {
    const Result said = shell(box, "echo out; echo err >&2; exit 3");
    CHECK(said.end == End::kExited);
    CHECK(said.status == 3);
    CHECK(said.output == "out\nerr\n");
    CHECK(describe(said) == "exit status 3");
    CHECK(shell(box, "exit 137").end == End::kExited);
    const Result killed = shell(box, "kill -SEGV $$");
    CHECK(killed.end == End::kSignalled);
    CHECK(describe(killed) == "killed by signal SIGSEGV");
    CHECK(box.run(Command{{"no-such-program"}, ".", {}, {}}).end == End::kNotFound);
    CHECK(box.run(Command{{"true"}, "no-such-folder", {}, {}}).end == End::kNotFound);
    CHECK(box.run(Command{{"/etc"}, ".", {}, {}}).status == 126);
  }
}

TEST_CASE("a command runs in its working copy with exactly its environment") {
  const WorkDir work;
  std::filesystem::create_directory(work.path() / "sub");
  Policy policy = task_policy(work.path());
  policy.environment = {{"PATH", "/usr/bin:/bin"}, {"NAME", "two\nlines"}};
  const BoxKind kind = GENERATE(from_range(box_kinds()));
  CAPTURE(kind);
  const Sandbox box = kind.make(policy);
  const std::string seen = kind.is_bubblewrap() ? "/work" : work.path().string();
  CHECK(box.run(Command{{"pwd"}, "sub", {}, {}}).output == seen + "/sub\n");
  CHECK(box.run(Command{{"env", "-0"}, ".", {}, {}}).output ==
        std::string("PATH=/usr/bin:/bin\0NAME=two\nlines\0", 34));
  CHECK(shell(box, "echo made > file").ok());
  CHECK(std::filesystem::exists(work.path() / "file"));
}

TEST_CASE("a command that closes its own folder closes it to nobody else") {
  const WorkDir work;
  const Sandbox box(task_policy(work.path()));
  REQUIRE(shell(box, "touch file && chmod 0 .").ok());
  const auto perms = std::filesystem::status(work.path()).permissions();
  CHECK((perms & std::filesystem::perms::owner_all) == std::filesystem::perms::owner_all);
  CHECK(shell(box, "ls file").ok());
}

TEST_CASE("a folder of PATH that holds a home is not shown to commands") {
  const Variable home("HOME", "/srv/me");
  const Variable path("PATH", "/srv:/:/usr/bin");
  CHECK(hidden_from_path() == std::vector<std::filesystem::path>{"/srv", "/"});
  CHECK(visible_on_path() ==
        std::vector<std::filesystem::path>{"/usr/bin", "/usr/local/bin", "/bin"});
  const WorkDir work;
  const Policy policy = task_policy(work.path());
  CHECK(policy.tool_chains.empty());
}

TEST_CASE("time runs out for a command that ignores SIGTERM") {
  const WorkDir work;
  Policy policy = task_policy(work.path());
  policy.limits.wall_time = 300ms;
  for (const Sandbox& box : all_kinds(policy)) {
    const Result result = shell(box, "trap '' TERM INT HUP; while :; do sleep 600; done");
    CHECK(result.end == End::kTimedOut);
    CHECK(result.wall < 60s);
    CHECK(describe(result).substr(0, 13) == "killed after ");
  }
}

TEST_CASE("a stop request ends a command at once") {
  const WorkDir work;
  const BoxKind kind = GENERATE(from_range(box_kinds()));
  CAPTURE(kind);
  const Sandbox box = kind.make(task_policy(work.path()));
  std::stop_source stop;
  const Result result = box.run(Command{{"bash", "-c", "echo started; sleep 600"},
                                        ".",
                                        [&](std::string_view) { stop.request_stop(); },
                                        stop.get_token()});
  CHECK(result.end == End::kCancelled);
  CHECK(result.output == "started\n");
  CHECK(result.wall < 60s);
}

TEST_CASE("a box that cannot be made is told with its reason and what to do") {
  const WorkDir work;
  Launch refused;  // stands for a bubblewrap that the system does not let
  refused.program = "/bin/sh";
  refused.argv = {"sh", "-c", "echo 'bwrap: No permissions to create new namespace' >&2; exit 1"};
  try {
    supervise(std::move(refused), task_policy(work.path()), Command{{"true"}, ".", {}, {}});
    FAIL("nothing was said");
  } catch (const SetupError& error) {
    const std::string said = error.what();
    CHECK(said.find("No permissions to create new namespace. ") != std::string::npos);
    CHECK(said.size() > said.find("namespace. ") + 30);  // advice follows
  }
}

TEST_CASE("a command of many arguments or variables is refused or run, never half of it") {
  const WorkDir work;
  Policy policy = task_policy(work.path());
  policy.environment.emplace_back("LARGE", std::string(100'000, 'x'));
  const Sandbox box(policy);
  CHECK(shell(box, "echo ${#LARGE}").output == "100000\n");
  const Result result = box.run(Command{{"true", std::string(200'000, 'x')}, ".", {}, {}});
  CHECK(result.status == 126);
  CHECK(result.output.find("Argument list too long") != std::string::npos);
  REQUIRE_THROWS_AS(box.run(Command{{"echo", std::string("a\0b", 3)}, ".", {}, {}}), SetupError);
}
