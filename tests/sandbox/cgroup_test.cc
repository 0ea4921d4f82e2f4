#include "sandbox/cgroup.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/sandbox.h"
#include "tests/catch.h"
#include "tests/sandbox/boxes.h"
#include "tests/sandbox/outside.h"
#include "tests/sandbox/work_dir.h"

using namespace dsv4::sandbox;
namespace fs = std::filesystem;

namespace {

// A tree as the system's manager makes it: root / user / app (this program's group).
class Tree {
 public:
  Tree() {
    group("", "memory pids", "memory pids");
    group("user", "memory pids", "memory pids");
    group("user/app", "memory pids", "");
    write_file(file("mountinfo"),
               "30 20 0:27 / " + tree().string() + " rw,nosuid shared:9 - cgroup2 cgroup2 rw\n");
    write_file(file("cgroup"), "0::/user/app\n");
  }
  void group(const fs::path& name, const std::string& controllers, const std::string& below) {
    write_file(tree() / name / "cgroup.controllers", controllers + "\n");
    write_file(tree() / name / "cgroup.subtree_control", below + "\n");
    write_file(tree() / name / "cgroup.procs", "");
  }
  fs::path tree() const { return folder_.path() / "tree"; }
  fs::path file(const char* name) const { return folder_.path() / name; }
  std::optional<CgroupPlace> find() const {
    return find_cgroup_place(file("mountinfo"), file("cgroup"));
  }

 private:
  WorkDir folder_;
};

// A tree of this machine that limits memory and processes.
std::optional<CgroupPlace> limiting_place() {
  const auto place = find_cgroup_place();
  if (place && place->memory && place->processes) return place;
  WARN(
      "no cgroup tree of version 2 with memory and pids is delegated to this user, so that limits "
      "are measured instead, which limits_test.cc and abuse_test.cc test");
  return std::nullopt;
}

// A child process in the group that does `work` and exits with what it returns; its wait status.
template <typename Work>
int run_in_group(Cgroup& group, const Work& work) {
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    char byte = 0;
    ::close(ready[1]);
    const bool told = ::read(ready[0], &byte, 1) == 1;
    ::_exit(told ? work() : 255);
  }
  ::close(ready[0]);
  REQUIRE(group.add(child));
  REQUIRE(::write(ready[1], "x", 1) == 1);
  ::close(ready[1]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

}  // namespace

TEST_CASE("a group ends what takes more memory than it may") {
  const auto place = limiting_place();
  if (!place) return;
  Limits limits;
  limits.memory_bytes = 32 << 20;
  Cgroup group(*place, limits);
  const int status = run_in_group(group, [] {
    constexpr size_t kTooMuch = 128 << 20;
    volatile char* memory = new char[kTooMuch];
    for (size_t at = 0; at < kTooMuch; at += 4096) memory[at] = 1;
    return 0;
  });
  CHECK(WIFSIGNALED(status));
  CHECK(group.ran_out_of_memory());
}

TEST_CASE("a group refuses processes past its limit") {
  const auto place = limiting_place();
  if (!place) return;
  Limits limits;
  limits.processes = 10;
  Cgroup group(*place, limits);
  const int status = run_in_group(group, [] {
    int made = 0;
    for (; made < 100; ++made) {
      const pid_t child = ::fork();
      if (child < 0) break;
      if (child == 0) {
        ::pause();
        ::_exit(0);
      }
    }
    return made;
  });
  CHECK(WEXITSTATUS(status) >= 9);
  CHECK(WEXITSTATUS(status) <= 12);
  group.kill();
}

TEST_CASE("a command in a group is said to have run out of memory, in every kind of box") {
  if (!limiting_place()) return;
  const WorkDir work;
  Policy policy = task_policy(work.path());
  policy.limits.memory_bytes = 64 << 20;
  const BoxKind kind = GENERATE(from_range(box_kinds()));
  CAPTURE(kind);
  const Sandbox box = kind.make(policy);
  CHECK(shell(box, "python3 -c 'b = bytearray(600 << 20)'").end == End::kOutOfMemory);
  CHECK(shell(box, "python3 -c 'b = bytearray(16 << 20)'").ok());
}

TEST_CASE("groups are made where the nearest one above hands controllers down") {
  Tree tree;
  fs::remove(tree.tree() / "user/app/cgroup.controllers");  // it may not switch them on itself
  const auto place = tree.find();
  REQUIRE(place);
  CHECK(place->folder == tree.tree() / "user");
  CHECK(place->memory);
  CHECK(place->processes);
}

TEST_CASE("where no controller is handed down, groups are still good for killing") {
  Tree tree;
  for (const char* name : {"", "user", "user/app"}) tree.group(name, "hugetlb", "");
  const auto place = tree.find();
  REQUIRE(place);
  CHECK(place->folder == tree.tree() / "user/app");
  CHECK_FALSE(place->memory);
}

TEST_CASE("without a version 2 tree, or outside of the part that is seen, there is no place") {
  Tree tree;
  write_file(tree.file("cgroup"), "0::/../elsewhere\n");
  CHECK_FALSE(tree.find());
  write_file(tree.file("cgroup"), "4:memory:/user\n");
  CHECK_FALSE(tree.find());
  write_file(tree.file("mountinfo"), "30 20 0:27 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n");
  CHECK_FALSE(tree.find());
}

TEST_CASE("a place that does not let limits be set is refused") {
  Tree tree;
  REQUIRE_THROWS_AS(Cgroup({tree.tree() / "user", true, true}, Limits{}), SetupError);
  CHECK_FALSE(fs::exists(tree.tree() / "user/dsv4"));
}

TEST_CASE("a group counts what its processes use and kills them") {
  const auto place = find_cgroup_place();
  if (!place) return;  // this user may make none, which doctor says
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;) {
    }
  }
  Cgroup group(*place, Limits{});
  REQUIRE(group.add(child));
  while (group.processor_time().value_or(std::chrono::hours(1)) < std::chrono::milliseconds(20)) {
  }
  CHECK_FALSE(group.ran_out_of_memory());
  group.kill();
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WTERMSIG(status) == SIGKILL);
}
