#include "tests/tools/fixture.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <vector>

#include "tests/catch.h"

namespace dsv4::tools::testing {
namespace fs = std::filesystem;

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (fs::temp_directory_path() / "dsv4-tools-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  path_ = fs::canonical(name);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Bench::Bench(std::string test_command) : test_command_(std::move(test_command)) {
  fs::create_directories(root());
  put("calc.py", kCalc);
  put("test_calc.py", kTestCalc);
}

void Bench::put(const std::string& path, std::string_view content) const {
  fs::create_directories((root() / path).parent_path());
  std::ofstream(root() / path, std::ios::binary) << content;
}

std::string Bench::bytes(const std::string& path) const {
  std::ifstream in(root() / path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

bool Bench::has(const std::string& path) const {
  return fs::exists(fs::symlink_status(root() / path));
}

void Bench::track(const std::string& paths) const {
  run_command("cd '" + root().string() + "' && git init -q && git add -f " + paths);
}

Toolbox& Bench::toolbox() {
  if (!toolbox_) {
    sandbox::Policy policy = sandbox::task_policy(root());
    policy.enforce = false;
    box_ = std::make_unique<sandbox::Sandbox>(policy);
    WorkspaceOptions options;
    options.root = root();
    options.metadata = root() / ".git";
    options.state_dir = directory_.path() / "state";
    options.test_command = test_command_;
    options.box = box_.get();
    options.output_limit = output_limit;
    options.failed = std::make_shared<FailedTrees>();
    options.spent = std::make_shared<SpentSymbols>();
    options.leave_spent = leave_spent;
    options.every_parameter = every_parameter;
    toolbox_ = std::make_unique<Toolbox>(std::move(options));
  }
  return *toolbox_;
}

Outcome Bench::call(const std::string& tool, const nlohmann::ordered_json& arguments) {
  return toolbox().call(tool, arguments);
}

std::string Bench::done(const std::string& tool, const nlohmann::ordered_json& arguments) {
  const Outcome outcome = call(tool, arguments);
  INFO(outcome.text);
  REQUIRE_FALSE(outcome.error);
  return outcome.text;
}

std::string Bench::refused(const std::string& tool, const nlohmann::ordered_json& arguments) {
  const Outcome outcome = call(tool, arguments);
  INFO(outcome.text);
  REQUIRE(outcome.error);
  return outcome.text;
}

void change_something(Bench& bench, std::mt19937& random) {
  const auto number = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
  const std::string file =
      "d" + std::to_string(number(3)) + "/f" + std::to_string(number(4)) + ".txt";
  std::string bytes;
  for (unsigned k = number(40); k-- > 0;) bytes += static_cast<char>("ab \n\r\t"[number(6)]);
  switch (number(32)) {
    default:
      bench.call("write", {{"path", file}, {"content", bytes}});
      break;
    case 0:
    case 1:
    case 2:
      bench.call("edit", {{"path", "calc.py"}, {"old", "side"}, {"new", bytes}});
      break;
    case 3:
      bench.call("edit", {{"path", file}, {"old", "a"}, {"new", "b\nc"}});
      break;
    case 4:
      bench.call("bash", {{"command", "rm -rf d" + std::to_string(number(3))}});
      break;
    case 5:
      bench.call("bash",
                 {{"command", "mkdir -p e/empty; printf '\\000x' > e/bin; chmod 755 calc.py"}});
      break;
    case 6:
      bench.call("bash",
                 {{"command", "rm -f link; ln -s calc.py link; mv calc.py d0 2>/dev/null"}});
      break;
    case 8:
    case 9:
      bench.call("edit",
                 {{"edits",
                   {{{"path", file}, {"old", "a"}, {"new", bytes}},
                    {{"path", "calc.py"}, {"symbol", "area"}, {"new", "def area():\n  0"}}}}});
      break;
    case 10:
      bench.call("edit",
                 {{"symbol", "clamp"}, {"old", "if x < low:"}, {"new", "if x < 1:\r\n" + bytes}});
      break;
    case 7:
      bench.call("bash", {{"command", "rm -rf e; sed -i s/x/y/ test_calc.py"}});
  }
}

std::string run_command(const std::string& command) {
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string output;
  std::array<char, 4096> buffer;
  while (const size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    output.append(buffer.data(), got);
  }
  const int status = ::pclose(pipe);
  INFO(command << "\n" << output);
  REQUIRE(status == 0);
  return output;
}

namespace {

// Links are never followed: some of them lead in circles.
void describe(const fs::path& directory, const std::string& prefix, std::string& all) {
  std::vector<fs::path> paths;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    if (entry.path().filename() != ".git") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  for (const fs::path& path : paths) {
    struct stat info {};
    REQUIRE(::lstat(path.c_str(), &info) == 0);
    const std::string name = prefix + path.filename().string();
    std::ostringstream item;
    item << name << " " << std::oct << info.st_mode << " ";
    if (S_ISLNK(info.st_mode)) item << fs::read_symlink(path).string();
    if (S_ISREG(info.st_mode) && info.st_size > 0) {
      item << std::ifstream(path, std::ios::binary).rdbuf();
    }
    all += item.str() + "\n";
    if (S_ISDIR(info.st_mode)) describe(path, name + "/", all);
  }
}

}  // namespace

std::string tree_state(const fs::path& root) {
  std::string all;
  describe(root, "", all);
  return all;
}

}  // namespace dsv4::tools::testing
