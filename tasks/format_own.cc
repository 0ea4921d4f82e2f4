// This project's own folders: issue.md, repo/, and gold.patch and about.toml where there are any.
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "agent/error.h"
#include "agent/issue.h"
#include "agent/printable.h"
#include "tasks/formats.h"
#include "tasks/tree.h"

namespace dsv4::tasks {
namespace {

namespace fs = std::filesystem;
using agent::UsageError;

constexpr std::array<std::string_view, 3> kGrades = {"one-line", "one-function", "several-files"};

std::string shown(const fs::path& path) { return agent::printable_line(path.string(), 300); }

void read_about(const fs::path& file, Task* task) {
  try {
    const toml::table about = toml::parse(read_text(file), file.string());
    for (const auto& [key, node] : about) {
      const auto value = node.value<std::string>();
      std::string* place = key == "grade"      ? &task->grade
                           : key == "language" ? &task->language
                           : key == "kind"     ? &task->kind
                                               : nullptr;
      if (place == nullptr || !value) {
        throw UsageError(shown(file) + ": " + agent::printable_line(key.str(), 60) +
                         " is not one of the texts grade, language and kind");
      }
      *place = *value;
    }
  } catch (const toml::parse_error& error) {
    throw UsageError(shown(file) + ":" + std::to_string(error.source().begin.line) + ": " +
                     agent::printable_line(error.description(), 200));
  }
  if (std::find(kGrades.begin(), kGrades.end(), task->grade) == kGrades.end()) {
    throw UsageError(shown(file) + ": grade must be one-line, one-function or several-files");
  }
}

Task read_folder(const fs::path& folder) {
  const fs::path file = folder / "issue.md";
  const agent::Issue issue = agent::parse_issue(read_text(file), file, folder);
  Task task;
  task.id = folder.filename().string();
  task.issue = issue.text;
  if (!issue.front.test) {
    throw UsageError(shown(file) +
                     " names no test command: add a line `test: COMMAND` between "
                     "two lines --- at its top");
  }
  task.test = *issue.front.test;
  task.setup = issue.front.setup;
  task.timeout = issue.front.timeout;
  task.fixed = issue.front.tests;
  const fs::path repo = fs::weakly_canonical(folder / issue.front.repo.value_or("repo"));
  if (!fs::is_directory(repo))
    throw UsageError(shown(repo) + " is no folder: it is the task's tree");
  task.make_tree = [repo](const fs::path& tree) { copy_tree(repo, tree); };
  if (fs::exists(folder / "gold.patch")) task.gold = read_text(folder / "gold.patch");
  if (fs::exists(folder / "about.toml")) read_about(folder / "about.toml", &task);
  Identity identity;
  identity.add(issue.source).add_tree(repo).add(task.gold.value_or(""));
  task.identity = identity.finish();
  return task;
}

}  // namespace

bool is_own_folder(const fs::path& folder) { return fs::is_regular_file(folder / "issue.md"); }

Suite read_own_folders(const fs::path& path) {
  Suite suite;
  suite.format = "dsv4-agent";
  for (const fs::path& folder : task_folders(path, is_own_folder)) {
    suite.tasks.push_back(read_folder(folder));
  }
  return suite;
}

}  // namespace dsv4::tasks
