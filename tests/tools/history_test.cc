#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "tests/catch.h"
#include "tests/tools/fixture.h"

namespace fs = std::filesystem;
using dsv4::tools::testing::Bench;
using dsv4::tools::testing::change_something;
using dsv4::tools::testing::run_command;
using dsv4::tools::testing::tree_state;
using Json = nlohmann::ordered_json;

namespace {

std::string in(const fs::path& directory, const std::string& command) {
  return run_command("cd '" + directory.string() + "' && " + command);
}

// Applies the patch to a copy of the tree as it was and compares.
void check_patch(Bench& bench, const fs::path& before, const std::string& expected) {
  const std::string patch = bench.toolbox().diff();
  std::ofstream(bench.outside() / "patch", std::ios::binary) << patch;
  in(before, "git apply --whitespace=nowarn ../patch");
  CHECK(tree_state(before) == expected);
}

// Random changes and undos; undo must give back every tree there was, byte by byte.
void check_sequences(unsigned seed, int rounds) {
  std::mt19937 random(seed);
  for (int round = 0; round < rounds; ++round) {
    Bench bench;
    bench.put("d0/f0.txt", "a\nb\n");
    bench.put("d1/f1.txt", "c");
    bench.toolbox();
    std::vector<std::string> states;  // before each step that undo knows
    const std::string first = tree_state(bench.root());
    for (int step = 0; step < 6; ++step) {
      const std::string before = tree_state(bench.root());
      change_something(bench, random);
      const std::string after = tree_state(bench.root());
      if (after != before) states.push_back(before);
      if (random() % 4 == 0 && !states.empty()) {
        bench.done("undo", Json::object());
        REQUIRE(tree_state(bench.root()) == states.back());
        states.pop_back();
      }
    }
    while (!states.empty()) {
      const std::string reply = bench.done("undo", Json::object());
      INFO(reply);
      REQUIRE(tree_state(bench.root()) == states.back());
      states.pop_back();
    }
    REQUIRE(tree_state(bench.root()) == first);
    REQUIRE(bench.toolbox().diff().empty());
    REQUIRE(bench.refused("undo", Json::object()) == "Error: There is nothing to undo.");
  }
}

}  // namespace

TEST_CASE("any sequence of changes is taken back step by step to the very same tree") {
  check_sequences(7, 100);
}

// Takes about a minute: tools_tests "a thousand sequences*".
TEST_CASE("a thousand sequences of changes are taken back to the very same tree", "[.]") {
  check_sequences(8, 1000);
}

TEST_CASE("from any state the tools go back, or forward, to any that was kept") {
  std::mt19937 random(11);
  struct Kept {
    std::shared_ptr<const dsv4::tools::Toolbox::Snapshot> snapshot;
    std::string tree;
    std::string diff;
  };
  for (int round = 0; round < 40; ++round) {
    Bench bench;
    bench.put("d0/f0.txt", "a\nb\n");
    bench.put("d1/f1.txt", "c");
    std::vector<Kept> kept;
    for (int step = 0; step < 8; ++step) {
      kept.push_back(
          {bench.toolbox().snapshot(), tree_state(bench.root()), bench.toolbox().diff()});
      change_something(bench, random);
      const Kept& goal = kept[random() % kept.size()];
      bench.toolbox().go_back(*goal.snapshot);
      REQUIRE(tree_state(bench.root()) == goal.tree);
      REQUIRE(bench.toolbox().diff() == goal.diff);
    }
    while (!bench.call("undo", Json::object()).error) continue;  // steps were kept too
    REQUIRE(tree_state(bench.root()) == kept.front().tree);
  }
}

TEST_CASE("the patch can begin anew, and what went before it can be gone back to") {
  Bench bench;
  dsv4::tools::Toolbox& toolbox = bench.toolbox();
  const auto first = toolbox.snapshot();
  bench.done("edit", {{"path", "calc.py"}, {"old", "class Box:"}, {"new", "class Crate:"}});
  toolbox.begin_diff_here();
  CHECK(toolbox.diff().empty());
  CHECK(toolbox.go_back(*first) == std::vector<std::string>{"calc.py"});
  CHECK(toolbox.diff().find("-class Crate:\n+class Box:") != std::string::npos);
}

