#include <algorithm>

#include "tools/test_runs.h"
#include "tools/text.h"

namespace dsv4::tools {
namespace {

constexpr size_t kMostNames = 200;  // more are run together with all others

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

// npm hands what stands behind -- to the end of the script, so that it is the script's last part
// that has to be the runner's.
struct Npm {
  std::string_view part;  // of the script; empty when nothing is known of it
  std::string_view with;  // in front of more arguments
};

Npm behind_npm(std::string_view part, const TestRun& run) {
  constexpr std::string_view kMore = " -- ";
  if (!part.starts_with("npm ")) return {part, " "};
  const size_t dashes = part.find(kMore);
  std::string_view name = trimmed(part.substr(4, dashes == part.npos ? part.npos : dashes - 4));
  for (const std::string_view run_word : {"run ", "run-script "}) {
    if (name.starts_with(run_word)) name = trimmed(name.substr(run_word.size()));
  }
  if (name == "t") name = "test";
  for (const Script& script : run.scripts) {
    if (script.name == name) {
      return {last_part(script.command), dashes == part.npos ? kMore : " "};
    }
  }
  return {};
}

// -t and --grep take one pattern, which is looked for in the names of the tests behind those of
// all that they are in.
std::optional<std::string> javascript_command(const std::string& command, std::string_view part,
                                              const TestRun& run) {
  const bool jest = run.runner == Runner::kJest;
  const Npm npm = behind_npm(part, run);
  const std::string_view words[] = {part, npm.part};
  for (const std::string_view text : words) {
    for (const char* chosen : {" -t", "--testNamePattern", " -g", "--grep", " -f", "--fgrep"}) {
      if (text.find(chosen) != text.npos) return {};
    }
  }
  if (!has_word(npm.part, jest ? "jest" : "mocha")) return {};
  std::vector<std::string> patterns;
  for (const std::string& name : run.failed_names) {
    // A hook fails for all that is around it: load "before each" hook for "names".
    size_t hook = jest ? name.npos : name.find("\"before ");
    if (hook == name.npos && !jest) hook = name.find("\"after ");
    if (hook == 0) return {};
    patterns.push_back(hook == name.npos ? escaped(name) + "$" : escaped(name.substr(0, hook)));
  }
  return command + std::string(npm.with) + (jest ? "-t " : "--grep ") +
         quoted("^(" + joined(patterns, "|") + ")");
}

std::optional<std::string> unittest_command(const std::string& command, std::string_view part,
                                            const TestRun& run) {
  if (part.find(" -m unittest") == part.npos || part.find(" -k") != part.npos) return {};
  std::string names;
  for (const std::string& name : run.failed_names) names += " -k " + quoted(name);
  return command + names;
}

}  // namespace

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
    case Runner::kMocha:
    case Runner::kJest:
      return named ? javascript_command(command, part, run) : std::nullopt;
    case Runner::kUnittest:
      return named ? unittest_command(command, part, run) : std::nullopt;
    case Runner::kVitest:
    case Runner::kUnknown:
      break;
  }
  return std::nullopt;
}

}  // namespace dsv4::tools
