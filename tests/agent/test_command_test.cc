#include "agent/test_command.h"

#include <algorithm>
#include <map>

#include "agent/test_files.h"
#include "tests/agent/scratch.h"
#include "tests/catch.h"

using namespace dsv4::agent;

namespace {

std::string detected(const std::map<std::string, std::string>& files) {
  const Scratch scratch;
  std::vector<std::string> paths;
  for (const auto& [path, text] : files) {
    scratch.write(path, text);
    paths.push_back(path);
  }
  const auto found = detect_test_command(scratch.path(), paths);
  return found ? found->command : "";
}

}  // namespace

TEST_CASE("the test command is detected from what a repository has") {
  REQUIRE(
      detected({{"CMakeLists.txt", "enable_testing()\n"}, {"Makefile", "test:\n"}}) ==
      "cmake -S . -B build && cmake --build build && ctest --test-dir build --output-on-failure");
  REQUIRE(detected({{"package.json", R"({"scripts": {"test": "node t.js"}})"}}) == "npm test");
  REQUIRE(detected({{"Cargo.toml", ""}}) == "cargo test --offline");
  REQUIRE(detected({{"go.mod", ""}}) == "go test ./...");
  REQUIRE(detected({{"Makefile", "all:\n\ntest: all\n\t./t\n"}}) == "make test");
  REQUIRE(detected({{"Makefile", "check:\n\t./t\n"}}) == "make check");
  REQUIRE(detected({{"pytest.ini", ""}}) == "python3 -m pytest -q");
  REQUIRE(detected({{"test_a.py", "import pytest\n"}}) == "python3 -m pytest -q");
  REQUIRE(detected({{"test_a.py", "import unittest\n"}, {"test_b.py", "import unittest\n"}}) ==
          "python3 -m unittest discover");
  REQUIRE(detected({{"test_a.py", "if __name__ == '__main__': main()\n"}}) == "python3 test_a.py");
}

TEST_CASE("nothing is detected where nothing says how to test") {
  REQUIRE(detected({{"CMakeLists.txt", "project(x)\n"}}).empty());
  REQUIRE(detected({{"Makefile", "all:\n"}}).empty());
  REQUIRE(detected({{"package.json", "not json"}}).empty());
  REQUIRE(detected({{"package.json",
                     R"({"scripts": {"test": "echo \"Error: no test specified\" && exit 1"}})"}})
              .empty());
  REQUIRE(detected({{"main.py", "print(1)\n"}}).empty());
}

TEST_CASE("test files are known by the conventions of their languages") {
  for (const char* path : {"test_a.py", "a_test.cc", "tests/data/x.txt", "src/test/java/X.java",
                           "a.spec.ts", "a.test.js", "conftest.py", "FooTest.java", "spec/x.rb",
                           "pkg/__tests__/a.js", "ring_test.cc", "test.sh"}) {
    INFO(path);
    REQUIRE(is_test_file(path));
  }
  for (const char* path : {"a.py", "contest.py", "latest.cc", "attest/x.py", "src/testable.h",
                           "protest.txt", "CONTEST.md", "greatest_hits.py"}) {
    INFO(path);
    REQUIRE_FALSE(is_test_file(path));
  }
}

TEST_CASE("files that steer the tests are known") {
  for (const char* path : {"conftest.py", "a/conftest.py", "pytest.ini", "sitecustomize.py",
                           "unittest.py", "a/pytest/__init__.py"}) {
    INFO(path);
    REQUIRE(steers_tests(path));
  }
  for (const char* path : {"site.py", "unittest/a_test.cc", "my_unittest.py", "tox.ini.in"}) {
    INFO(path);
    REQUIRE_FALSE(steers_tests(path));
  }
}

TEST_CASE("tests that fail are told from tests that cannot be run") {
  const auto ended = [](int status, const char* output) {
    dsv4::sandbox::Result result;
    result.status = status;
    result.output = output;
    return cannot_run(result);
  };
  REQUIRE(ended(127, "sh: 1: ctest: not found\n"));
  REQUIRE(ended(126, "sh: 1: ./run: Permission denied\n"));
  REQUIRE(ended(1, "/usr/bin/python3: No module named pytest\n"));
  REQUIRE(ended(2, "sh: 1: Syntax error: Unterminated quoted string\n"));
  REQUIRE(ended(2, "sh: -c: line 1: syntax error near unexpected token `)'\n"));
  REQUIRE_FALSE(ended(1, "ModuleNotFoundError: No module named 'app'\n"));
  REQUIRE_FALSE(ended(1, "E   No module named pytest: see the log\n1 failed\n"));
  REQUIRE_FALSE(ended(2, "make: *** [Makefile:2: test] Error 1\n"));
  REQUIRE_FALSE(ended(0, ""));
}

TEST_CASE("the task may name files and directories as fixed") {
  const FixedTests fixed({"./checks/", "run.sh"});
  REQUIRE(fixed.contains("checks/a.py"));
  REQUIRE(fixed.contains("run.sh"));
  REQUIRE_FALSE(fixed.contains("run.sh.in"));
  REQUIRE_FALSE(fixed.contains("checksum.py"));
  REQUIRE(fixed.contains("test_a.py"));
  REQUIRE_FALSE(fixed.named("test_a.py"));
}
