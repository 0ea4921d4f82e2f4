#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/catch.h"
#include "tests/tools/fixture.h"
#include "tools/failures.h"
#include "tools/test_runs.h"

using dsv4::tools::testing::Bench;
using dsv4::tools::testing::run_command;
using Json = nlohmann::ordered_json;

namespace {

// The report on a test command that prints `output` and fails. The files make the places real.
std::string report(const std::string& output) {
  Bench bench("cat output.txt; exit 1");
  bench.put("output.txt", output);
  bench.put("calc.cc",
            "int clamp(int x, int low, int high) {\n  return x < low ? low : x;\n}\n\n"
            "class Stack {\n public:\n  Stack() {}\n  int pop() { return 1; }\n};\n");
  bench.put("test.cc",
            "#include \"calc.cc\"\nvoid test_clamp() {\n  assert(clamp(5, 0, 3) == 3);\n}\n"
            "TEST_CASE(\"high\") {\n  CHECK(clamp(5, 0, 3) == 3);\n  int got = Stack().pop();\n"
            "  CHECK(got == 2);\n}\n");
  bench.put("calc.py",
            "def divide(a, b):\n    return a / b\n\n\ndef mean(values):\n"
            "    return divide(sum(values), len(values))\n");
  bench.put("test_calc.py",
            "from calc import mean\n\n\ndef test_mean():\n    assert mean([]) == 0\n\n\n"
            "def test_two():\n    got = mean([1, 3])\n    assert got == 2\n");
  const auto outcome = bench.call("test", Json::object());
  REQUIRE(outcome.test.has_value());
  CHECK_FALSE(outcome.test->passed);
  constexpr std::string_view kFirst = "The tests fail: exit status 1.\n";
  REQUIRE(outcome.text.starts_with(kFirst));
  return outcome.text.substr(kFirst.size());
}

}  // namespace

TEST_CASE("an exception shows the repository's innermost line and the functions it went through") {
  CHECK(report("Traceback (most recent call last):\n"
               "  File \"/work/test_calc.py\", line 12, in <module>\n"
               "    test_mean()\n"
               "  File \"/work/test_calc.py\", line 5, in test_mean\n"
               "    assert mean([]) == 0\n"
               "           ^^^^^^^^\n"
               "  File \"/work/calc.py\", line 6, in mean\n"
               "    return divide(sum(values), len(values))\n"
               "  File \"/work/calc.py\", line 2, in divide\n"
               "    return a / b\n"
               "           ~~^~~\n"
               "ZeroDivisionError: division by zero\n") ==
        "FAIL test_calc.py: test_mean\n"
        "  return a / b\n"
        "  ZeroDivisionError: division by zero\n"
        "  see calc.py: divide\n"
        "  see calc.py: mean");
}

TEST_CASE("of chained exceptions the last one counts") {
  CHECK(report("Traceback (most recent call last):\n"
               "  File \"/work/calc.py\", line 2, in divide\n    return a / b\n"
               "ZeroDivisionError: division by zero\n\n"
               "During handling of the above exception, another exception occurred:\n\n"
               "Traceback (most recent call last):\n"
               "  File \"/work/test_calc.py\", line 5, in test_mean\n    assert mean([]) == 0\n"
               "ValueError: empty\n") ==
        "FAIL test_calc.py: test_mean\n  assert mean([]) == 0\n  ValueError: empty\n"
        "  see calc.py: mean");
}

TEST_CASE("an assertion about a variable points at the call above it") {
  CHECK(report("Traceback (most recent call last):\n"
               "  File \"/work/test_calc.py\", line 10, in test_two\n    assert got == 2\n"
               "AssertionError\n") ==
        "FAIL test_calc.py: test_two\n  assert got == 2\n  AssertionError\n  see calc.py: mean");
}

TEST_CASE("a syntax error is placed by its line") {
  CHECK(report("  File \"/work/calc.py\", line 5\n    def mean(values)\n                    ^\n"
               "SyntaxError: expected ':'\n") ==
        "FAIL calc.py:5\n  def mean(values)\n  SyntaxError: expected ':'\n  see calc.py: mean");
}

