// Nothing of a command lives on: after it ends, when its time is over, when this program is killed.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "sandbox/descriptor.h"
#include "sandbox/sandbox.h"
#include "tests/catch.h"
#include "tests/sandbox/boxes.h"
#include "tests/sandbox/work_dir.h"

using namespace dsv4::sandbox;
using namespace std::chrono_literals;

namespace {

// A daemon of the probe program holds a lock for as long as it lives.
bool locked_now(const WorkDir& work) {
  const Descriptor file(::open((work.path() / "lock").c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(file);
  return ::lockf(file.get(), F_TLOCK, 0) != 0;
}

}  // namespace

TEST_CASE("a daemon that left its session dies with its command") {
  const WorkDir work;
  std::filesystem::copy_file(DSV4_PROBE_PROGRAM, work.path() / "probe");
  std::vector<BoxKind> kinds = box_kinds();
  kinds.push_back({"bare", BackendKind::kAuto});
  const BoxKind kind = GENERATE_COPY(from_range(kinds));
  const char* after = GENERATE("exit 0", "kill -9 $$", "sleep 600", "kill -9 $PPID; exit 0");
  CAPTURE(kind, after);
  Policy policy = task_policy(work.path());
  policy.enforce = kind.backend != BackendKind::kAuto;
  const Sandbox box = kind.make(policy);
  std::stop_source stop;
  std::string seen;
  const auto stop_when_it_sleeps = [&](std::string_view text) {
    seen += text;
    if (seen.find("ready") != std::string::npos) stop.request_stop();
  };
  const std::string script = std::string("./probe daemon_left lock && echo ") +
                             (std::string(after).find("sleep") == 0 ? "ready" : "left") + " && " +
                             after;
  const Result result =
      box.run({{"bash", "-c", script}, ".", stop_when_it_sleeps, stop.get_token()});
  CAPTURE(describe(result), result.output);
  CHECK(result.output.find("daemon_left") != std::string::npos);
  CHECK_FALSE(locked_now(work));
}

TEST_CASE("killing everything in sight does not reach what runs the command") {
  const WorkDir work;
  const BoxKind kind = GENERATE(from_range(box_kinds()));
  CAPTURE(kind);
  const Sandbox box = kind.make(task_policy(work.path()));
  const auto run = [&](const std::string& script) {
    return box.run({{"bash", "-c", script}, ".", {}, {}});
  };
  // First a signal that does no harm, so that a box which fails this test kills nothing.
  const std::string us = std::to_string(::getpid());
  const Result harmless = run("kill -0 " + us + " && echo reached");
  CAPTURE(harmless.output);
  REQUIRE(harmless.output.find("reached") == std::string::npos);
  const Result result = run("sleep 60 & kill -9 -1; kill -9 1; kill -9 $PPID; echo still here");
  CHECK(result.ok());
  CHECK(result.output.find("still here") != std::string::npos);
}

TEST_CASE("a bare command that kills its reaper does not hold up this program") {
  const WorkDir work;
  Policy policy = task_policy(work.path());
  policy.enforce = false;
  // The parent's parent is the reaper.
  const Result result = Sandbox(policy).run(
      {{"bash", "-c", "kill -9 $(cut -d' ' -f4 /proc/$PPID/stat); exit 0"}, ".", {}, {}});
  CHECK(result.wall < 60s);
}

TEST_CASE("killing this program kills the command it runs") {
  const WorkDir work;
  std::filesystem::copy_file(DSV4_PROBE_PROGRAM, work.path() / "probe");
  const char* kind = GENERATE("bubblewrap", "landlock", "open");
  CAPTURE(kind);
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const Descriptor told(ends[0]);
  Descriptor tell(ends[1]);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, tell.get(), 1);
  std::string program = DSV4_LAUNCHING_PROGRAM;
  std::string folder = work.path().string();
  std::string mode = kind;
  std::string script = "./probe daemon_left lock; echo started; sleep 600";
  char* argv[] = {program.data(), folder.data(), mode.data(), script.data(), nullptr};
  pid_t launching = 0;
  REQUIRE(::posix_spawn(&launching, program.c_str(), &actions, nullptr, argv, environ) == 0);
  ::posix_spawn_file_actions_destroy(&actions);
  tell.reset();
  std::string seen;
  char part[256];
  ssize_t n = 0;
  while (seen.find("started") == std::string::npos &&
         (n = ::read(told.get(), part, sizeof part)) > 0) {
    seen.append(part, static_cast<size_t>(n));
  }
  REQUIRE(seen.find("started") != std::string::npos);
  REQUIRE(locked_now(work));
  ::kill(launching, SIGKILL);
  ::waitpid(launching, nullptr, 0);
  // Waits for the lock, which is free once the daemon is dead; ten seconds are an alarm, not a
  // pace.
  const Descriptor file(::open((work.path() / "lock").c_str(), O_RDWR | O_CLOEXEC));
  struct sigaction action {};
  action.sa_handler = [](int) {};
  ::sigaction(SIGALRM, &action, nullptr);
  ::alarm(10);
  CHECK(::lockf(file.get(), F_LOCK, 0) == 0);
  ::alarm(0);
}
