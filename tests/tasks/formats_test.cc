#include <git2.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "agent/error.h"
#include "agent/git.h"
#include "tasks/check.h"
#include "tasks/suite.h"
#include "tasks/test_specs.h"
#include "tests/catch.h"
#include "tests/tasks/suites.h"

using namespace dsv4::tasks;
using dsv4::agent::UsageError;
using nlohmann::json;

namespace {

std::string wrong_with(const Suite& suite) {
  std::string all;
  check_suite(suite, {}, 1, {}, [&](const TaskCheck& check) {
    if (check.wrong) all += check.id + ": " + *check.wrong + "\n";
  });
  return all;
}

std::vector<std::string> ids(const Suite& suite) {
  std::vector<std::string> out;
  for (const Task& task : suite.tasks) out.push_back(task.id);
  return out;
}

std::string head_of(const std::filesystem::path& repository) {
  const dsv4::agent::GitLibrary library;
  const auto open = dsv4::agent::open_repository(repository.string());
  git_oid id;
  dsv4::agent::check_git(git_reference_name_to_id(&id, open.get(), "HEAD"), "HEAD");
  return git_oid_tostr_s(&id);
}

// A clone with a Python module whose test is written by the test patch, and its instance.
json swe_instance(const Scratch& scratch) {
  scratch.write("clones/me__calc/calc.py", "def add(a, b):\n    return a - b\n");
  scratch.write("clones/me__calc/tests/test_old.py",
                "import unittest\nimport calc\n\n\nclass Old(unittest.TestCase):\n"
                "    def test_zero(self):\n        self.assertEqual(calc.add(1, 0), 1)\n");
  scratch.write("clones/me__calc/.gitignore", "*.log\n");
  git_init(scratch / "clones/me__calc");
  git_commit_all(scratch / "clones/me__calc", "calc");
  return {{"instance_id", "me__calc-1"},
          {"repo", "me/calc"},
          {"base_commit", head_of(scratch / "clones/me__calc")},
          {"problem_statement", "add subtracts"},
          {"version", "1.0"},
          {"patch",
           "diff --git a/calc.py b/calc.py\n--- a/calc.py\n+++ b/calc.py\n@@ -1,2 +1,2 @@\n"
           " def add(a, b):\n-    return a - b\n+    return a + b\n"},
          {"test_patch",
           "diff --git a/tests/test_new.py b/tests/test_new.py\nnew file mode 100644\n"
           "--- /dev/null\n+++ b/tests/test_new.py\n@@ -0,0 +1,7 @@\n+import unittest\n"
           "+import calc\n+\n+\n+class New(unittest.TestCase):\n+    def test_two(self):\n"
           "+        self.assertEqual(calc.add(1, 1), 2)\n"
           "diff --git a/tests/test_old.py b/tests/test_old.py\n--- a/tests/test_old.py\n"
           "+++ b/tests/test_old.py\n@@ -5,3 +5,4 @@\n class Old(unittest.TestCase):\n"
           "     def test_zero(self):\n         self.assertEqual(calc.add(1, 0), 1)\n+\n"},
          {"FAIL_TO_PASS", "[\"test_two (tests.test_new.New.test_two)\"]"},
          {"PASS_TO_PASS", {"test_zero (tests.test_old.Old.test_zero)"}}};
}

SuiteOptions swe_options(const Scratch& scratch) {
  scratch.write("specs.toml",
                "[\"me/calc\"]\ntest = \"python3 -m unittest -v\"\n"
                "[\"me/calc@2.0\"]\ntest = \"false\"\n");
  SuiteOptions options;
  options.repos = scratch / "clones";
  options.tests = scratch / "specs.toml";
  return options;
}

}  // namespace

TEST_CASE("own folders are read with what their about.toml says") {
  const Scratch scratch;
  write_own_task(scratch, "suite/b",
                 "grade = \"one-line\"\nlanguage = \"bash\"\nkind = \"word\"\n");
  write_own_task(scratch, "suite/a");
  scratch.write("suite/README.md", "no task");
  Suite suite = load_suite(scratch / "suite/", {});
  REQUIRE(suite.name == "suite");
  REQUIRE(ids(suite) == std::vector<std::string>{"a", "b"});
  REQUIRE(suite.tasks[1].grade == "one-line");
  REQUIRE(suite.tasks[1].language == "bash");
  REQUIRE(suite.tasks[1].kind == "word");
  REQUIRE(suite.tasks[1].issue.find("---") == std::string::npos);
  const std::string before = fingerprint(suite);
  scratch.write("suite/a/repo/value.txt", "wrong still\n");
  REQUIRE(fingerprint(load_suite(scratch / "suite", {})) != before);
  REQUIRE(ids(load_suite(scratch / "suite/b", {})) == std::vector<std::string>{"b"});
  select("b*", {}, &suite);
  REQUIRE(ids(suite) == std::vector<std::string>{"b"});
}

