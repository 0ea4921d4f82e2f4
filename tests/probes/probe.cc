// `probe attempts [NAME...]` makes every attempt, or those named; `probe ordinary [NAME...]` does
// ordinary work. Each runs in a process of its own and ends in a line: NAME WORKED, NAME and the
// name of the error that stopped it, or NAME and the signal that killed it. `probe NAME [ARGUMENT]`
// makes one of the attempts that run alone; its status is 1 when that worked, 0 when it was denied.

#include "tests/probes/probe.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

int init = 0;

constexpr unsigned kPatience = 20;  // seconds; only a probe that hangs needs them

void report(const Probe& probe) {
  fflush(stdout);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(kPatience);
    errno = 0;
    const bool worked = probe.run();
    const char* why = errno == 0 ? "NO EFFECT" : ::strerrorname_np(errno);
    printf("%s %s\n", probe.name, worked ? "WORKED" : why);
    fflush(stdout);
    ::_exit(worked ? 1 : 0);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) printf("%s SIG%s\n", probe.name, ::sigabbrev_np(WTERMSIG(status)));
}

bool named(int argc, char** argv, const char* name) {
  for (int i = 2; i < argc; ++i) {
    if (strcmp(argv[i], name) == 0) return true;
  }
  return argc <= 2;
}

}  // namespace

int init_pid() { return init; }

int main(int argc, char** argv) {
  init = ::getppid();
  const std::string which = argc > 1 ? argv[1] : "";
  const std::span<const Probe> groups[] = {
      network_attempts(), process_attempts(), kernel_attempts(), file_attempts(),
      ci_attempts(),      name_attempts(),    race_attempts(),   ordinary_work()};
  if (which == "attempts" || which == "ordinary") {
    for (const std::span<const Probe> group : groups) {
      const bool wanted = (group.data() == ordinary_work().data()) == (which == "ordinary");
      for (const Probe& probe : group) {
        if (wanted && named(argc, argv, probe.name)) report(probe);
      }
    }
    return 0;
  }
  if (argc > 2) ::setenv("ARGUMENT", argv[2], 1);
  for (const Probe& probe : limit_attempts()) {
    if (which != probe.name) continue;
    errno = 0;
    const bool worked = probe.run();
    printf("%s %s\n", probe.name, worked ? "WORKED" : ::strerrorname_np(errno));
    return worked ? 1 : 0;
  }
  return 2;
}
