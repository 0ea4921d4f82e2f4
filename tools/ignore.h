#pragma once

#include <map>
#include <memory>
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
    enum class Kind {
      kGlob,
      kWhole,
      kEnding
    };  // kWhole without wildcards, kEnding `*` and no more
    Kind kind = Kind::kGlob;
    std::string glob;  // of kEnding what follows the star
    bool negated = false;
    bool directory_only = false;
    bool anchored = false;  // matched against the path from its file's directory, not the name

    bool matches(std::string_view subject) const;
  };
  using Patterns = std::vector<Pattern>;

 public:
  // The patterns of a directory's own file, and those of the directories above it.
  struct Level;
  using LevelPointer = std::shared_ptr<const Level>;
  struct Level {
    LevelPointer above;
    size_t skipped = 0;  // bytes of a path before what the patterns are about
    Patterns patterns;
  };

  // For walks, which go from a directory to those in it. Safe to call from several threads.
  // around() is what holds in a directory that is entered first; entered() what holds inside.
  LevelPointer around(const std::string& directory) const;
  LevelPointer entered(LevelPointer above, const std::string& directory, bool has_file) const;
  static bool ignored(const Level* level, std::string_view path, bool is_directory);

 private:
  static Patterns parsed(std::string_view text);
  LevelPointer level_of(const std::string& directory) const;

  const WorkTree& tree_;
  mutable std::map<std::string, LevelPointer> levels_;
};

}  // namespace dsv4::tools
