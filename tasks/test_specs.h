#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dsv4::tasks {

// How the tests of one repository are run.
struct TestSpec {
  enum class Names { kFiles, kModules };  // what follows the command: a/b.py, or Django's a.b

  std::string test = "python3 -m pytest -rA";
  Names names = Names::kFiles;
  std::optional<std::string> setup;
  std::optional<std::chrono::milliseconds> timeout;
};

// Specs by repository, "owner/name" or "owner/name@version":
//
//   ["django/django"]
//   test = "./tests/runtests.py --verbosity 2 --parallel 1"
//   names = "modules"                    # or "files", the default
//   setup = "python3 -m pip install -e ."
//   timeout = "30m"                      # of one run of the tests
class TestSpecs {
 public:
  TestSpecs();  // Django's own runner, and pytest for all else
  // Throws UsageError that names the file, line and key.
  void read(const std::filesystem::path& file);
  void use_for_all(const std::string& test) { for_all_ = test; }

  TestSpec find(const std::string& repo, const std::string& version) const;

 private:
  std::map<std::string, TestSpec> by_repository_;
  std::optional<std::string> for_all_;
};

// A file that a patch names.
struct PatchedFile {
  enum class Change { kMade, kChanged, kRemoved };
  std::string path;
  Change change = Change::kChanged;
};

// In the order of the patch, which is in git's format. Reads no more than its headers.
std::vector<PatchedFile> patched_files(std::string_view patch);

// The command that runs those test files.
std::string test_command(const TestSpec& spec, const std::vector<std::string>& files);

}  // namespace dsv4::tasks
