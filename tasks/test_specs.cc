#include "tasks/test_specs.h"

#include <toml++/toml.h>

#include "agent/duration.h"
#include "agent/error.h"
#include "agent/printable.h"
#include "tasks/tree.h"

namespace dsv4::tasks {
namespace {

namespace fs = std::filesystem;
using agent::UsageError;

[[noreturn]] void refuse(const fs::path& file, const toml::node& node, const std::string& what) {
  throw UsageError(agent::printable_line(file.string(), 300) + ":" +
                   std::to_string(node.source().begin.line) + ": " + what);
}

TestSpec read_spec(const fs::path& file, const std::string& repo, const toml::node& node) {
  if (!node.is_table()) refuse(file, node, repo + " must be a table: [\"" + repo + "\"]");
  TestSpec spec;
  for (const auto& [key, value] : *node.as_table()) {
    const std::string name(key.str());
    const auto text = value.value<std::string>();
    if (!value.is_string() || text->empty() || text->find('\n') != std::string::npos) {
      refuse(file, value, agent::printable_line(name, 60) + " must be a text of one line");
    }
    if (name == "test") {
      spec.test = *text;
    } else if (name == "setup") {
      spec.setup = *text;
    } else if (name == "names" && (*text == "files" || *text == "modules")) {
      spec.names = *text == "files" ? TestSpec::Names::kFiles : TestSpec::Names::kModules;
    } else if (name == "timeout" && agent::parse_duration(*text)) {
      spec.timeout = agent::parse_duration(*text);
    } else {
      refuse(file, value,
             agent::printable_line(name, 60) +
                 " is not test, setup, names (\"files\" or \"modules\") or timeout (\"30m\")");
    }
  }
  return spec;
}

std::string quoted(const std::string& word) {
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// "tests/forms/test_x.py" is "forms.test_x" to Django's runner.
std::string module_of(std::string path) {
  if (path.ends_with(".py")) path.resize(path.size() - 3);
  if (path.starts_with("tests/")) path.erase(0, 6);
  for (char& c : path) c = c == '/' ? '.' : c;
  return path;
}

}  // namespace

TestSpecs::TestSpecs() {
  TestSpec django;
  django.test = "./tests/runtests.py --verbosity 2 --parallel 1";
  django.names = TestSpec::Names::kModules;
  by_repository_["django/django"] = django;
}

void TestSpecs::read(const fs::path& file) {
  try {
    const toml::table all = toml::parse(read_text(file), file.string());
    for (const auto& [key, node] : all) {
      const std::string repo(key.str());
      by_repository_[repo] = read_spec(file, agent::printable_line(repo, 100), node);
    }
  } catch (const toml::parse_error& error) {
    throw UsageError(agent::printable_line(file.string(), 300) + ":" +
                     std::to_string(error.source().begin.line) + ": " +
                     agent::printable_line(error.description(), 200));
  }
}

TestSpec TestSpecs::find(const std::string& repo, const std::string& version) const {
  TestSpec spec;
  for (const std::string& name : {repo, repo + "@" + version}) {
    const auto found = by_repository_.find(name);
    if (found != by_repository_.end()) spec = found->second;
  }
  if (for_all_) spec.test = *for_all_;
  return spec;
}

std::vector<PatchedFile> patched_files(std::string_view patch) {
  std::vector<PatchedFile> files;
  bool in_header = false;
  while (!patch.empty()) {
    const size_t end = std::min(patch.find('\n'), patch.size());
    std::string_view line = patch.substr(0, end);
    patch.remove_prefix(std::min(end + 1, patch.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("diff --git ")) {
      in_header = true;
      files.emplace_back();
      const size_t second = line.rfind(" b/");
      if (second != line.npos) files.back().path = line.substr(second + 3);
    } else if (line.starts_with("@@")) {
      in_header = false;
    } else if (in_header && line.starts_with("new file mode")) {
      files.back().change = PatchedFile::Change::kMade;
    } else if (in_header && line.starts_with("deleted file mode")) {
      files.back().change = PatchedFile::Change::kRemoved;
    }
  }
  return files;
}

std::string test_command(const TestSpec& spec, const std::vector<std::string>& files) {
  std::string command = spec.test;
  for (const std::string& file : files) {
    command += " " + quoted(spec.names == TestSpec::Names::kModules ? module_of(file) : file);
  }
  return command;
}

}  // namespace dsv4::tasks
