// What a box is seen to refuse.

#include "sandbox/denials.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "sandbox/sandbox.h"
#include "sandbox/seccomp.h"
#include "tests/catch.h"
#include "tests/sandbox/boxes.h"
#include "tests/sandbox/outside.h"
#include "tests/sandbox/work_dir.h"

using namespace dsv4::sandbox;
using Words = std::vector<std::string>;

namespace {

// A listener for system calls, as a container's manager may have one; there can be only one.
bool listen_to_calls() {
  sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  const sock_fprog program{1, &allow};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                   &program) >= 0;
}

}  // namespace

TEST_CASE("a denied system call is told beside how the command ended, once") {
  const WorkDir work;
  const BoxKind kind = GENERATE(from_range(box_kinds()));
  CAPTURE(kind);
  const Sandbox box = kind.make(task_policy(work.path()));
  const Result result = shell(box, "unshare -m true; unshare -m true; mount -t tmpfs a .; exit 3");
  CHECK(describe(result) == "exit status 3");
  REQUIRE(result.denied.size() >= 2);
  CHECK(result.denied[0] == "unshare");
  CHECK(std::count(result.denied.begin(), result.denied.end(), "unshare") == 1);
  CHECK(describe_denied(result).rfind("The sandbox denied: unshare, ", 0) == 0);
}

TEST_CASE("a command that may do what it does is told nothing of denials") {
  const WorkDir work;
  const BoxKind kind = GENERATE(from_range(box_kinds()));
  CAPTURE(kind);
  const Sandbox box = kind.make(task_policy(work.path()));
  const Result result = shell(box,
                              "echo 1 > a && mv a b && ls /nowhere; cat /etc/shadow; "
                              "python3 -c 'import threading; threading.Thread().start()' && "
                              "kill -0 $$ && git init -q r && cat .git/config; exit 1");
  CAPTURE(result.output);
  CHECK(result.denied.empty());
  CHECK(describe_denied(result).empty());
}

TEST_CASE("changes of protected paths are seen to be denied where the broker denies them") {
  const WorkDir work;
  write_file(work.path() / ".git/config", "[core]\n");
  const BoxKind kind = GENERATE(from_range(box_kinds()));
  CAPTURE(kind);
  const Sandbox box = kind.make(guarding_git(work.path()));
  const Result result =
      shell(box, "cat .git/config; echo x > .git/config; mkdir .circleci; exit 1");
  // A read-only mount says nothing to anybody but the command.
  Words expected = {"changing .git", "changing .circleci"};
  if (kind.is_bubblewrap()) expected.erase(expected.begin());
  if (!kind.machine.broker) expected.clear();
  CHECK(result.denied == expected);
}

TEST_CASE("a command that tries everything does not fill the list") {
  Denials denials;
  Launch box;
  for (int call = 0; call < 400; ++call) denials.reported({ReportKind::kDeniedCall, call}, box);
  denials.reported({ReportKind::kDeniedPath, 3}, box);  // none of its
  for (int i = 0; i < 100; ++i) denials.logged("refused " + std::string(1000, 'x') + ":443");
  const Words all = denials.all();
  CHECK(all.size() == 20);
  CHECK(all.front() == call_name(0));
}

TEST_CASE("where another program is told of system calls, they are refused without a word") {
  const WorkDir work;
  const pid_t child = ::fork();
  if (child == 0) {
    if (!listen_to_calls()) ::_exit(2);
    Policy policy = task_policy(work.path());
    policy.backend = BackendKind::kBubblewrap;
    const Sandbox box(policy);
    const Result result = shell(box, "unshare -m true");
    const bool refused = result.end == End::kExited && result.status == 1 && result.denied.empty();
    ::_exit(refused && shell(box, "! mkdir .circleci/x && ! rmdir .circleci").ok() ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 0);
}
