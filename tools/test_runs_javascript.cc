#include <algorithm>
#include <cctype>

#include "tools/test_run_lines.h"
#include "tools/text.h"

namespace dsv4::tools {
namespace {

// "  5 failing", "  1 passing (61ms)"
bool is_mocha_count(std::string_view line, std::string_view word) {
  line = trimmed(line);
  const size_t digits = std::min(line.find_first_not_of("0123456789"), line.size());
  return digits > 0 && digits < 10 && line.substr(digits).starts_with(" ") &&
         line.substr(digits + 1).starts_with(word);
}

bool is_mocha_failing(std::string_view line) {
  return line.starts_with("  ") && trimmed(line).ends_with(" failing") &&
         is_mocha_count(line, "failing");
}

}  // namespace

bool read_mocha(std::string_view line, TestRun& run) {
  if (!line.starts_with("  ")) return false;
  if (is_mocha_count(line, "passing (")) {
    run.runner = Runner::kMocha;
    run.passed = number_before(line, " passing");
    return true;
  }
  if (run.runner != Runner::kMocha) return false;
  if (is_mocha_count(line, "pending")) {
    run.skipped = number_before(line, " pending");
  } else if (is_mocha_failing(line)) {
    run.failed = number_before(line, " failing").value_or(0);
  } else {
    return false;
  }
  return true;
}

// A file of tests that cannot be run at all counts where no test has failed.
bool read_jest(std::string_view line, TestRun& run) {
  if (line.starts_with("Test Suites: ")) {
    run.runner = Runner::kJest;
    run.failed = number_before(line, " failed").value_or(0);
    return true;
  }
  if (!line.starts_with("Tests: ") || run.runner != Runner::kJest) return false;
  run.failed = number_before(line, " failed").value_or(run.failed);
  run.passed = number_before(line, " passed").value_or(0);
  run.skipped = number_before(line, " skipped");
  return true;
}

bool read_vitest(std::string_view line, TestRun& run) {
  line = trimmed(line);
  if (line.starts_with("Test Files  ")) {
    run.runner = Runner::kVitest;
    run.failed = number_before(line, " failed").value_or(0);
    return true;
  }
  if (!line.starts_with("Tests  ") || run.runner != Runner::kVitest) return false;
  run.failed = number_before(line, " failed").value_or(run.failed);
  run.passed = number_before(line, " passed").value_or(0);
  run.skipped = number_before(line, " skipped");
  return true;
}

std::vector<std::string> mocha_names(const std::vector<std::string>& lines) {
  TestRun found;
  size_t at = 0;
  while (at < lines.size() && !is_mocha_failing(lines[at])) ++at;
  for (size_t number = 1; at < lines.size(); ++at) {
    const std::string mark = "  " + std::to_string(number) + ") ";
    if (!lines[at].starts_with(mark)) continue;
    ++number;
    std::string name(trimmed(std::string_view(lines[at]).substr(mark.size())));
    while (!name.ends_with(':') && at + 1 < lines.size() && !trimmed(lines[at + 1]).empty()) {
      name += " " + std::string(trimmed(lines[++at]));
    }
    if (name.ends_with(':')) name.pop_back();
    add_name(found, name);
  }
  return found.failed_names;
}

std::vector<std::string> jest_names(const std::vector<std::string>& lines) {
  constexpr std::string_view kBullet = "  \u25cf ";
  constexpr std::string_view kStep = " \u203a ";
  TestRun found;
  for (const std::string& line : lines) {
    if (!line.starts_with(kBullet)) continue;
    std::string name(trimmed(std::string_view(line).substr(kBullet.size())));
    // Its file is run with the others in any case.
    if (name == "Console" || name == "Test suite failed to run") continue;
    for (size_t at = name.find(kStep); at != name.npos; at = name.find(kStep, at)) {
      name.replace(at, kStep.size(), " ");
    }
    add_name(found, name);
  }
  return found.failed_names;
}

std::vector<Script> npm_scripts(const std::vector<std::string>& lines) {
  std::vector<Script> found;
  for (size_t at = 0; at + 1 < lines.size(); ++at) {
    if (!lines[at].starts_with("> ") || !lines[at + 1].starts_with("> ")) continue;
    const std::string_view heading = trimmed(lines[at]);
    const std::string_view command = trimmed(std::string_view(lines[at + 1]).substr(2));
    found.push_back({std::string(heading.substr(heading.rfind(' ') + 1)), std::string(command)});
    ++at;
  }
  return found;
}

}  // namespace dsv4::tools
