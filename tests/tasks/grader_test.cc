#include "tasks/grader.h"

#include "agent/error.h"
#include "tasks/check.h"
#include "tasks/suite.h"
#include "tasks/tree.h"
#include "tests/catch.h"
#include "tests/tasks/suites.h"

using namespace dsv4::tasks;

namespace {

// A tree of run.sh, which prints what becomes of three tests as pytest does, from three files.
Task named_task() {
  Task task;
  task.id = "named";
  task.issue = "c fails";
  task.make_tree = [](const std::filesystem::path& tree) {
    write_text(tree / "run.sh",
               "for t in a b c; do\n"
               "  if [ \"$(cat $t)\" = good ]; then echo \"PASSED x.py::$t\"\n"
               "  else echo \"FAILED x.py::$t - bad\"; fi\ndone\nexit 1\n");
    write_text(tree / "a", "good\n");
    write_text(tree / "b", "bad\n");
    write_text(tree / "c", "bad\n");
  };
  task.test = "sh run.sh";
  task.fail_to_pass = {"x.py::c"};
  task.pass_to_pass = {"x.py::a"};
  return task;
}

std::string change(const char* file, const char* from, const char* to) {
  const std::string name = file;
  return "diff --git a/" + name + " b/" + name + "\n--- a/" + name + "\n+++ b/" + name +
         "\n@@ -1 +1 @@\n-" + from + "\n+" + to + "\n";
}

class Graded {
 public:
  explicit Graded(const Task& task) {
    std::filesystem::create_directories(scratch_ / "grading");
    grader_ =
        std::make_unique<Grader>(task, scratch_ / "grading", GraderOptions{}, std::stop_token());
  }
  const Grader* operator->() const { return grader_.get(); }

 private:
  Scratch scratch_;
  std::unique_ptr<Grader> grader_;
};

}  // namespace

TEST_CASE("named tests decide: those that failed pass, and those that passed still do") {
  const Task task = named_task();
  const Graded grader(task);
  REQUIRE_FALSE(grader->wrong_without_patch());
  REQUIRE(grader->grade(change("c", "bad", "good")).resolved);  // b may fail, and the exit status
  const Grade nothing = grader->grade("");
  REQUIRE_FALSE(nothing.resolved);
  REQUIRE(nothing.reason == "nothing was changed");
  const Grade elsewhere = grader->grade(change("b", "bad", "good"));
  REQUIRE_FALSE(elsewhere.resolved);
  REQUIRE(elsewhere.reason == "still failing: x.py::c");
  const Grade broken = grader->grade(change("c", "bad", "good") + change("a", "good", "bad"));
  REQUIRE_FALSE(broken.resolved);
  REQUIRE(broken.reason == "passed before and fails now: x.py::a");
  REQUIRE(broken.failing == std::vector<std::string>{"x.py::a"});
  const Grade misfit = grader->grade(change("c", "other", "good"));
  REQUIRE_FALSE(misfit.resolved);
  REQUIRE_FALSE(misfit.reason.empty());
  REQUIRE_FALSE(grader->grade("no patch at all").resolved);
}

TEST_CASE("a task whose named tests are not as it says is wrong") {
  Task task = named_task();
  SECTION("one that should fail passes") { task.fail_to_pass.push_back("x.py::a"); }
  SECTION("one that should pass fails") { task.pass_to_pass.push_back("x.py::b"); }
  SECTION("one that should pass is not there") { task.pass_to_pass.push_back("x.py::d"); }
  SECTION("nothing can be run") { task.test = "absent-program"; }
  REQUIRE(Graded(task)->wrong_without_patch());
}

TEST_CASE("a test that is not printed has not passed") {
  Task task = named_task();
  const Grade grade = Graded(task)->grade(change("c", "bad", "good") +
                                          "diff --git a/run.sh b/run.sh\ndeleted file mode 100644\n"
                                          "--- a/run.sh\n+++ /dev/null\n@@ -1,5 +0,0 @@\n"
                                          "-for t in a b c; do\n"
                                          "-  if [ \"$(cat $t)\" = good ]; then echo \"PASSED "
                                          "x.py::$t\"\n"
                                          "-  else echo \"FAILED x.py::$t - bad\"; fi\n-done\n"
                                          "-exit 1\n");
  REQUIRE_FALSE(grade.resolved);
  REQUIRE(grade.failing.size() == 2);
}

TEST_CASE("a patch to the tests of a task does not count") {
  const Scratch scratch;
  write_own_task(scratch, "suite/one");
  const Suite suite = load_suite(scratch / "suite", {});
  const Graded grader(suite.tasks.at(0));
  REQUIRE(grader->grade(*suite.tasks[0].gold).resolved);
  const Grade cheat = grader->grade(change("test_value.sh", "grep -q right value.txt", "true"));
  REQUIRE_FALSE(cheat.resolved);
}

TEST_CASE("tests that the agent does not see decide, whatever lies in their place") {
  Task task = named_task();
  task.fail_to_pass = {"x.py::hidden"};
  task.pass_to_pass.clear();
  task.test = "sh hidden.sh";
  task.add_tests = [](const std::filesystem::path& tree) {
    write_text(tree / "hidden.sh",
               "if [ \"$(cat c)\" = good ]; then echo \"PASSED x.py::hidden\"; fi\n");
  };
  const Graded grader(task);
  REQUIRE_FALSE(grader->wrong_without_patch());
  REQUIRE(grader->grade(change("c", "bad", "good")).resolved);
  const std::string forged =
      "diff --git a/hidden.sh b/hidden.sh\nnew file mode 100644\n--- /dev/null\n+++ b/hidden.sh\n"
      "@@ -0,0 +1 @@\n+echo \"PASSED x.py::hidden\"\n";
  REQUIRE_FALSE(grader->grade(forged).resolved);
}

TEST_CASE("a suite counts when every task's own patch scores 1 and no patch 0") {
  const Scratch scratch;
  for (const char* name : {"right", "no_gold", "bad_gold", "passes", "no_fit"}) {
    write_own_task(scratch, std::string("suite/") + name);
  }
  std::filesystem::remove(scratch / "suite/no_gold/gold.patch");
  scratch.write("suite/bad_gold/gold.patch", change("value.txt", "wrong", "other"));
  scratch.write("suite/passes/repo/value.txt", "right\n");
  scratch.write("suite/no_fit/gold.patch", change("value.txt", "unknown", "right"));
  const Suite suite = load_suite(scratch / "suite", {});
  size_t told = 0;
  const auto checks = check_suite(suite, {}, 2, {}, [&](const TaskCheck&) { ++told; });
  REQUIRE(told == 5);
  REQUIRE(checks.size() == 5);
  for (const TaskCheck& check : checks) {
    INFO(check.id << ": " << check.wrong.value_or(""));
    REQUIRE(check.wrong.has_value() == (check.id != "right"));
  }
}