TEST_CASE("what is no suite is refused with a sentence") {
  const Scratch scratch;
  write_own_task(scratch, "bad_about/x", "grade = \"huge\"\n");
  write_own_task(scratch, "odd_about/x", "colour = \"red\"\n");
  write_own_task(scratch, "no_test/x");
  scratch.write("no_test/x/issue.md", "# Only words\n");
  scratch.write("empty/readme", "");
  scratch.write("some.txt", "");
  scratch.write("bad.json", "[{]");
  scratch.write("thin.jsonl", "{\"instance_id\": \"a\"}\n");
  SuiteOptions options;
  options.repos = scratch.path();
  for (const auto& [path, sentence] : std::vector<std::pair<std::string, std::string>>{
           {"absent", "there is no suite"},
           {"empty", "there is no task in"},
           {"some.txt", "is no suite"},
           {"bad_about", "grade must be"},
           {"odd_about", "colour is not one of"},
           {"no_test", "names no test command"},
           {"bad.json", "is no JSON"},
           {"thin.jsonl", "thin.jsonl:1 has no text `repo`"}}) {
    INFO(path);
    REQUIRE_THROWS_WITH(load_suite(scratch / path, options), message_with(sentence));
    REQUIRE_THROWS_AS(load_suite(scratch / path, options), UsageError);
  }
  REQUIRE_THROWS_WITH(load_suite(scratch / "thin.jsonl", {}), message_with("--repos"));
}

TEST_CASE("a SWE-bench instance is graded with its test patch on a clone's commit") {
  const Scratch scratch;
  const json instance = swe_instance(scratch);
  scratch.write("clones/me__calc/calc.py", "not what was committed");
  const SuiteOptions options = swe_options(scratch);
  SECTION("a line each, lists as texts") { scratch.write("s.jsonl", instance.dump() + "\n\n"); }
  SECTION("an array") { scratch.write("s.jsonl", json::array({instance}).dump(1)); }
  SECTION("lists as lists") {
    json other = instance;
    other["FAIL_TO_PASS"] = json::parse(instance["FAIL_TO_PASS"].get<std::string>());
    scratch.write("s.jsonl", other.dump());
  }
  const Suite suite = load_suite(scratch / "s.jsonl", options);
  REQUIRE(suite.format == "SWE-bench");
  const Task& task = suite.tasks.at(0);
  REQUIRE(task.test == "python3 -m unittest -v 'tests/test_new.py' 'tests/test_old.py'");
  REQUIRE(task.test_for_agent == "python3 -m unittest -v 'tests/test_old.py'");
  task.make_tree(scratch / "tree");
  REQUIRE_FALSE(std::filesystem::exists(scratch / "tree/tests/test_new.py"));
  REQUIRE(scratch.read("tree/calc.py") == "def add(a, b):\n    return a - b\n");
  REQUIRE(wrong_with(suite).empty());
}

