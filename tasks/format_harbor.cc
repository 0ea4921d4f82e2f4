// Harbor's task folders, which Terminal-Bench 2 uses: task.toml, instruction.md, environment/,
// tests/test.sh, solution/solve.sh. A container is never built. A Dockerfile that does nothing but
// choose a working directory and copy files into it is followed; any other needs --no-image.
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

#include "agent/error.h"
#include "agent/printable.h"
#include "tasks/formats.h"
#include "tasks/tree.h"

namespace dsv4::tasks {
namespace {

namespace fs = std::filesystem;
using agent::UsageError;

// The verifier in a working copy: its absolute paths become places in there, and its reward becomes
// an exit status. "@WORKDIR@" is the image's working directory.
constexpr const char* kVerifier = R"(here=$(pwd)
mkdir -p .harbor/logs/verifier
bare='\(^\|[^A-Za-z0-9_./-]\)'
find .harbor/tests -type f -exec grep -Iq . {} \; -exec sed -i \
  -e "s#$bare@WORKDIR@\\(/\\|[^A-Za-z0-9_.-]\\|\$\\)#\\1$here\\2#g" \
  -e "s#$bare/tests\\(/\\|[^A-Za-z0-9_.-]\\|\$\\)#\\1$here/.harbor/tests\\2#g" \
  -e "s#$bare/logs/verifier#\\1$here/.harbor/logs/verifier#g" {} +
bash .harbor/tests/test.sh
cd .harbor/logs/verifier
if [ -e reward.json ]; then
  reward=$(sed -n 's/.*"reward"[^0-9]*\([0-9.]*\).*/\1/p' reward.json)
else
  reward=$(cat reward.txt 2>/dev/null)
fi
echo "reward: $reward"
case $reward in 1|1.0) exit 0;; *) exit 1;; esac
)";
constexpr double kLongestTimeout = 7 * 24 * 3600;  // seconds
constexpr const char* kRun = "sh .harbor/verify.sh";

struct Image {
  std::string work_dir = "/app";
  std::vector<std::pair<std::string, std::string>> copies;  // from environment/, into the tree
  std::vector<std::string> unknown;                         // what only an image can do
};

std::string shown(const fs::path& path) { return agent::printable_line(path.string(), 300); }

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

// Where a COPY goes, relative to the working directory; nothing when it goes elsewhere.
std::optional<std::string> inside(const std::string& target, const std::string& work_dir) {
  const fs::path whole = (fs::path(work_dir) / target).lexically_normal();
  const std::string relative = whole.lexically_relative(fs::path(work_dir)).string();
  if (relative.starts_with("..")) return std::nullopt;
  return relative;
}

void read_line(const std::string& line, Image* image) {
  const std::vector<std::string> words = words_of(line);
  if (words.empty() || words[0][0] == '#') return;
  std::string name = words[0];
  std::transform(name.begin(), name.end(), name.begin(), ::toupper);
  if (name == "FROM" || name == "CMD" || name == "ENTRYPOINT" || name == "LABEL") return;
  if (name == "WORKDIR" && words.size() == 2) {
    image->work_dir = (fs::path(image->work_dir) / words[1]).lexically_normal().string();
    return;
  }
  if (name == "COPY" && words.size() == 3 && !words[1].starts_with("--") && words[1][0] != '[') {
    const auto target = inside(words[2], image->work_dir);
    if (target) {
      const bool folder = words[2].ends_with('/') || *target == ".";
      image->copies.emplace_back(words[1], folder ? *target + "/" : *target);
      return;
    }
  }
  image->unknown.push_back(agent::printable_line(line, 60));
}

Image read_dockerfile(const fs::path& file) {
  Image image;
  if (!fs::exists(file)) return image;
  std::istringstream in(read_text(file));
  std::string whole;
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    const bool goes_on = line.ends_with('\\');
    if (goes_on) line.pop_back();
    whole += line;
    if (goes_on) continue;
    read_line(whole, &image);
    whole.clear();
  }
  return image;
}

// What COPY names, as a container's builder has it: nothing outside of environment/ can be named,
// whatever stands in the Dockerfile and wherever links lead.
fs::path source_of(const fs::path& environment, const std::string& name) {
  const fs::path root = fs::weakly_canonical(environment);
  const fs::path whole = fs::weakly_canonical(root / fs::path(name).relative_path());
  const fs::path inside = whole.lexically_relative(root);
  if (inside.empty() || *inside.begin() == "..") {
    throw UsageError("the Dockerfile copies " + agent::printable_line(name, 200) +
                     ", which is not in " + shown(environment));
  }
  return whole;
}

// Where it goes. A link that was copied before leads out of the tree.
void refuse_links(const fs::path& tree, const fs::path& to) {
  fs::path at = tree;
  for (const fs::path& part : to) {
    at /= part;
    if (!fs::is_symlink(fs::symlink_status(at))) continue;
    throw UsageError("the Dockerfile copies to " + agent::printable_line(to.string(), 200) +
                     ", which is behind a link");
  }
}

