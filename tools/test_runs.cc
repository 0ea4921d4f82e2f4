#include "tools/test_runs.h"

#include <algorithm>
#include <cctype>

#include "tools/text.h"

namespace dsv4::tools {
namespace {

constexpr size_t kMostNames = 200;  // more are run together with all others

// The number that stands before `word` in the line: "2 failed".
std::optional<size_t> number_before(std::string_view line, std::string_view word) {
  const size_t at = line.find(word);
  if (at == std::string_view::npos || at == 0) return std::nullopt;
  size_t begin = at;
  while (begin > 0 && std::isdigit(static_cast<unsigned char>(line[begin - 1]))) --begin;
  if (begin == at || at - begin > 9) return std::nullopt;
  return std::stoul(std::string(line.substr(begin, at - begin)));
}

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

void add_name(TestRun& run, std::string_view name) {
  const auto& names = run.failed_names;
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    run.failed_names.emplace_back(name);
  }
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
std::vector<std::string> catch2_names(const std::vector<std::string_view>& lines) {
  const auto is_rule = [&](size_t at) {
    constexpr size_t kShortest = 40;
    return at < lines.size() && lines[at].size() >= kShortest &&
           lines[at].find_first_not_of('-') == std::string_view::npos;
  };
  TestRun found;
  for (size_t at = 0; at + 1 < lines.size(); ++at) {
    if (!is_rule(at) || is_rule(at + 1) || lines[at + 1].empty()) continue;
    std::string name(lines[++at]);
    for (; at + 1 < lines.size() && !is_rule(at + 1) && !lines[at + 1].starts_with("  "); ++at) {
      name += " " + std::string(lines[at + 1]);  // it was too long for a line
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
  const std::string_view digits = line.substr(blank + 1);
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

std::string quoted(std::string_view word) {
  std::string result = "'";
  for (const char c : word) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

// As a pattern that only this text matches.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (std::string_view("\\^$.|?*+()[]{}/").find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

std::string joined(const std::vector<std::string>& names, std::string_view between) {
  std::string result;
  for (const std::string& name : names) {
    result += (result.empty() ? "" : std::string(between)) + name;
  }
  return result;
}

// Tests that are run with their parent's name: "TestClamp" for "TestClamp/case".
std::vector<std::string> top_level(const std::vector<std::string>& names) {
  std::vector<std::string> result;
  for (const std::string& name : names) {
    std::string top = name.substr(0, name.find('/'));
    if (std::find(result.begin(), result.end(), top) == result.end()) {
      result.push_back(std::move(top));
    }
  }
  return result;
}

// The last of the commands that && joins; empty when the shell would do more with it.
std::string_view last_part(std::string_view command) {
  const size_t at = command.rfind("&&");
  const std::string_view last = at == command.npos ? command : command.substr(at + 2);
  return last.find_first_of(";|&<>()$`#\n\\") == last.npos ? trimmed(last) : std::string_view();
}

bool has_word(std::string_view part, std::string_view word) {
  for (size_t at = part.find(word); at != part.npos; at = part.find(word, at + 1)) {
    const bool begins = at == 0 || part[at - 1] == ' ' || part[at - 1] == '/';
    const size_t end = at + word.size();
    if (begins && (end == part.size() || part[end] == ' ')) return true;
  }
  return false;
}

}  // namespace

namespace {

// Before the names of files, behind which options are the files' own.
std::optional<std::string> node_command(const std::string& command, std::string_view part,
                                        const TestRun& run) {
  constexpr std::string_view kTest = "node --test";
  if (!part.starts_with(kTest) || part.find("--test-name-pattern") != part.npos) return {};
  if (part.size() > kTest.size() && part[kTest.size()] != ' ') return {};
  std::string patterns;
  for (const std::string& name : run.failed_names) {
    patterns += " --test-name-pattern=" + quoted("^" + escaped(name) + "$");
  }
  const size_t at = command.rfind(kTest) + kTest.size();
  return command.substr(0, at) + patterns + command.substr(at);
}

// A program and nothing else; with names that its own patterns do not take for something else.
std::optional<std::string> catch2_command(const std::string& command, std::string_view part,
                                          const TestRun& run) {
  if (part.find('/') == part.npos || part.find(' ') != part.npos) return {};
  if (run.failed_names.size() != run.failed) return {};  // not all of them were understood
  std::vector<std::string> names;
  for (const std::string& name : run.failed_names) {
    if (name.find_first_of("\"\\*[],~") != name.npos) return {};
    names.push_back('"' + name + '"');
  }
  return command + " " + quoted(joined(names, ","));
}

}  // namespace

std::string TestRun::counts() const {
  if (runner == Runner::kUnknown) return "";
  std::string text = std::to_string(failed) + " failed";
  if (passed) text += ", " + std::to_string(*passed) + " passed";
  if (skipped && *skipped > 0) text += ", " + std::to_string(*skipped) + " skipped";
  return text;
}

TestRun read_test_run(std::string_view output) {
  TestRun run;
  TestRun outer;  // CTest's, which runs other runners
  TestRun node;
  const std::vector<std::string_view> lines = split_lines(output);
  for (const std::string_view raw : lines) {
    if (raw.size() > 500) continue;
    const std::string line = without_escapes(raw);
    if (read_ctest(line, outer)) continue;
    read_node_name(line, node);
    read_pytest(line, run) || read_catch2(line, run) || read_googletest(line, run) ||
        read_go(line, run) || read_cargo(line, run) || read_node(line, run);
  }
  if (outer.runner != Runner::kUnknown) return outer;
  if (run.runner == Runner::kNode) run.failed_names = node.failed_names;
  if (run.runner == Runner::kCatch2) run.failed_names = catch2_names(lines);
  return run;
}

std::optional<std::string> failing_only(const std::string& command, const TestRun& run) {
  const std::string_view part = last_part(command);
  if (part.empty() || run.failed == 0 || run.failed_names.size() > kMostNames) {
    return std::nullopt;
  }
  const auto with = [&](const std::string& more) { return std::optional(command + " " + more); };
  const bool named = !run.failed_names.empty();
  switch (run.runner) {
    case Runner::kPytest:
      if (has_word(part, "pytest") || has_word(part, "py.test")) return with("--last-failed");
      break;
    case Runner::kCTest:
      if (has_word(part, "ctest")) return with("--rerun-failed --output-on-failure");
      break;
    case Runner::kGo:
      if (named && part.starts_with("go test")) {
        return with("-run " + quoted("^(" + joined(top_level(run.failed_names), "|") + ")$"));
      }
      break;
    case Runner::kCargo: {
      if (!named || !part.starts_with("cargo test") || part.find(" -- ") != part.npos) break;
      std::string names;
      for (const std::string& name : run.failed_names) names += " " + quoted(name);
      return with("-- --exact" + names);
    }
    case Runner::kGoogleTest:
      if (named && part.find("gtest_filter") == part.npos && part.find('/') != part.npos) {
        return with("--gtest_filter=" + quoted(joined(run.failed_names, ":")));
      }
      break;
    case Runner::kCatch2:
      return named ? catch2_command(command, part, run) : std::nullopt;
    case Runner::kNode:
      return named ? node_command(command, part, run) : std::nullopt;
    case Runner::kUnknown:
      break;
  }
  return std::nullopt;
}

}  // namespace dsv4::tools
