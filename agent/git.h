#pragma once

#include <git2.h>

#include <filesystem>
#include <memory>
#include <string>

namespace dsv4::agent {

// Before the first use of libgit2; any thread may make one at any time. libgit2 runs no hooks,
// filters or other commands that a repository's configuration names, and the program never starts
// git on the user's tree, so a repository that somebody else owns may be read.
class GitLibrary {
 public:
  GitLibrary();
  GitLibrary(const GitLibrary&) = delete;
  GitLibrary& operator=(const GitLibrary&) = delete;
};

template <auto Free>
struct GitFree {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

using GitCommit = std::unique_ptr<git_commit, GitFree<git_commit_free>>;
using GitConfig = std::unique_ptr<git_config, GitFree<git_config_free>>;
using GitDiff = std::unique_ptr<git_diff, GitFree<git_diff_free>>;
using GitIndex = std::unique_ptr<git_index, GitFree<git_index_free>>;
using GitReference = std::unique_ptr<git_reference, GitFree<git_reference_free>>;
using GitRepository = std::unique_ptr<git_repository, GitFree<git_repository_free>>;
using GitRevwalk = std::unique_ptr<git_revwalk, GitFree<git_revwalk_free>>;
using GitSignature = std::unique_ptr<git_signature, GitFree<git_signature_free>>;
using GitTree = std::unique_ptr<git_tree, GitFree<git_tree_free>>;

// libgit2's words for the last error.
std::string git_message();

// Throws std::runtime_error "WHAT: libgit2's message" when `code` is negative.
void check_git(int code, const std::string& what);

// Whether libgit2 must not meet this path: it opens .gitignore and its like wherever it comes by,
// through links too, and a pipe or a device in their place would hold this program for ever.
bool is_settings_trap(const std::filesystem::path& path);

GitRepository open_repository(const std::string& path);

// The repository whose metadata lies in `metadata`, with `tree` as its working tree. What a command
// may have put there by the name of .git is not looked at.
GitRepository open_repository(const std::filesystem::path& metadata,
                              const std::filesystem::path& tree);

}  // namespace dsv4::agent
