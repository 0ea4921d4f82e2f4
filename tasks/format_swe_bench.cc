// SWE-bench: https://github.com/SWE-bench/SWE-bench, the fields of its data sets. Trees come from
// local clones; no container image is used.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/error.h"
#include "agent/patch.h"
#include "agent/printable.h"
#include "agent/working_copy.h"
#include "tasks/formats.h"
#include "tasks/test_specs.h"
#include "tasks/tree.h"

namespace dsv4::tasks {
namespace {

namespace fs = std::filesystem;
using agent::UsageError;
using nlohmann::json;

constexpr int kDeepest = 100;                 // lists in lists
constexpr std::chrono::minutes kTimeout(30);  // the benchmark's own

std::string text(const json& instance, const char* name, const std::string& where) {
  const auto found = instance.find(name);
  if (found == instance.end() || !found->is_string()) {
    throw UsageError(where + " has no text `" + name + "`: it is no SWE-bench instance");
  }
  return found->get<std::string>();
}

// A list, or a text that holds one.
std::vector<std::string> names(const json& instance, const char* name, const std::string& where) {
  const auto found = instance.find(name);
  if (found == instance.end() || found->is_null()) return {};
  try {
    const json list = found->is_string() ? json::parse(found->get<std::string>()) : *found;
    return list.get<std::vector<std::string>>();
  } catch (const json::exception&) {
    throw UsageError(where + ": " + name + " is neither a list of names nor a text that holds one");
  }
}

// owner__name, owner/name or name, below the folder of clones.
fs::path find_clone(const fs::path& repos, const std::string& repo, const std::string& where) {
  // Never another folder of this machine, whatever an instance says.
  const fs::path named(repo);
  if (repo.empty() || repo.find('\0') != std::string::npos || repo.ends_with('/') ||
      named.is_absolute() || *named.begin() == ".." || named.lexically_normal().string() != repo) {
    throw UsageError(where + ": repo is no owner/name");
  }
  const size_t slash = repo.find('/');
  const std::string owner = repo.substr(0, slash);
  const std::string name = slash == std::string::npos ? repo : repo.substr(slash + 1);
  for (const fs::path& place :
       {repos / (owner + "__" + name), repos / owner / name, repos / name}) {
    if (fs::exists(place)) return place;
  }
  throw UsageError(where + ": there is no clone of " + agent::printable_line(repo, 100) + " in " +
                   agent::printable_line(repos.string(), 300) + ": clone it as " +
                   agent::printable_line(owner + "__" + name, 100));
}

// Not run by name: what tests read.
bool is_data(const std::string& path) {
  static constexpr std::array kEndings = {".json", ".png", ".csv", ".txt",  ".md",  ".jpg",
                                          ".jpeg", ".pkl", ".yml", ".yaml", ".toml"};
  return std::any_of(kEndings.begin(), kEndings.end(),
                     [&](const char* ending) { return path.ends_with(ending); });
}

// The test files that a test patch brings: all, or those that are there without it.
std::vector<std::string> test_files(const std::vector<PatchedFile>& files, bool only_old) {
  std::vector<std::string> chosen;
  for (const PatchedFile& file : files) {
    if (file.change == PatchedFile::Change::kRemoved || is_data(file.path)) continue;
    if (only_old && file.change == PatchedFile::Change::kMade) continue;
    chosen.push_back(file.path);
  }
  return chosen;
}

// Makes the files of the test patch what they are with it, whatever they have become.
void add_tests(const fs::path& clone, const std::string& commit, const std::string& patch,
               const fs::path& tree) {
  std::vector<std::string> old;
  for (const PatchedFile& file : patched_files(patch)) {
    if (file.change != PatchedFile::Change::kMade) old.push_back(file.path);
  }
  const agent::OwnedDirectory scratch(make_scratch("tests"));
  if (!old.empty()) check_out(clone, commit, scratch.path(), old);
  start_repository(scratch.path());
  agent::apply_patch(scratch.path(), patch);
  agent::take_files(scratch.path(), tree, agent::patch_paths(patch));
}

Task read_instance(const json& instance, const TestSpecs& specs, const SuiteOptions& options,
                   const std::string& where) {
  Task task;
  task.id = text(instance, "instance_id", where);
  const std::string repo = text(instance, "repo", where);
  const std::string commit = text(instance, "base_commit", where);
  task.issue = text(instance, "problem_statement", where);
  task.gold = text(instance, "patch", where);
  const std::string test_patch = text(instance, "test_patch", where);
  task.fail_to_pass = names(instance, "FAIL_TO_PASS", where);
  task.pass_to_pass = names(instance, "PASS_TO_PASS", where);
  if (task.fail_to_pass.empty()) {
    throw UsageError(where + " names no test in FAIL_TO_PASS: nothing would show a repair");
  }
  const fs::path clone = find_clone(*options.repos, repo, where);
  const std::string version =
      instance.contains("version") && instance["version"].is_string() ? instance["version"] : "";
  const TestSpec spec = specs.find(repo, version);
  const std::vector<PatchedFile> files = patched_files(test_patch);
  task.test = test_command(spec, test_files(files, false));
  task.test_for_agent = test_command(spec, test_files(files, !options.show_tests));
  task.setup = spec.setup;
  task.timeout = spec.timeout.value_or(kTimeout);
  task.make_tree = [clone, commit](const fs::path& tree) { check_out(clone, commit, tree); };
  task.add_tests = [clone, commit, test_patch](const fs::path& tree) {
    add_tests(clone, commit, test_patch, tree);
  };
  task.language = "python";
  task.kind = repo;
  Identity identity;
  task.identity = identity.add(instance.dump()).add(task.test).finish();
  return task;
}

// Every instance with its place, for messages.
std::vector<std::pair<json, std::string>> read_instances(const fs::path& file) {
  const std::string shown = agent::printable_line(file.string(), 300);
  const std::string all = read_text(file);
  std::vector<std::pair<json, std::string>> instances;
  const auto parse = [](const std::string& part, const std::string& where) {
    // Copying and writing take a stack as deep as the value is.
    const auto not_too_deep = [&](int depth, json::parse_event_t, json&) {
      if (depth > kDeepest) throw UsageError(where + " is nested too deep for an instance");
      return true;
    };
    try {
      return json::parse(part, not_too_deep);
    } catch (const json::exception& error) {
      throw UsageError(where + " is no JSON: " + agent::printable_line(error.what(), 200));
    }
  };
  const size_t first = all.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && all[first] == '[') {
    const json list = parse(all, shown);
    for (const json& each : list) {
      instances.emplace_back(each, shown + ", instance " + std::to_string(instances.size() + 1));
    }
    return instances;
  }
  size_t number = 0;
  for (size_t at = 0; at < all.size();) {
    const size_t end = std::min(all.find('\n', at), all.size());
    const std::string line = all.substr(at, end - at);
    const std::string where = shown + ":" + std::to_string(++number);
    if (line.find_first_not_of(" \t\r") != std::string::npos) {
      instances.emplace_back(parse(line, where), where);
    }
    at = end + 1;
  }
  return instances;
}

}  // namespace

Suite read_swe_bench(const fs::path& file, const SuiteOptions& options) {
  if (!options.repos) {
    throw UsageError(
        "SWE-bench instances need their repositories: name the folder of the clones "
        "with --repos DIR");
  }
  TestSpecs specs;
  if (options.tests) specs.read(*options.tests);
  if (options.test) specs.use_for_all(*options.test);
  Suite suite;
  suite.format = "SWE-bench";
  suite.name = file.stem().string();
  for (const auto& [instance, where] : read_instances(file)) {
    suite.tasks.push_back(read_instance(instance, specs, options, where));
  }
  suite.notes.push_back(
      "no container image is used: what the repositories need has to be "
      "installed on this machine, or by a `setup` that needs no network");
  if (options.show_tests)
    suite.notes.push_back("the agent saw the tests: not the benchmark's rule");
  return suite;
}

}  // namespace dsv4::tasks
