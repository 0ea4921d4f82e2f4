#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace dsv4::sandbox {

// A file or folder, relative to a working copy.
struct ProtectedName {
  std::string path;
  bool folder = true;  // as what an empty one stands in for it where it is missing
};

// What in a repository makes other programs act, later or elsewhere, with rights that no command
// here has: CI configuration, and hooks that git runs for people. It lies at the root. Nothing but
// a person changes it: commands can only read it (Policy::protected_names), tools refuse to write
// it, and no patch holds it.
class ProtectedNames {
 public:
  // hooks: where git runs hooks from instead of .git/hooks (core.hooksPath), relative to the root;
  // empty where that is not in the repository.
  explicit ProtectedNames(const std::string& hooks = "");
  static ProtectedNames none();  // --allow-ci-changes

  // Whether `path` ("a/b", relative to the root) is one of them or lies below one. Upper and lower
  // case are the same, as on some machines where a patch may be used.
  bool hold(std::string_view path) const;

  // Those that commands in this working copy must not change: all names that are known in full, and
  // what is there under names such as .gitlab-ci-deploy.yml.
  std::vector<ProtectedName> in(const std::filesystem::path& working_copy) const;

 private:
  bool none_ = false;
  std::string hooks_;
};

// Whether a file or folder of that name at a repository's root may be an empty stand-in, which a
// box put there so that no command can make it.
bool may_be_stand_in(std::string_view name);

}  // namespace dsv4::sandbox