TEST_CASE("what is missing for a SWE-bench instance is named") {
  const Scratch scratch;
  json instance = swe_instance(scratch);
  const SuiteOptions options = swe_options(scratch);
  const auto message = [&] {
    scratch.write("s.json", json::array({instance}).dump());
    try {
      const Suite suite = load_suite(scratch / "s.json", options);
      suite.tasks.at(0).make_tree(scratch / "tree");
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  REQUIRE(message().empty());
  instance["base_commit"] = "0123456789012345678901234567890123456789";
  REQUIRE(message().find("has no commit 0123") != std::string::npos);
  instance["repo"] = "other/calc2";
  REQUIRE(message().find("clone it as other__calc2") != std::string::npos);
  instance["FAIL_TO_PASS"] = json::array();
  REQUIRE(message().find("names no test in FAIL_TO_PASS") != std::string::npos);
  instance["FAIL_TO_PASS"] = 3;
  REQUIRE(message().find("neither a list of names") != std::string::npos);
}

TEST_CASE("commands of a repository are chosen by its version") {
  const Scratch scratch;
  swe_options(scratch);
  TestSpecs specs;
  specs.read(scratch / "specs.toml");
  REQUIRE(specs.find("me/calc", "1.0").test == "python3 -m unittest -v");
  REQUIRE(specs.find("me/calc", "2.0").test == "false");
  REQUIRE(specs.find("a/b", "1").test == "python3 -m pytest -rA");
  REQUIRE(test_command(specs.find("django/django", "4.2"), {"tests/forms/test_it's.py"}) ==
          "./tests/runtests.py --verbosity 2 --parallel 1 'forms.test_it'\\''s'");
  scratch.write("bad.toml", "[\"a/b\"]\nnames = \"lines\"\n");
  REQUIRE_THROWS_WITH(specs.read(scratch / "bad.toml"), message_with("bad.toml:2: names is not"));
}

TEST_CASE("a patch's files are told by its headers alone") {
  const auto files = patched_files(
      "diff --git a/x b/x\nnew file mode 100644\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n"
      "+deleted file mode\ndiff --git a/old b/old\ndeleted file mode 100644\n"
      "diff --git a/y z b/y z\n--- a/y z\n+++ b/y z\n@@ -1 +1 @@\n-a\n+new file mode\n");
  REQUIRE(files.size() == 3);
  REQUIRE(files[0].path == "x");
  REQUIRE(files[0].change == PatchedFile::Change::kMade);
  REQUIRE(files[1].change == PatchedFile::Change::kRemoved);
  REQUIRE(files[2].path == "y z");
  REQUIRE(files[2].change == PatchedFile::Change::kChanged);
}

TEST_CASE("QuixBugs' layout gives a task for each program with its tests only") {
  const Scratch scratch;
  for (const char* name : {"twice", "half"}) {
    const std::string n = name;
    const std::string right = n == "twice" ? "2 * x" : "x / 2";
    scratch.write("q/python_programs/" + n + ".py", "def " + n + "(x):\n    return x\n");
    scratch.write("q/correct_python_programs/" + n + ".py",
                  "def " + n + "(x):\n    return " + right + "\n");
    scratch.write("q/json_testcases/" + n + ".json", "[[4], 8]\n");
    scratch.write("q/python_testcases/test_" + n + ".py",
                  "import unittest\nfrom python_programs." + n + " import " + n +
                      "\n\n\nclass T(unittest.TestCase):\n    def test_it(self):\n"
                      "        self.assertEqual(" +
                      n + "(4), " + (n == "twice" ? "8" : "2") + ")\n");
  }
  scratch.write("q/python_programs/node.py", "");
  SuiteOptions options;
  options.test = "python3 -m unittest python_testcases/test_*.py";
  const Suite suite = load_suite(scratch / "q", options);
  REQUIRE(suite.format == "QuixBugs");
  REQUIRE(ids(suite) == std::vector<std::string>{"half", "twice"});
  suite.tasks[0].make_tree(scratch / "tree");
  REQUIRE(std::filesystem::exists(scratch / "tree/python_programs/half.py"));
  REQUIRE_FALSE(std::filesystem::exists(scratch / "tree/python_programs/twice.py"));
  REQUIRE_FALSE(std::filesystem::exists(scratch / "tree/correct_python_programs"));
  REQUIRE(wrong_with(suite).empty());
}

TEST_CASE("Harbor's tasks run without a container where their Dockerfile only copies") {
  const Scratch scratch;
  scratch.write("h/plain/task.toml",
                "version = \"1.0\"\n[metadata]\ndifficulty = \"easy\"\ncategory = \"text\"\n"
                "[verifier]\ntimeout_sec = 60.0\n");
  scratch.write("h/plain/instruction.md", "Write right into /app/value.txt\n");
  scratch.write("h/plain/environment/Dockerfile",
                "FROM ubuntu:24.04\n# comment\nWORKDIR /app\nCOPY value.txt \\\n  /app/\n");
  scratch.write("h/plain/environment/value.txt", "wrong\n");
  scratch.write("h/plain/tests/test.sh",
                "#!/bin/bash\nsh /tests/check.sh && echo 1 > /logs/verifier/reward.txt || "
                "echo 0 > /logs/verifier/reward.txt\n");
  scratch.write("h/plain/tests/check.sh", "grep -q right /app/value.txt\n");
  scratch.write("h/plain/solution/solve.sh", "echo right > /app/value.txt\n");
  scratch.write("h/image/task.toml", "version = \"1.0\"\n");
  scratch.write("h/image/instruction.md", "Do it\n");
  scratch.write("h/image/environment/Dockerfile", "FROM ubuntu\nRUN apt-get install -y gcc\n");
  scratch.write("h/image/tests/test.sh", "echo 0 > /logs/verifier/reward.txt\n");
  const Suite suite = load_suite(scratch / "h", {});
  REQUIRE(ids(suite) == std::vector<std::string>{"plain"});
  REQUIRE(suite.tasks[0].grade == "easy");
  REQUIRE(suite.tasks[0].kind == "text");
  REQUIRE(suite.tasks[0].timeout == std::chrono::seconds(60));
  REQUIRE(suite.notes.at(0).find("image needs a container image (`RUN apt-get") == 0);
  REQUIRE(wrong_with(suite).empty());
  SuiteOptions options;
  options.no_image = true;
  REQUIRE(ids(load_suite(scratch / "h", options)) == std::vector<std::string>{"image", "plain"});
  REQUIRE_THROWS_WITH(load_suite(scratch / "h/image", {}), message_with("--no-image"));
  // Of two files of rewards the JSON counts, as it does for Harbor.
  for (const char* name : {"task.toml", "instruction.md", "solution/solve.sh",
                           "environment/Dockerfile", "environment/value.txt"}) {
    scratch.write("j/both/" + std::string(name), scratch.read("h/plain/" + std::string(name)));
  }
  scratch.write("j/both/tests/test.sh",
                "r=0; grep -q right /app/value.txt && r=1\necho 0 > /logs/verifier/reward.txt\n"
                "echo \"{\\\"speed\\\": 3, \\\"reward\\\": $r.0}\" > /logs/verifier/reward.json\n");
  REQUIRE(wrong_with(load_suite(scratch / "j", {})).empty());
}

TEST_CASE("a Harbor task copies nothing from outside of its folder, and nothing out of its tree") {
  const Scratch scratch;
  scratch.write("outside/key", "somebody's\n");
  scratch.write("h/t/task.toml", "version = \"1.0\"\n");
  scratch.write("h/t/instruction.md", "Do it\n");
  scratch.write("h/t/tests/test.sh", "true\n");
  scratch.write("h/t/environment/one/plain", "one\n");
  scratch.write("h/t/environment/two/link", "two\n");
  scratch.write("h/t/environment/three/dir/key", "three\n");
  std::filesystem::create_symlink(scratch / "outside/key", scratch / "h/t/environment/one/link");
  std::filesystem::create_symlink(scratch / "outside", scratch / "h/t/environment/one/dir");
  const auto tree_of = [&](const std::string& copies) {
    scratch.write("h/t/environment/Dockerfile", "FROM x\nWORKDIR /app\n" + copies);
    const Suite suite = load_suite(scratch / "h", {});
    std::filesystem::remove_all(scratch / "tree");
    suite.tasks.at(0).make_tree(scratch / "tree");
  };
  for (const std::string& copy :
       {std::string("COPY ../../../outside/key ."), std::string("COPY one/link ."),
        std::string("COPY one/dir sub/"), std::string("COPY one .\nCOPY two/link dir/"),
        "COPY " + (scratch / "outside/key").string() + " ."}) {
    INFO(copy);
    CHECK_THROWS_AS(tree_of(copy + "\n"), dsv4::agent::UsageError);
    CHECK_FALSE(std::filesystem::exists(scratch / "outside/link"));
  }
  tree_of("COPY one .\nCOPY two .\nCOPY three .\n");
  CHECK(scratch.read("tree/link") == "two\n");
  CHECK(scratch.read("tree/dir/key") == "three\n");
  CHECK(scratch.read("outside/key") == "somebody's\n");
  scratch.write("h/t/task.toml", "[verifier]\ntimeout_sec = -inf\n");
  REQUIRE_THROWS_WITH(load_suite(scratch / "h", {}), message_with("timeout_sec"));
}

TEST_CASE("a pipe in place of a task's file is named, not waited for") {
  const Scratch scratch;
  for (const char* name : {"about.toml", "gold.patch"}) {
    write_own_task(scratch, "suite/t");
    std::filesystem::remove(scratch / "suite/t" / name);
    REQUIRE(::mkfifo((scratch / "suite/t" / name).c_str(), 0600) == 0);
    REQUIRE_THROWS_WITH(load_suite(scratch / "suite", {}), message_with(name));
    std::filesystem::remove(scratch / "suite/t" / name);
  }
}

TEST_CASE("a SWE-bench instance names no folder but its clone's, and is not nested for ever") {
  const Scratch scratch;
  scratch.write("repos/x/f", "");
  git_init(scratch / "own");
  SuiteOptions options;
  options.repos = scratch / "repos";
  const auto read = [&](const std::string& repo, const std::string& more) {
    scratch.write(
        "s.jsonl",
        R"({"instance_id": "a", "base_commit": "b", "problem_statement": "p", "patch": "",)"
        R"("test_patch": "", "FAIL_TO_PASS": ["t"], "repo": ")" +
            repo + "\", \"more\": " + more + "}\n");
    return load_suite(scratch / "s.jsonl", options);
  };
  for (const std::string& repo : {std::string("../own"), "x/" + (scratch / "own").string(),
                                  std::string("x/../../own"), std::string("")}) {
    INFO(repo);
    CHECK_THROWS_WITH(read(repo, "1"), message_with("repo is no owner/name"));
  }
  const std::string deep = std::string(500'000, '[') + std::string(500'000, ']');
  CHECK_THROWS_WITH(read("x/y", deep), message_with("nested too deep"));
}