TEST_CASE("pytest's sections are read") {
  CHECK(report("=================== FAILURES ===================\n"
               "___________________ test_mean ___________________\n\n"
               "    def test_mean():\n"
               ">       assert mean([]) == 0\n\n"
               "test_calc.py:5: \n"
               "_ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _\n"
               "calc.py:6: in mean\n"
               "    return divide(sum(values), len(values))\n"
               "a = 0, b = 0\n\n"
               "    def divide(a, b):\n"
               ">       return a / b\n"
               "E       ZeroDivisionError: division by zero\n\n"
               "calc.py:2: ZeroDivisionError\n"
               "___________________ test_two ___________________\n\n"
               "    def test_two():\n        got = mean([1, 3])\n"
               ">       assert got == 2\nE       assert 3 == 2\n\n"
               "test_calc.py:10: AssertionError\n"
               "=========== short test summary info ===========\n"
               "FAILED test_calc.py::test_mean - ZeroDivisionError: division by zero\n"
               "FAILED test_calc.py::test_two - assert 3 == 2\n") ==
        "FAIL test_calc.py: test_mean\n  return a / b\n  ZeroDivisionError: division by zero\n"
        "  see calc.py: divide\n  see calc.py: mean\n"
        "FAIL test_calc.py: test_two\n  assert got == 2\n  assert 3 == 2\n  see calc.py: mean");
}

TEST_CASE("a failed assert of C is placed in its function") {
  CHECK(report("a.out: test.cc:3: void test_clamp(): Assertion `clamp(5, 0, 3) == 3' failed.\n"
               "Aborted\n") ==
        "FAIL test.cc: test_clamp\n  assert(clamp(5, 0, 3) == 3);\n"
        "  Assertion `clamp(5, 0, 3) == 3' failed.\n  see calc.cc: clamp");
}

TEST_CASE("compiler errors show place, message and line") {
  CHECK(report("In file included from test.cc:1:\n"
               "calc.cc: In function 'int clamp(int, int, int)':\n"
               "calc.cc:2:10: error: 'y' was not declared in this scope\n"
               "    2 |   return x < low ? low : x;\n      |          ^\n") ==
        "FAIL calc.cc:2\n  error: 'y' was not declared in this scope\n"
        "  return x < low ? low : x;\n  see calc.cc: clamp");
}

TEST_CASE("Catch2 and GoogleTest failures carry the test's name") {
  const std::string rule(79, '-');
  CHECK(
      report(
          rule + "\nhigh\n" + rule + "\ntest.cc:5\n" + std::string(79, '.') +
          "\n\ntest.cc:6: FAILED:\n  CHECK( clamp(5, 0, 3) == 3 )\nwith expansion:\n  5 == 3\n\n" +
          std::string(79, '=') + "\ntest cases: 1 | 1 failed\n") ==
      "FAIL test.cc: high\n  CHECK(clamp(5, 0, 3) == 3);\n  5 == 3\n  see calc.cc: clamp\n(1 "
      "failed)");
  CHECK(report("[ RUN      ] Clamp.High\ntest.cc:6: Failure\nExpected equality of these values:\n"
               "  clamp(5, 0, 3)\n    Which is: 5\n  3\n\n[  FAILED  ] Clamp.High (0 ms)\n") ==
        "FAIL test.cc: Clamp.High\n  CHECK(clamp(5, 0, 3) == 3);\n  clamp(5, 0, 3)\n  Which is: 5\n"
        "  3\n  see calc.cc: clamp");
}

TEST_CASE("a script's own lines are shown as they are") {
  CHECK(report("ok clamp(1, 0, 3)\nFAIL clamp(5, 0, 3): expected 3, got 5\n1 of 2 failed\n") ==
        "FAIL clamp(5, 0, 3): expected 3, got 5\n  see calc.cc: clamp");
  CHECK(report("FAIL: Stack keeps its order\n") ==
        "FAIL: Stack keeps its order\n  see calc.cc: Stack");
}

