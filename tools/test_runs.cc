#include "tools/test_runs.h"

#include <algorithm>
#include <cctype>

#include "tools/test_run_lines.h"
#include "tools/text.h"

namespace dsv4::tools {

std::optional<size_t> number_before(std::string_view line, std::string_view word) {
  const size_t at = line.find(word);
  if (at == std::string_view::npos || at == 0) return std::nullopt;
  size_t begin = at;
  while (begin > 0 && std::isdigit(static_cast<unsigned char>(line[begin - 1]))) --begin;
  if (begin == at || at - begin > 9) return std::nullopt;
  return std::stoul(std::string(line.substr(begin, at - begin)));
}

void add_name(TestRun& run, std::string_view name) {
  const auto& names = run.failed_names;
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    run.failed_names.emplace_back(name);
  }
}

namespace {

// "3 failed, 1 passed, 1 skipped in 0.05s", with or without rules of = around it.
bool read_pytest(std::string_view line, TestRun& run) {
  const size_t first = line.find_first_not_of("= ");
  if (first == std::string_view::npos) return false;
  line.remove_prefix(first);
  if (!std::isdigit(static_cast<unsigned char>(line[0])) || line.find(" in ") == line.npos) {
    return false;
  }
  const auto failed = number_before(line, " failed");
  const auto errors = number_before(line, " error");
  const auto passed = number_before(line, " passed");
  if (!failed && !errors && !passed) return false;
  run.runner = Runner::kPytest;
  run.failed = failed.value_or(0) + errors.value_or(0);
  run.passed = passed.value_or(0);
  run.skipped = number_before(line, " skipped");
  return true;
}

// "FAIL: test_high (test_calc.ClampTest.test_high)", of which older Pythons leave out the last
// part, and "ERROR: setUpClass (test_calc.ClampTest)".
void read_unittest_name(std::string_view line, TestRun& run) {
  if (!line.starts_with("FAIL: ") && !line.starts_with("ERROR: ")) return;
  line.remove_prefix(line.find(' ') + 1);
  const size_t open = line.find(" (");
  const size_t close = line.find(')');
  if (open == line.npos || close == line.npos || close < open) return;
  const std::string_view method = line.substr(0, open);
  std::string name(line.substr(open + 2, close - open - 2));
  // A file that cannot be imported is tried again with any of the others.
  if (name.find("_FailedTest") != std::string::npos) return;
  const bool fixture = method.starts_with("setUp") || method.starts_with("tearDown");
  if (!fixture && !name.ends_with("." + std::string(method))) name += "." + std::string(method);
  add_name(run, name);
}

// "Ran 7 tests in 0.001s" and "FAILED (failures=3, errors=3, skipped=1)".
bool read_unittest(std::string_view line, TestRun& run) {
  if (!line.starts_with("Ran ") || !number_before(line, " test")) return false;
  run.runner = Runner::kUnittest;
  return true;
}

bool read_ctest(std::string_view line, TestRun& run) {
  const auto failed = number_before(line, " tests failed out of ");
  if (!failed || line.find("% tests passed") == std::string_view::npos) return false;
  const std::string_view total = line.substr(line.find("out of ") + 7);
  run.runner = Runner::kCTest;
  run.failed = *failed;
  const auto all = number_before(std::string(total) + " ", " ");
  if (all && *all >= *failed) run.passed = *all - *failed;
  return true;
}

// Of the runner that CTest starts nothing counts but CTest's own words.
bool read_catch2(std::string_view line, TestRun& run) {
  if (!line.starts_with("test cases:")) return false;
  const auto failed = number_before(line, " failed");
  if (!failed) return false;
  run.runner = Runner::kCatch2;
  run.failed = *failed;
  run.passed = number_before(line, " passed");
  return true;
}

bool read_googletest(std::string_view line, TestRun& run) {
  constexpr std::string_view kFailed = "[  FAILED  ] ";
  if (line.starts_with("[  PASSED  ] ")) {
    run.runner = Runner::kGoogleTest;
    run.passed = number_before(line, " test");
    return true;
  }
  if (!line.starts_with(kFailed)) return false;
  line.remove_prefix(kFailed.size());
  if (line.ends_with("listed below:")) {
    run.runner = Runner::kGoogleTest;
    run.failed = number_before(line, " test").value_or(0);
  } else if (line.find(' ') == std::string_view::npos) {
    run.failed_names.emplace_back(line);
  }
  return true;
}

bool read_go(std::string_view line, TestRun& run) {
  constexpr std::string_view kFail = "--- FAIL: ";
  if (run.runner == Runner::kUnknown || run.runner == Runner::kGo) {
    if (line.starts_with("--- PASS: ")) run.passed = run.passed.value_or(0) + 1;  // with -v
    if (line.starts_with("--- SKIP: ")) run.skipped = run.skipped.value_or(0) + 1;
  }
  if (!line.starts_with(kFail)) return false;
  line.remove_prefix(kFail.size());
  run.runner = Runner::kGo;
  run.failed_names.emplace_back(line.substr(0, line.find(' ')));
  run.failed = run.failed_names.size();
  return true;
}

bool read_cargo(std::string_view line, TestRun& run) {
  constexpr std::string_view kTest = "test ";
  if (line.starts_with("test result: ")) {
    run.runner = Runner::kCargo;
    run.failed += number_before(line, " failed;").value_or(0);
    run.passed = run.passed.value_or(0) + number_before(line, " passed;").value_or(0);
    run.skipped = run.skipped.value_or(0) + number_before(line, " ignored;").value_or(0);
    return true;
  }
  if (!line.starts_with(kTest) || !line.ends_with(" ... FAILED")) return false;
  line.remove_prefix(kTest.size());
  run.failed_names.emplace_back(line.substr(0, line.find(' ')));
  return true;
}

// "✖ high (0.85ms)" or "not ok 1 - high", at any depth: what is around a test that fails fails too.
void read_node_name(std::string_view line, TestRun& run) {
  constexpr std::string_view kCross = "\u2716 ";
  constexpr std::string_view kNotOk = "not ok ";
  line = trimmed(line);
  if (line.starts_with(kCross)) {
    const size_t time = line.rfind(" (");
    if (time == line.npos || !line.ends_with("ms)")) return;
    add_name(run, line.substr(kCross.size(), time - kCross.size()));
  } else if (line.starts_with(kNotOk)) {
    const size_t dash = line.find(" - ");
    if (dash == line.npos) return;
    line.remove_prefix(dash + 3);
    add_name(run, line.substr(0, line.find(" # ")));
  }
}

// Catch2 writes the name of each test case that it has something to say of between two rules, and
// below it those of its sections, indented.
std::vector<std::string> catch2_names(const std::vector<std::string>& lines) {
  const auto is_rule = [&](size_t at) {
    constexpr size_t kShortest = 40;
    return at < lines.size() && lines[at].size() >= kShortest &&
           lines[at].find_first_not_of('-') == std::string::npos;
  };
  TestRun found;
  for (size_t at = 0; at + 1 < lines.size(); ++at) {
    if (!is_rule(at) || is_rule(at + 1) || lines[at + 1].empty()) continue;
    std::string name = lines[++at];
    for (; at + 1 < lines.size() && !is_rule(at + 1) && !lines[at + 1].starts_with("  "); ++at) {
      name += " " + lines[at + 1];  // it was too long for a line
    }
    while (at + 1 < lines.size() && !is_rule(at + 1)) ++at;
    ++at;
    add_name(found, name);
  }
  return found.failed_names;
}

// "# pass 1", or with the sign of information in the place of #.
bool read_node(std::string_view line, TestRun& run) {
  if (!line.starts_with("# ") && !line.starts_with("\u2139 ")) return false;
  line.remove_prefix(line.find(' ') + 1);
  const size_t blank = line.find(' ');
  if (blank == std::string_view::npos) return false;
  const std::string_view what = line.substr(0, blank);
  const std::string_view digits = trimmed(line.substr(blank + 1));  // tape aligns them
  if (digits.empty() || digits.size() > 9 ||
      digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return false;
  }
  const size_t number = std::stoul(std::string(digits));
  if (what == "pass") run.passed = number;
  if (what == "skipped") run.skipped = number;
  if (what != "fail") return false;
  run.runner = Runner::kNode;
  run.failed = number;
  return true;
}

}  // namespace