void make_tree(const fs::path& environment, const Image& image, const fs::path& tree) {
  fs::create_directories(tree);
  for (const auto& [from, to] : image.copies) {
    const fs::path source = source_of(environment, from);
    refuse_links(tree, fs::path(to).lexically_normal());
    const fs::path target = tree / to;
    if (fs::is_directory(source)) {
      copy_tree(source, target);
    } else if (fs::is_regular_file(source)) {
      const fs::path file = to.ends_with('/') ? target / source.filename() : target;
      refuse_links(tree, file.lexically_relative(tree));
      fs::create_directories(file.parent_path());
      fs::copy_file(source, file, fs::copy_options::overwrite_existing);
    } else {
      throw UsageError("the Dockerfile copies " + shown(source) + ", which is not there");
    }
  }
  for (const char* name : {"Dockerfile", "docker-compose.yaml"}) {
    std::error_code absent;
    fs::remove(tree / name, absent);
  }
  if (fs::is_empty(tree)) write_text(tree / ".keep", "");  // a tree needs a file
}

void add_tests(const fs::path& tests, const std::string& work_dir, const fs::path& tree) {
  fs::remove_all(tree / ".harbor");
  copy_tree(tests, tree / ".harbor/tests");
  std::string script = kVerifier;
  const std::string mark = "@WORKDIR@";
  script.replace(script.find(mark), mark.size(), work_dir);
  write_text(tree / ".harbor/verify.sh", script);
}

void read_settings(const fs::path& file, Task* task) {
  try {
    const toml::table all = toml::parse(read_text(file), file.string());
    if (const auto limit = all["verifier"]["timeout_sec"].value<double>()) {
      if (!(*limit > 0 && *limit <= kLongestTimeout)) {
        throw UsageError(shown(file) + ": timeout_sec is not a number of seconds up to a week");
      }
      task->timeout = std::chrono::milliseconds(static_cast<int64_t>(*limit * 1000));
    }
    task->kind = all["metadata"]["category"].value_or(std::string());
    const std::string difficulty = all["metadata"]["difficulty"].value_or(std::string());
    if (!difficulty.empty()) task->grade = difficulty;
  } catch (const toml::parse_error& error) {
    throw UsageError(shown(file) + ":" + std::to_string(error.source().begin.line) + ": " +
                     agent::printable_line(error.description(), 200));
  }
}

Task read_folder(const fs::path& folder, const Image& image, const SuiteOptions& options) {
  Task task;
  task.id = folder.filename().string();
  task.issue = read_text(folder / "instruction.md");
  read_settings(folder / "task.toml", &task);
  const fs::path environment = folder / "environment";
  const fs::path tests = folder / "tests";
  if (!fs::exists(tests / "test.sh")) {
    throw UsageError(shown(tests) + " has no test.sh: it is what decides a task");
  }
  task.make_tree = [environment, image](const fs::path& tree) {
    make_tree(environment, image, tree);
  };
  task.add_tests = [tests, work_dir = image.work_dir](const fs::path& tree) {
    add_tests(tests, work_dir, tree);
  };
  task.test = kRun;
  // What decides is hidden from the agent: it works without a test that could tell it anything.
  task.test_for_agent = options.show_tests ? kRun : "true";
  if (fs::exists(folder / "solution/solve.sh")) {
    task.gold_folder = folder / "solution";
    task.gold_command = std::string("sed -i 's#") + image.work_dir +
                        "\\(/\\|$\\)#'\"$(pwd)\"'\\1#g' " + kSolutionFolder + "/solve.sh && bash " +
                        kSolutionFolder + "/solve.sh";
  }
  Identity identity;
  task.identity = identity.add_tree(folder).finish();
  return task;
}

}  // namespace

bool is_harbor_folder(const fs::path& folder) {
  return fs::is_regular_file(folder / "task.toml") &&
         fs::is_regular_file(folder / "instruction.md");
}

Suite read_harbor(const fs::path& path, const SuiteOptions& options) {
  Suite suite;
  suite.format = "Harbor";
  for (const fs::path& folder : task_folders(path, is_harbor_folder)) {
    const Image image = read_dockerfile(folder / "environment/Dockerfile");
    if (!image.unknown.empty() && !options.no_image) {
      suite.notes.push_back(folder.filename().string() + " needs a container image (`" +
                            image.unknown.front() +
                            "`) and is left out; --no-image runs it without");
      continue;
    }
    suite.tasks.push_back(read_folder(folder, image, options));
  }
  if (suite.tasks.empty()) {
    throw UsageError("every task of " + shown(path) +
                     " needs a container image, which is not made here: --no-image runs them with "
                     "this machine's own programs");
  }
  suite.notes.push_back("no container image is made: tests run with this machine's own programs");
  if (options.show_tests)
    suite.notes.push_back("the agent saw the tests: not the benchmark's rule");
  return suite;
}

}  // namespace dsv4::tasks
