#pragma once

#include <filesystem>
#include <string>

#include "agent/repository.h"

namespace dsv4::agent {

// Throws UsageError when a branch of this name cannot be made: not a valid name, it exists, or
// there is no commit to begin at.
void check_branch(const Repository& repository, const std::string& name);

// Makes the patch's changes in the user's tree; all of them or none. The base is the copy the patch
// was made against: when a file of the patch is neither what it was there nor what the patch makes
// of it, UsageError says which and nothing is changed. The index is left alone.
void apply_to_tree(const Repository& repository, const std::filesystem::path& base,
                   const std::filesystem::path& scratch, const std::string& patch);

// Commits the patch on top of HEAD as a new branch, without checking it out and without touching
// tree or index. `prefixed_patch` has paths relative to the work tree. Throws UsageError when the
// patch does not fit the commit, as it may where the tree has changes that are not committed.
// Nothing is done when the branch is there and is this very commit on HEAD.
void commit_to_branch(const Repository& repository, const std::string& name,
                      const std::string& prefixed_patch, const std::string& message);

}  // namespace dsv4::agent
