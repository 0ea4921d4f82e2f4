#pragma once

#include <filesystem>
#include <random>
#include <string>
#include <string_view>

#include "tools/toolbox.h"

namespace dsv4::tools::testing {

// A temporary directory that goes away with its owner.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A small repository and a toolbox on it. Commands run without isolation: the sandbox has its own
// tests, and these must say the same on every machine.
class Bench {
 public:
  explicit Bench(std::string test_command = "python3 test_calc.py");

  // Files are put there before the first call of a tool.
  void put(const std::string& path, std::string_view bytes) const;
  std::string bytes(const std::string& path) const;
  bool has(const std::string& path) const;
  std::filesystem::path root() const { return directory_.path() / "repo"; }
  std::filesystem::path outside() const { return directory_.path(); }

  // The next call meets a new toolbox on the same files, as in another process.
  void restart() { toolbox_.reset(); }

  void track(const std::string& paths) const;  // git init and git add

  Toolbox& toolbox();
  Outcome call(const std::string& tool, const nlohmann::ordered_json& arguments);
  // Of a call that must succeed, or must be refused.
  std::string done(const std::string& tool, const nlohmann::ordered_json& arguments);
  std::string refused(const std::string& tool, const nlohmann::ordered_json& arguments);

  size_t output_limit = 16 << 10;
  bool leave_spent = false;      // see WorkspaceOptions
  bool every_parameter = false;  // as well

 private:
  TemporaryDirectory directory_;
  std::string test_command_;
  std::unique_ptr<sandbox::Sandbox> box_;
  std::unique_ptr<Toolbox> toolbox_;
};

// One random call that changes something, or nothing.
void change_something(Bench& bench, std::mt19937& random);

// Runs a command of the test itself; its output. Fails the test when it fails.
std::string run_command(const std::string& command);

// Everything beneath a directory but .git: paths, types, permissions, contents.
std::string tree_state(const std::filesystem::path& root);

inline constexpr std::string_view kCalc =
    "def clamp(x, low, high):\n"
    "    if x < low:\n"
    "        return low\n"
    "    if x < high:\n"
    "        return high\n"
    "    return x\n"
    "\n"
    "\n"
    "class Box:\n"
    "    def __init__(self, side):\n"
    "        self.side = side\n"
    "\n"
    "    def area(self):\n"
    "        return self.side * self.side\n";

inline constexpr std::string_view kTestCalc =
    "import unittest\n"
    "from calc import Box, clamp\n"
    "\n"
    "\n"
    "class TestCalc(unittest.TestCase):\n"
    "    def test_clamp_high(self):\n"
    "        self.assertEqual(clamp(5, 0, 3), 3)\n"
    "\n"
    "    def test_clamp_inside(self):\n"
    "        self.assertEqual(clamp(2, 0, 3), 2)\n"
    "\n"
    "    def test_area(self):\n"
    "        self.assertEqual(Box(3).area(), 9)\n"
    "\n"
    "\n"
    "unittest.main()\n";

}  // namespace dsv4::tools::testing
