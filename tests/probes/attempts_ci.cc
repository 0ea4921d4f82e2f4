// Changing what decides what other machines and people run: CI configuration and git's hooks, those
// that are there (.github/workflows/ci.yml, .githooks) and those that are not.

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/probes/probe.h"

namespace {

constexpr const char* kWorkflow = ".github/workflows/ci.yml";

bool opens(const char* path, int flags) { return ::open(path, flags, 0644) >= 0; }
bool creates(const char* path) { return opens(path, O_CREAT | O_WRONLY); }

bool ci_write() { return opens(kWorkflow, O_WRONLY); }
bool ci_add() { return creates(".github/workflows/more.yml"); }
bool ci_remove() { return ::unlink(kWorkflow) == 0; }
bool ci_move_in() { return creates("mine.yml") && ::rename("mine.yml", kWorkflow) == 0; }
bool ci_move_away() { return ::rename(".github", "was-github") == 0; }
bool ci_move_folder_in() {
  ::mkdir("workflows", 0755);
  return ::rename("workflows", ".github/workflows/more") == 0;
}
bool ci_hard_link() { return ::link(kWorkflow, "linked.yml") == 0; }
bool ci_through_link() {
  return ::symlink(".github/workflows", "to-ci") == 0 && creates("to-ci/more.yml");
}
bool ci_create() { return creates(".gitlab-ci.yml"); }
bool ci_create_folder() { return ::mkdir(".circleci", 0755) == 0; }
bool ci_rename_new() { return creates("new.yml") && ::rename("new.yml", ".travis.yml") == 0; }
bool ci_rename_folder_new() {
  ::mkdir("buildkite", 0755);
  return ::rename("buildkite", ".buildkite") == 0;
}
bool ci_exchange_new() {
  ::mkdir("other-ci", 0755);
  return ::syscall(SYS_renameat2, AT_FDCWD, ".ci", AT_FDCWD, "other-ci", 2 /* exchange */) == 0;
}
bool ci_link_new() { return ::symlink("mine", ".woodpecker") == 0; }
bool ci_hard_link_new() {
  return creates("pipeline") && ::link("pipeline", "azure-pipelines.yml") == 0;
}
bool ci_node_new() { return ::mknod("Jenkinsfile", S_IFREG | 0644, 0) == 0; }
bool hook_create() { return creates(".githooks/pre-commit"); }
bool hook_chmod() { return ::chmod(".githooks/pre-push", 0755) == 0; }
bool hook_create_folder() { return ::mkdir(".husky", 0755) == 0; }
bool hook_settings() { return creates(".pre-commit-config.yaml"); }

constexpr Probe kAttempts[] = {
    PROBE(ci_write),           PROBE(ci_add),          PROBE(ci_remove),
    PROBE(ci_move_in),         PROBE(ci_move_away),    PROBE(ci_move_folder_in),
    PROBE(ci_hard_link),       PROBE(ci_through_link), PROBE(ci_create),
    PROBE(ci_create_folder),   PROBE(ci_rename_new),   PROBE(ci_rename_folder_new),
    PROBE(ci_exchange_new),    PROBE(ci_link_new),     PROBE(ci_hard_link_new),
    PROBE(ci_node_new),        PROBE(hook_create),     PROBE(hook_chmod),
    PROBE(hook_create_folder), PROBE(hook_settings),
};

}  // namespace

std::span<const Probe> ci_attempts() { return kAttempts; }
