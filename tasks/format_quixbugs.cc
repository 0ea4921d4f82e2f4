// The QuixBugs repository: 40 small Python programs with one defective line each, the same programs
// without it, and pytest files over JSON cases. A task has its own program and tests only.
#include <algorithm>

#include "agent/error.h"
#include "agent/printable.h"
#include "agent/working_copy.h"
#include "tasks/formats.h"
#include "tasks/tree.h"

namespace dsv4::tasks {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTest = "python3 -m pytest -q -p no:cacheprovider python_testcases";
// Some of the defects never end; the tests of the right programs take seconds.
constexpr std::chrono::seconds kTimeout(60);

std::string issue_of(const std::string& name) {
  return "# " + name + " is wrong\n\nThe tests of `" + name + "` in python_programs/" + name +
         ".py fail: one line of it is wrong. Repair it.\n";
}

void make_tree(const fs::path& suite, const std::string& name, const fs::path& tree) {
  const auto copy = [&](const fs::path& file) {
    if (!fs::exists(suite / file)) return;
    fs::create_directories((tree / file).parent_path());
    fs::copy_file(suite / file, tree / file);
  };
  copy("conftest.py");
  copy("python_programs/node.py");
  copy("python_programs/" + name + ".py");
  copy("json_testcases/" + name + ".json");
  copy("python_testcases/load_testdata.py");
  copy("python_testcases/node.py");
  copy("python_testcases/test_" + name + ".py");
}

Task read_program(const fs::path& suite, const std::string& name, const SuiteOptions& options) {
  const std::string path = "python_programs/" + name + ".py";
  const fs::path right = suite / "correct_python_programs" / (name + ".py");
  if (!fs::exists(right)) {
    throw agent::UsageError(agent::printable_line(right.string(), 300) +
                            " is not there: it is what " + path + " should be");
  }
  Task task;
  task.id = name;
  task.issue = issue_of(name);
  task.make_tree = [suite, name](const fs::path& tree) { make_tree(suite, name, tree); };
  task.test = options.test.value_or(kTest);
  task.timeout = kTimeout;
  task.fixed = {"python_testcases", "json_testcases", "conftest.py"};
  task.grade = "one-line";
  task.language = "python";
  const agent::OwnedDirectory scratch(make_scratch("quixbugs"));
  make_tree(suite, name, scratch.path());
  task.gold = patch_for(scratch.path(), path, read_text(right));
  Identity identity;
  task.identity = identity.add_tree(scratch.path()).add(*task.gold).finish();
  return task;
}

}  // namespace

bool is_quixbugs(const fs::path& path) {
  return fs::is_directory(path / "python_programs") &&
         fs::is_directory(path / "correct_python_programs") &&
         fs::is_directory(path / "python_testcases");
}

Suite read_quixbugs(const fs::path& path, const SuiteOptions& options) {
  Suite suite;
  suite.name = "QuixBugs";
  suite.format = "QuixBugs";
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(path / "python_programs")) {
    const std::string name = entry.path().stem().string();
    const bool tested = fs::exists(path / "python_testcases" / ("test_" + name + ".py"));
    if (entry.path().extension() == ".py" && tested) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) suite.tasks.push_back(read_program(path, name, options));
  suite.notes.push_back("the Java programs of QuixBugs are left out");
  return suite;
}

}  // namespace dsv4::tasks
