#include "tasks/test_names.h"

#include <string>
#include <utility>
#include <vector>

#include "tests/catch.h"

using dsv4::tasks::read_test_names;

namespace {

struct Case {
  const char* runner;
  const char* output;
  std::map<std::string, bool, std::less<>> names;
};

}  // namespace

TEST_CASE("every runner's names are read with what became of them") {
  const std::vector<Case> cases = {
      {"pytest -rA",
       "=== short test summary info ===\n"
       "PASSED tests/test_a.py::test_one\n"
       "PASSED tests/test_a.py::test_two[a - b]\n"
       "FAILED tests/test_a.py::TestX::test_three - assert 1 == 2\n"
       "ERROR tests/test_b.py - ImportError: x\n"
       "XFAIL tests/test_a.py::test_four - later\n"
       "SKIPPED [1] tests/test_a.py:9: not here\n"
       "2 failed, 2 passed in 0.05s\n",
       {{"tests/test_a.py::test_one", true},
        {"tests/test_a.py::test_two[a - b]", true},
        {"tests/test_a.py::TestX::test_three", false},
        {"tests/test_b.py", false},
        {"tests/test_a.py::test_four", true}}},
      {"pytest -v",
       "tests/test_a.py::test_one PASSED                     [ 50%]\r\n"
       "tests/test_a.py::test_two FAILED                     [100%]\n",
       {{"tests/test_a.py::test_one", true}, {"tests/test_a.py::test_two", false}}},
      {"unittest and Django",
       "test_a (forms.tests.FormTests) ... ok\n"
       "test_b (forms.tests.FormTests)\n"
       "What b is for ... FAIL\n"
       "test_c (forms.tests.FormTests) ... skipped 'no'\n"
       "test_d (forms.tests.FormTests) ... ERROR\n",
       {{"test_a (forms.tests.FormTests)", true},
        {"test_b (forms.tests.FormTests)", false},
        {"test_d (forms.tests.FormTests)", false}}},
      {"SymPy",
       "test_expand ok\ntest_factor F\ntest_slow s\n",
       {{"test_expand", true}, {"test_factor", false}}},
      {"CTest",
       "1/3 Test #1: kernels ..........................   Passed    0.31 sec\n"
       "2/3 Test #2: llm ..............................***Failed    0.02 sec\n"
       "3/3 Test #3: gpu ..............................***Skipped   0.00 sec\n",
       {{"kernels", true}, {"llm", false}}},
      {"Go",
       "--- PASS: TestAdd (0.00s)\n    --- FAIL: TestSub/zero (0.01s)\n",
       {{"TestAdd", true}, {"TestSub/zero", false}}},
      {"Cargo",
       "test tests::adds ... ok\ntest tests::subs ... FAILED\n",
       {{"tests::adds", true}, {"tests::subs", false}}},
      {"TAP",
       "TAP version 13\nok 1 - adds two\nnot ok 2 - subtracts\nok 3 - later # SKIP no\n1..3\n",
       {{"adds two", true}, {"subtracts", false}}},
  };
  for (const Case& each : cases) {
    INFO(each.runner);
    REQUIRE(read_test_names(each.output) == each.names);
  }
}

TEST_CASE("a test that is said to have failed once has failed") {
  const auto names = read_test_names("FAILED a.py::t\nPASSED a.py::t\n");
  REQUIRE_FALSE(names.at("a.py::t"));
}

TEST_CASE("text that only looks like a runner's names nothing") {
  REQUIRE(read_test_names("").empty());
  REQUIRE(read_test_names("PASSED\nok then\nall ... ok maybe\nnot ok\n::\nTest #\n").empty());
}
