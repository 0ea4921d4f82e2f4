#include "tasks/suite.h"

#include <fnmatch.h>

#include <algorithm>
#include <set>

#include "agent/error.h"
#include "agent/printable.h"
#include "tasks/formats.h"
#include "tasks/tree.h"

namespace dsv4::tasks {
namespace {

namespace fs = std::filesystem;
using agent::UsageError;

std::string shown(const fs::path& path) { return agent::printable_line(path.string(), 300); }

Suite read(const fs::path& path, const SuiteOptions& options) {
  const std::string extension = path.extension().string();
  if (fs::is_regular_file(path) && (extension == ".json" || extension == ".jsonl")) {
    return read_swe_bench(path, options);
  }
  if (!fs::is_directory(path)) {
    throw UsageError(shown(path) +
                     " is no suite: give a folder of tasks, or a .json or .jsonl file of SWE-bench "
                     "instances");
  }
  if (is_quixbugs(path)) return read_quixbugs(path, options);
  if (!task_folders(path, is_own_folder).empty()) return read_own_folders(path);
  if (!task_folders(path, is_harbor_folder).empty()) return read_harbor(path, options);
  throw UsageError("there is no task in " + shown(path) +
                   ": a task is a folder with issue.md and repo/, or with task.toml and "
                   "instruction.md");
}

void check(const Suite& suite, const fs::path& path) {
  std::set<std::string> ids;
  for (const Task& task : suite.tasks) {
    if (!ids.insert(task.id).second) {
      throw UsageError("two tasks of " + shown(path) + " are called " +
                       agent::printable_line(task.id, 100) + ": give each its own name");
    }
  }
}

}  // namespace

std::vector<fs::path> task_folders(const fs::path& path, bool (*wanted)(const fs::path&)) {
  if (wanted(path)) return {path};
  std::vector<fs::path> folders;
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    if (entry.is_directory() && wanted(entry.path())) folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

Suite load_suite(const fs::path& path, const SuiteOptions& options) {
  std::error_code gone;
  if (!fs::exists(path, gone)) {
    throw UsageError("there is no suite " + shown(path) + ": give its folder or file");
  }
  // "suite/." and "suite/" are called what the folder is called.
  const fs::path real = fs::canonical(path);
  Suite suite = read(real, options);
  check(suite, path);
  if (suite.name.empty()) suite.name = real.filename().string();
  return suite;
}

void select(const std::optional<std::string>& glob, std::optional<size_t> limit, Suite* suite) {
  if (glob) {
    std::erase_if(suite->tasks, [&](const Task& task) {
      return ::fnmatch(glob->c_str(), task.id.c_str(), 0) != 0;
    });
  }
  if (limit && suite->tasks.size() > *limit) suite->tasks.resize(*limit);
}

std::string fingerprint(const Suite& suite) {
  Identity identity;
  for (const Task& task : suite.tasks) identity.add(task.id).add(task.identity);
  return identity.finish();
}

}  // namespace dsv4::tasks
