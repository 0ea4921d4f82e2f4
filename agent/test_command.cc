#include "agent/test_command.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>

namespace dsv4::agent {
namespace {

constexpr size_t kMostRead = 1 << 20;

class Files {
 public:
  Files(const std::filesystem::path& root, const std::vector<std::string>& paths)
      : root_(root), paths_(paths) {}

  bool has(const std::string& path) const {
    return std::binary_search(paths_.begin(), paths_.end(), path);
  }

  // The beginning of a file; empty when the repository has none of that name.
  std::string read(const std::string& path) const {
    const std::filesystem::path file = root_ / path;
    if (!has(path) || !std::filesystem::is_regular_file(std::filesystem::symlink_status(file))) {
      return "";
    }
    std::ifstream in(file, std::ios::binary);
    std::string text(kMostRead, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<size_t>(in.gcount()));
    return text;
  }

  const std::vector<std::string>& paths() const { return paths_; }

 private:
  std::filesystem::path root_;
  const std::vector<std::string>& paths_;
};

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string_view basename(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

std::optional<TestCommand> cmake(const Files& files) {
  const std::string text = files.read("CMakeLists.txt");
  if (!contains(text, "enable_testing") && !contains(text, "include(CTest)")) return std::nullopt;
  return TestCommand{
      "cmake -S . -B build && cmake --build build && "
      "ctest --test-dir build --output-on-failure",
      "CTest"};
}

std::optional<TestCommand> npm(const Files& files) {
  const auto json = nlohmann::json::parse(files.read("package.json"), nullptr, false);
  if (!json.is_object() || !json.contains("scripts") || !json["scripts"].is_object()) {
    return std::nullopt;
  }
  const auto script = json["scripts"].find("test");
  if (script == json["scripts"].end() || !script->is_string()) return std::nullopt;
  // What `npm init` writes when there are no tests.
  if (contains(script->get<std::string>(), "no test specified")) return std::nullopt;
  return TestCommand{"npm test", "npm"};
}

// A Makefile with the target "test" or "check".
std::optional<TestCommand> make(const Files& files) {
  for (const char* name : {"GNUmakefile", "makefile", "Makefile"}) {
    std::string text = "\n";
    text += files.read(name);
    if (contains(text, "\ntest:")) return TestCommand{"make test", "make"};
    if (contains(text, "\ncheck:")) return TestCommand{"make check", "make"};
  }
  return std::nullopt;
}

// pytest where the files ask for it, unittest where they are written for that, else the one script.
std::optional<TestCommand> python(const Files& files) {
  std::vector<std::string> tests;
  for (const std::string& path : files.paths()) {
    const std::string_view name = basename(path);
    if (ends_with(name, ".py") && (starts_with(name, "test_") || ends_with(name, "_test.py"))) {
      tests.push_back(path);
    }
  }
  const bool pytest_files = files.has("pytest.ini") || files.has("conftest.py") ||
                            contains(files.read("pyproject.toml"), "[tool.pytest") ||
                            contains(files.read("setup.cfg"), "[tool:pytest]") ||
                            contains(files.read("tox.ini"), "[pytest]");
  if (pytest_files) return TestCommand{"python3 -m pytest -q", "pytest"};
  if (tests.empty()) return std::nullopt;
  bool unittest = true;
  for (const std::string& path : tests) {
    const std::string text = files.read(path);
    if (contains(text, "import pytest")) return TestCommand{"python3 -m pytest -q", "pytest"};
    unittest = unittest && contains(text, "unittest");
  }
  const bool script = contains(files.read(tests[0]), "__main__");
  if (tests.size() == 1 && script) return TestCommand{"python3 " + tests[0], "a test script"};
  if (unittest) return TestCommand{"python3 -m unittest discover", "unittest"};
  return TestCommand{"python3 -m pytest -q", "pytest"};
}

}  // namespace

std::optional<TestCommand> detect_test_command(const std::filesystem::path& root,
                                               const std::vector<std::string>& paths) {
  const Files files(root, paths);
  if (auto found = cmake(files)) return found;
  if (auto found = npm(files)) return found;
  if (files.has("Cargo.toml")) return TestCommand{"cargo test --offline", "cargo"};
  if (files.has("go.mod")) return TestCommand{"go test ./...", "go"};
  if (auto found = make(files)) return found;
  return python(files);
}

bool cannot_run(const sandbox::Result& result) {
  if (result.end == sandbox::End::kNotFound) return true;
  if (result.end != sandbox::End::kExited) return false;
  switch (result.status) {
    case 126:
    case 127:
      return true;
    case 1: {  // python3 -m pytest, where only python3 is installed
      const size_t end = result.output.find_last_not_of(" \r\n") + 1;
      return ends_with(std::string_view(result.output).substr(0, end), ": No module named pytest");
    }
    case 2:
      return starts_with(result.output, "sh: ") && contains(result.output, "yntax error");
    default:
      return false;
  }
}

}  // namespace dsv4::agent