std::string TestRun::counts() const {
  // unittest's own numbers count a test with subtests more than once.
  if (runner == Runner::kUnknown || runner == Runner::kUnittest) return "";
  std::string text = std::to_string(failed) + " failed";
  if (passed) text += ", " + std::to_string(*passed) + " passed";
  if (skipped && *skipped > 0) text += ", " + std::to_string(*skipped) + " skipped";
  return text;
}

TestRun read_test_run(std::string_view output) {
  constexpr size_t kLongest = 500;
  TestRun run;
  TestRun outer;  // CTest's, which runs other runners
  TestRun node;
  TestRun unittest;
  std::vector<std::string> lines;
  for (const std::string_view raw : split_lines(output)) {
    if (raw.size() > kLongest) continue;
    const std::string& line = lines.emplace_back(without_escapes(raw));
    if (read_ctest(line, outer)) continue;
    read_node_name(line, node);
    read_unittest_name(line, unittest);
    read_pytest(line, run) || read_catch2(line, run) || read_googletest(line, run) ||
        read_go(line, run) || read_cargo(line, run) || read_node(line, run) ||
        read_mocha(line, run) || read_jest(line, run) || read_vitest(line, run) ||
        read_unittest(line, run);
  }
  if (outer.runner != Runner::kUnknown) return outer;
  if (run.runner == Runner::kNode) run.failed_names = node.failed_names;
  if (run.runner == Runner::kCatch2) run.failed_names = catch2_names(lines);
  if (run.runner == Runner::kMocha) run.failed_names = mocha_names(lines);
  if (run.runner == Runner::kJest) run.failed_names = jest_names(lines);
  if (run.runner == Runner::kUnittest) {
    run.failed_names = unittest.failed_names;
    run.failed = run.failed_names.size();
  }
  run.scripts = npm_scripts(lines);
  return run;
}

}  // namespace dsv4::tools