TEST_CASE("what somebody else changed is one step of undo") {
  Bench bench;
  dsv4::tools::Toolbox& toolbox = bench.toolbox();
  in(bench.root(), "echo x > new.txt; sed -i s/Box/Crate/ calc.py");
  toolbox.changed_from_outside();
  CHECK(bench.done("undo", Json::object()) == "Undid the last change to calc.py, new.txt.");
  CHECK(toolbox.diff().empty());
}

TEST_CASE("the patch carries binary files, modes, links, new and deleted files") {
  Bench bench;
  bench.put("bin.dat", std::string("\0\1\2", 3));
  bench.put("odd name \"q\".txt", "x\n");
  bench.track(".");
  const fs::path before = bench.outside() / "before";
  fs::copy(bench.root(), before, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  bench.toolbox();
  bench.done("bash",
             {{"command",
               "printf '\\000\\003' > bin.dat; printf 'a\\000b' > new.dat; chmod 755 calc.py; "
               "ln -s calc.py link; rm test_calc.py; echo y > 'odd name \"q\".txt'; "
               "mkdir -p sub; printf 'no end' > sub/new.txt"}});
  check_patch(bench, before, tree_state(bench.root()));
}

TEST_CASE("what builds and tests leave behind is not in the patch") {
  Bench bench("echo built > result.log; mkdir -p out; echo x > out/x; echo more >> calc.py");
  bench.put(".gitignore", "*.log\n");
  bench.put("kept.log", "1\n");
  bench.track(".");
  bench.toolbox();
  bench.call("test", Json::object());
  bench.done("bash", {{"command",
                       "mkdir -p __pycache__; echo x > __pycache__/a.pyc; echo 2 > kept.log; "
                       "echo 3 > a.log; printf '\\177ELFxx' > program; echo new > note.txt"}});
  const std::string patch = bench.toolbox().diff();
  CHECK(patch.find("calc.py") != std::string::npos);   // tracked: always
  CHECK(patch.find("kept.log") != std::string::npos);  // ignored but tracked
  CHECK(patch.find("note.txt") != std::string::npos);
  for (const char* left_out : {"result.log", "out/x", "pyc", "a.log", "program"}) {
    INFO(left_out);
    CHECK(patch.find(left_out) == std::string::npos);
  }
  CHECK(bench.done("diff", Json::object()) == patch);
}

TEST_CASE("undo names what it restored and forgets nothing but the last step") {
  Bench bench;
  CHECK(bench.done("diff", Json::object()) == "No changes.");
  bench.done("write", {{"path", "new/deep/a.py"}, {"content", "x = 1\n"}});
  bench.done("edit", {{"path", "calc.py"}, {"old", "class Box:"}, {"new", "class Crate:"}});
  CHECK(bench.done("undo", Json::object()) == "Undid the last change to calc.py.");
  CHECK(bench.has("new/deep/a.py"));
  CHECK(bench.done("undo", Json::object()) == "Undid the last change to new/deep/a.py.");
  CHECK_FALSE(bench.has("new"));
}

TEST_CASE("a test right after an edit of the same length runs the new code") {
  // Python would take a cached file of the same second and size for current.
  Bench bench("unset PYTHONDONTWRITEBYTECODE; python3 test_calc.py");
  bench.call("test", Json::object());
  REQUIRE(bench.has("__pycache__"));
  bench.done("edit", {{"symbol", "clamp"}, {"old", "if x < high:"}, {"new", "if x > high:"}});
  CHECK(bench.done("test", Json::object()) == "The tests pass.");
  bench.done("undo", Json::object());
  CHECK(bench.done("test", Json::object()).starts_with("The tests fail: exit status 1."));
}

TEST_CASE("the repository's own git settings, filters and hooks are not obeyed") {
  Bench bench;
  bench.put(".gitattributes", "*.py filter=evil diff=evil\n");
  bench.track(".");
  in(bench.root(),
     "git config filter.evil.clean 'touch ../pwned; cat' && git config diff.evil.textconv 'touch "
     "../pwned; cat' && git config diff.external 'touch ../pwned' && git config core.fsmonitor "
     "'touch ../pwned'");
  bench.done("edit", {{"path", "calc.py"}, {"old", "class Box:"}, {"new", "class Crate:"}});
  CHECK(bench.toolbox().diff().find("+class Crate:") != std::string::npos);
  bench.done("undo", Json::object());
  CHECK_FALSE(fs::exists(bench.outside() / "pwned"));
}
