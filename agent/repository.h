#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

namespace dsv4::agent {

// The tree a task is about. `root` is a git work tree, or a directory inside one that was named:
// then that directory alone is the task's repository.
struct Repository {
  std::filesystem::path root;       // absolute, links resolved
  std::filesystem::path work_tree;  // of git: root or a directory above it
  std::string hooks{};              // where git runs hooks from (core.hooksPath), relative to root;
                                    // empty: .git/hooks, or outside of root
  std::filesystem::path metadata{};  // of git; empty: work_tree/.git

  bool whole() const { return root == work_tree; }
  // root relative to work_tree with a "/" at the end; empty when they are the same.
  std::string prefix() const;
};

// The work tree that `directory` lies in. Throws UsageError when there is none, with a sentence for
// each reason: no directory, not in git, a bare repository, inside .git.
Repository enclosing_repository(const std::filesystem::path& directory);

// A directory that was named by --repo or `repo:`; it must lie in a git work tree. Throws as above.
Repository named_repository(const std::filesystem::path& directory);

enum class EntryKind { kFile, kExecutable, kLink };

struct TreeEntry {
  std::string path;  // relative to the root, "/" between parts
  EntryKind kind = EntryKind::kFile;
  uint64_t size = 0;     // bytes
  bool foreign = false;  // in a submodule or a nested repository: read, never part of the patch
};

// The tree as it is on disk: tracked files with their uncommitted changes, and untracked files that
// are not ignored. That is what a patch has to fit.
struct Listing {
  std::vector<TreeEntry> entries;    // sorted by path, bytewise
  std::vector<std::string> skipped;  // devices, sockets, pipes and what cannot be read
  uint64_t bytes = 0;
};

inline constexpr size_t kMostEntries = 1'000'000;

// Folders in folders; libgit2 goes no deeper than 100.
inline constexpr size_t kDeepest = 96;

// Never follows links, never leaves the root, skips what lies deeper than kDeepest. Throws
// UsageError when the tree is empty or has more than kMostEntries files. Returns early, incomplete,
// once `cancel` fires.
Listing list_tree(const Repository& repository, std::stop_token cancel = {});

// How many of the last `commits` commits on HEAD changed each file, by path relative to the root;
// empty where the root is only a part of the work tree, and before the first commit.
std::map<std::string, int> change_counts(const Repository& repository, int commits = 200);

}  // namespace dsv4::agent