TEST_CASE("at most three failures, without repeats") {
  const std::string text = report("FAIL a\nFAIL a\nFAIL b\nFAIL c\nFAIL d\n");
  CHECK(text == "FAIL a\nFAIL b\nFAIL c");
}

TEST_CASE("the end of the output stands in where nothing is recognised") {
  std::string output;
  for (int k = 1; k <= 20; ++k) output += "line " + std::to_string(k) + "\n";
  const std::string text = report(output);
  CHECK(text.starts_with("line 6\n"));
  CHECK(text.ends_with("\nline 20"));
  CHECK(report("") == "They printed nothing.");
}

TEST_CASE("CTest's list of failures is used when nothing else is there") {
  CHECK(report(
            "The following tests FAILED:\n\t  2 - shapes (Failed)\nErrors while running CTest\n") ==
        "FAIL shapes (Failed)");
}

TEST_CASE("hostile output neither hangs nor forges more than its own text") {
  std::string output;
  for (int k = 0; k < 20000; ++k) output += "Traceback (most recent call last):\n  File \"x\n";
  output +=
      "____\n" + std::string(100000, '_') + "\n:::1:1:1\n" + std::string(1000, ':') + "\n\xff\xfe";
  CHECK(report(output).size() < 4000);
  for (const char* line :
       {"  \u25cf a\n", "FAIL a.js\n", " FAIL  a > b\n", "  1) a\n", "  1 failing\n",
        "TypeError: x\n", "--- FAIL: a\n  --- FAIL: b\n", "not ok 1 - a\n  ---\n", "> a\n> jest\n",
        "Tests: 99999999999999999999 failed\n"}) {
    std::string many;
    for (int k = 0; k < 60'000; ++k) many += line;
    INFO(line);
    CHECK(report(many).size() < 4000);
    CHECK(dsv4::tools::read_test_run(many).counts().size() < 100);
  }
  CHECK(dsv4::tools::located("a.cc:99999999999999999999:1: error: x") == std::nullopt);
}

namespace {

std::string recorded(const std::string& name) {
  std::ifstream in(DSV4_SOURCE_DIR "/tests/tools/fixtures/test_outputs/" + name);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The report on a recorded output, in a tree with the files that it is about.
std::string recorded_report(const std::string& name) {
  static const std::string kThrown =
      "TEST(Clamp, High) { EXPECT_EQ(clamp(5, 0, 3), 3); }\n\n"
      "TEST(Clamp, Inside) { ASSERT_TRUE(clamp(2, 0, 3) == 2); }\n\n"
      "  SECTION(\"by a little\") { CHECK(clamp(4, 0, 3) == 3); }\n"
      "  SECTION(\"inside\") { REQUIRE(clamp(2, 0, 3) == 2); }\n\n\n"
      "TEST_CASE(\"nothing is thrown\") { throw thrown; }\n";
  const auto lines = [](size_t count) { return std::string(count, '\n'); };
  struct File {
    const char* of;  // the beginning of the recording's name
    const char* path;
    std::string text;
  };
  const File files[] = {
      {"pytest", "calc.py",
       "def clamp(x, low, high):\n    return x\n" + lines(6) +
           "def parse(text):\n    return int(text)\n"},
      {"pytest", "test_calc.py",
       lines(9) + "def test_clamp(x):\n\n    assert clamp(x, 0, 3) == min(x, 3)\n\n\n"
                  "class TestParse:\n    def test_words(self):\n"
                  "        assert parse(\"two\") == 2\n"},
      {"go", "calc.go",
       "package calc\n\nfunc Clamp(x, low, high int) int {\n\treturn x\n}\n" + lines(7) +
           "func Pick(items []int, at int) int {\n\treturn items[at]\n}\n"},
      {"go", "calc_test.go",
       "package calc\n" + lines(13) + "\t\t\t\tt.Errorf(\"Clamp(%d, 0, 3) = %d\", x, got)\n" +
           lines(6) + "\tif Pick([]int{1}, 3) != 0 {\n"},
      {"cargo", "src/lib.rs",
       "pub fn clamp(x: i32, low: i32, high: i32) -> i32 {\n    x\n}\n" + lines(18) +
           "        assert_eq!(clamp(5, 0, 3), 3);\n\n\n\n\n"
           "        assert!(clamp(2, 0, 3) == 2, \"inside the range\");\n"},
      {"n", "calc.js", "function clamp(x, low, high) {\n  return x;\n}\n"},
      {"n", "calc.test.js",
       lines(10) + "    assert.strictEqual(clamp(5, 0, 3), 3);\n\n\n    clamp.missing();\n"},
      {"c", "calc.h", "inline int clamp(int x, int low, int high) {\n  return x;\n}\n"},
      {"gtest", "calc.h", "inline int clamp(int x, int low, int high) {\n  return x;\n}\n"},
      {"c", "calc_test.cc", lines(5) + kThrown},
      {"gtest", "calc_test.cc", lines(5) + kThrown},
  };
  const std::string output = recorded(name + ".txt");
  Bench bench("cat output.txt; exit 1");
  bench.put("output.txt", output);
  std::filesystem::remove(bench.root() / "calc.py");
  std::filesystem::remove(bench.root() / "test_calc.py");
  for (const File& file : files) {
    if (name.starts_with(file.of) && (name != "cargo") == (file.of != std::string("cargo"))) {
      bench.put(file.path, file.text);
    }
  }
  return bench.call("test", Json::object()).text;
}

// The same in a tree with the files of a folder beside the recordings.
std::string recorded_report(const std::string& name, const std::string& folder) {
  const std::filesystem::path from =
      std::filesystem::path(DSV4_SOURCE_DIR "/tests/tools/fixtures/test_outputs") / folder;
  Bench bench("cat output.txt; exit 1");
  std::filesystem::remove(bench.root() / "calc.py");
  std::filesystem::remove(bench.root() / "test_calc.py");
  std::filesystem::copy(from, bench.root(), std::filesystem::copy_options::recursive);
  bench.put("output.txt", recorded(name + ".txt"));
  return bench.call("test", Json::object()).text;
}

}  // namespace

TEST_CASE("what real runners print is read: failures first, then the numbers") {
  for (const char* name : {"pytest", "pytest_short", "go", "cargo", "npm", "node_spec", "catch",
                           "gtest", "ctest", "ctest_out"}) {
    INFO(name);
    CHECK(recorded_report(name) + "\n" == recorded(std::string(name) + ".report"));
  }
}

TEST_CASE("what the runners of JavaScript, unittest and go's events print is read too") {
  const std::pair<const char*, const char*> recordings[] = {
      {"mocha", "javascript"},     {"mocha_color", "javascript"},
      {"mocha_tap", "javascript"}, {"mocha_broken", "javascript"},
      {"jest", "javascript"},      {"jest_color", "javascript"},
      {"jest_hook", "javascript"}, {"jest_suites", "javascript"},
      {"tape", "javascript"},      {"node_script", "javascript"},
      {"unittest", "unittest"},    {"go_json", "golang"},
      {"go_v", "golang"}};
  for (const auto& [name, folder] : recordings) {
    INFO(name);
    CHECK(recorded_report(name, folder) + "\n" == recorded(std::string(name) + ".report"));
  }
}

TEST_CASE("the numbers of a run are the runner's own, and what failed can be run alone") {
  using dsv4::tools::failing_only;
  using dsv4::tools::read_test_run;
  struct Case {
    const char* output;
    const char* counts;
    const char* command;
    const char* failing;  // empty: cannot be known
  };
  const Case cases[] = {
      {"pytest", "3 failed, 1 passed, 1 skipped", "python3 -m pytest -q",
       "python3 -m pytest -q --last-failed"},
      {"pytest", "3 failed, 1 passed, 1 skipped", "make test", ""},
      {"pytest", "3 failed, 1 passed, 1 skipped", "pytest | tee log", ""},
      {"ctest", "2 failed, 1 passed", "cmake --build b && ctest --test-dir b",
       "cmake --build b && ctest --test-dir b --rerun-failed --output-on-failure"},
      {"ctest_out", "2 failed, 1 passed", "ctest --test-dir b -j 2",
       "ctest --test-dir b -j 2 --rerun-failed --output-on-failure"},
      {"go", "2 failed", "go test ./...", "go test ./... -run '^(TestClamp|TestPick)$'"},
      {"cargo", "2 failed, 1 passed", "cargo test",
       "cargo test -- --exact 'tests::inside' 'tests::high'"},
      {"cargo", "2 failed, 1 passed", "cargo test -- --nocapture", ""},
      {"gtest", "2 failed, 1 passed", "make && ./t",
       "make && ./t --gtest_filter='Clamp.High:Clamp.Inside'"},
      {"catch", "2 failed, 1 passed", "make && ./t",
       "make && ./t '\"high values are lowered\",\"nothing is thrown\"'"},
      {"catch", "2 failed, 1 passed", "./t [fast]", ""},
      {"catch", "2 failed, 1 passed", "make check", ""},
      {"npm", "2 failed, 1 passed", "node --test a.test.js",
       "node --test --test-name-pattern='^high$' --test-name-pattern='^throws$' "
       "--test-name-pattern='^clamp$' a.test.js"},
      {"node_spec", "2 failed, 1 passed", "cd web && node --test",
       "cd web && node --test --test-name-pattern='^high$' --test-name-pattern='^throws$' "
       "--test-name-pattern='^clamp$'"},
      {"node_spec", "2 failed, 1 passed", "node --test --test-name-pattern=a", ""},
      {"npm", "2 failed, 1 passed", "npm test", ""},
      {"mocha", "5 failed, 1 passed, 1 skipped", "npm test -- test/calc.mocha.js",
       "npm test -- test/calc.mocha.js --grep '^(clamp outside lowers 5 to 3 \\(naïve ✖ case\\)$|"
       "total adds prices$|total throws$|total waits too long$|load )'"},
      {"mocha_color", "5 failed, 1 passed, 1 skipped", "npx mocha -g total", ""},
      {"mocha_color", "5 failed, 1 passed, 1 skipped", "make test", ""},
      {"jest_color", "4 failed, 0 passed", "cd web && npx jest",
       "cd web && npx jest -t '^(clamp\\(5\\) is 3$|clamp\\(9\\) is 3$|matches$|"
       "a thing that talks$)'"},
      {"jest_color", "4 failed, 0 passed", "npm test", ""},
      {"jest_suites", "3 failed, 0 passed", "jest", ""},
      {"tape", "2 failed, 1 passed", "npm test", ""},
      {"unittest", "", "python3 -m unittest discover -s .",
       "python3 -m unittest discover -s . -k 'test_calc.Base' -k 'test_calc.ClampTest.test_throws' "
       "-k 'test_calc.ClampTest.test_high' -k 'test_calc.ClampTest.test_many'"},
      {"unittest", "", "python3 -m unittest -k high", ""},
      {"go_v", "2 failed, 1 passed, 1 skipped", "go test -v",
       "go test -v -run '^(TestClamp|TestPick)$'"},
      {"node_spec", "2 failed, 1 passed", "npm test", ""},
  };
  for (const Case& one : cases) {
    INFO(one.output << " " << one.command);
    const auto run = read_test_run(recorded(std::string(one.output) + ".txt"));
    CHECK(run.counts() == one.counts);
    CHECK(failing_only(one.command, run).value_or("") == one.failing);
  }
  const auto jest = read_test_run(recorded("jest.txt"));
  CHECK(jest.counts() == "9 failed, 1 passed, 1 skipped");
  const std::string pattern = failing_only("npm test", jest).value_or("");
  CHECK(pattern.starts_with("npm test -- -t '^(clamp outside lowers 5 to 3 \\(naïve ✖ case\\)$|"));
  CHECK(failing_only("npm run test", jest).has_value());
  CHECK_FALSE(failing_only("npm run unit", jest).has_value());
  CHECK(read_test_run("Ran 3 tests in 0.001s\n\nFAILED (failures=1)\n").counts().empty());
}

TEST_CASE("vitest's failures are read, with what several tests have in common") {
  const std::string output =
      " \u276f src/calc.test.ts (3 tests | 3 failed) 12ms\n"
      "   \u00d7 clamp > lowers 4ms\n\n"
      "\u23af\u23af\u23af\u23af Failed Tests 3 \u23af\u23af\u23af\u23af\n\n"
      " FAIL  src/calc.test.ts > clamp > lowers\n"
      "AssertionError: expected 5 to be 3 // Object.is equality\n\n"
      "- Expected\n+ Received\n\n- 3\n+ 5\n\n"
      " \u276f src/calc.test.ts:2:27\n      1| it(\"lowers\", () => {\n"
      "      2|   expect(clamp(5, 0, 3)).toBe(3);\n       |                          ^\n\n"
      "\u23af\u23af\u23af\u23af\u23af[1/3]\u23af\n\n"
      " FAIL  src/calc.test.ts > total > a\n FAIL  src/calc.test.ts > total > b\n"
      "TypeError: Cannot read properties of null\n \u276f total src/calc.ts:1:40\n\n"
      "\u23af\u23af\u23af\u23af\u23af[3/3]\u23af\n\n"
      " Test Files  1 failed (1)\n      Tests  3 failed | 2 passed | 1 skipped (6)\n";
  Bench bench("cat output.txt; exit 1");
  bench.put("output.txt", output);
  bench.put("src/calc.ts", "export function total(items) { return items.length; }\n");
  bench.put("src/calc.test.ts", "it(\"lowers\", () => {\n  expect(clamp(5, 0, 3)).toBe(3);\n});\n");
  CHECK(bench.call("test", Json::object()).text ==
        "The tests fail: exit status 1.\n"
        "FAIL src/calc.test.ts > clamp > lowers\n  expect(clamp(5, 0, 3)).toBe(3);\n"
        "  AssertionError: expected 5 to be 3 // Object.is equality\n"
        "  Expected: 3\n  Received: 5\n  see calc.py: clamp\n"
        "FAIL src/calc.test.ts > total > a (and 1 more)\n"
        "  export function total(items) { return items.length; }\n"
        "  TypeError: Cannot read properties of null\n  see src/calc.ts: total\n"
        "(3 failed, 2 passed, 1 skipped)");
}

TEST_CASE("only the tests that failed are run again when asked, which is no result of the tests") {
  const std::string go =
      "#!/bin/sh\necho \"$@\" >> calls\n"
      "[ -e good ] && exit 0; echo '--- FAIL: TestA (0.00s)'; exit 1\n";
  Bench bench("PATH=$PWD/bin:$PATH; export PATH; true && go test ./...");
  bench.put("bin/go", go);
  run_command("chmod +x '" + (bench.root() / "bin/go").string() + "'");
  CHECK(bench.refused("test", {{"failed", true}}).starts_with("Error: test: which tests failed"));
  CHECK(bench.done("test", Json::object()) ==
        "The tests fail: exit status 1.\nFAIL TestA\n(1 failed)");
  auto outcome = bench.call("test", {{"failed", true}});
  CHECK(outcome.text == "The tests fail: exit status 1.\nFAIL TestA\n(1 failed)");
  CHECK_FALSE(outcome.test.has_value());
  bench.done("write", {{"path", "good"}, {"content", ""}});
  outcome = bench.call("test", {{"failed", true}});
  CHECK(outcome.text == "The tests that failed pass now. Call test to run all of them.");
  CHECK_FALSE(outcome.test.has_value());
  CHECK(bench.bytes("calls") ==
        "test ./...\ntest ./... -run ^(TestA)$\ntest ./... -run ^(TestA)$\n");
  CHECK(bench.done("test", Json::object()) == "The tests pass.");
}
