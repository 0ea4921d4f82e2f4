#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tools/worktree.h"

namespace dsv4::tools {

// Whether a shell pattern of .gitignore matches the whole path: `*` and `?` stop at slashes, `**`
// does not, `[a-z]`, backslash. Takes at most a bounded number of steps, then says no.
bool glob_matches(std::string_view pattern, std::string_view path);

// Which paths are not part of the project: .gitignore files and, unless they are tracked, leavings
// of builds and interpreters that no project tracks (__pycache__, object files, ...). Read through
// the WorkTree, never through libgit2, so that no configuration of the repository is obeyed.
class Ignore {
 public:
  explicit Ignore(const WorkTree& tree) : tree_(tree) {}

  // The path itself; what is above it is the caller's question (a walk does not enter an ignored
  // directory).
  bool ignored(const std::string& path, bool is_directory) const;

  // The path or anything above it.
  bool inside_ignored(const std::string& path) const;

 private:
  struct Pattern {
    std::string glob;
    bool negated = false;
    bool directory_only = false;
    bool anchored = false;  // matched against the path from its file's directory, not the name
  };
  using Patterns = std::vector<Pattern>;

  static Patterns parsed(std::string_view text);
  const Patterns& of_directory(const std::string& directory) const;

  const WorkTree& tree_;
  mutable std::map<std::string, Patterns> files_;
};

// The regular files beneath `path` that are not ignored, sorted; links are left out.
std::vector<std::string> project_files(const WorkTree& tree, const std::string& path = "");

}  // namespace dsv4::tools
