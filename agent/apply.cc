#include "agent/apply.h"

#include <fstream>
#include <iterator>
#include <vector>

#include "agent/error.h"
#include "agent/git.h"
#include "agent/patch.h"
#include "agent/printable.h"
#include "agent/working_copy.h"

namespace dsv4::agent {
namespace {

namespace fs = std::filesystem;

std::string read_all(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

bool is_executable(const fs::path& file) {
  return (fs::status(file).permissions() & fs::perms::owner_exec) != fs::perms::none;
}

bool same_file(const fs::path& a, const fs::path& b) {
  const fs::file_status left = fs::symlink_status(a);
  const fs::file_status right = fs::symlink_status(b);
  if (left.type() != right.type()) return false;
  if (fs::is_symlink(left)) return fs::read_symlink(a) == fs::read_symlink(b);
  if (!fs::is_regular_file(left)) return !fs::exists(left);
  return fs::file_size(a) == fs::file_size(b) && is_executable(a) == is_executable(b) &&
         read_all(a) == read_all(b);
}

// A patch must not write through a link that stands for a directory.
void check_parents(const fs::path& root, const std::string& path) {
  fs::path parent = root;
  const fs::path relative(path);
  for (auto part = relative.begin(); part != std::prev(relative.end()); ++part) {
    parent /= *part;
    const fs::file_status status = fs::symlink_status(parent);
    if (fs::exists(status) && !fs::is_directory(status)) {
      throw UsageError("the patch was not applied: " + printable_line(parent.string(), 300) +
                       " is not a directory; the patch is kept");
    }
  }
}

fs::path unused_name(const fs::path& directory) {
  for (int number = 0;; ++number) {
    const fs::path name = directory / (".dsv4-" + std::to_string(number));
    if (!fs::exists(fs::symlink_status(name))) return name;
  }
}

// Puts one file in place by a rename, so that nobody sees half of it.
void place(const fs::path& from, const fs::path& to) {
  const fs::file_status status = fs::symlink_status(from);
  if (!fs::exists(status)) {
    fs::remove(to);
    return;
  }
  fs::create_directories(to.parent_path());
  const fs::path fresh = unused_name(to.parent_path());
  if (fs::is_symlink(status)) {
    fs::copy_symlink(from, fresh);
  } else {
    fs::copy_file(from, fresh);
    // The modes of the user's own file stay, but for the patch's change of the executable bit.
    if (fs::is_regular_file(fs::symlink_status(to))) {
      fs::permissions(fresh, fs::status(to).permissions());
    }
    constexpr auto kExecute =
        fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec;
    if (is_executable(from) != is_executable(fresh)) {
      fs::permissions(fresh, kExecute,
                      is_executable(from) ? fs::perm_options::add : fs::perm_options::remove);
    }
  }
  fs::rename(fresh, to);
}

GitTree tree_of(git_commit* commit) {
  git_tree* tree = nullptr;
  check_git(git_commit_tree(&tree, commit), "cannot read HEAD");
  return GitTree(tree);
}

GitSignature signature_of(git_repository* repository) {
  git_signature* signature = nullptr;
  if (git_signature_default(&signature, repository) != 0) {
    check_git(git_signature_now(&signature, "dsv4-agent", "dsv4-agent@localhost"),
              "cannot sign the commit");
  }
  return GitSignature(signature);
}

GitCommit head_commit(git_repository* repository) {
  git_oid id;
  git_commit* commit = nullptr;
  if (git_reference_name_to_id(&id, repository, "HEAD") != 0 ||
      git_commit_lookup(&commit, repository, &id) != 0) {
    throw UsageError(
        "--branch needs a commit to begin at, and the repository has none: commit first");
  }
  return GitCommit(commit);
}

// Whether the branch is there already and is this very change.
bool branch_has(git_repository* git, const std::string& name, const git_oid& tree,
                const git_commit* parent, const std::string& message) {
  git_oid id;
  git_commit* commit = nullptr;
  const std::string reference = "refs/heads/" + name;
  if (git_reference_name_to_id(&id, git, reference.c_str()) != 0 ||
      git_commit_lookup(&commit, git, &id) != 0) {
    return false;
  }
  const GitCommit own(commit);
  return git_oid_equal(git_commit_tree_id(commit), &tree) != 0 &&
         git_commit_parentcount(commit) == 1 &&
         git_oid_equal(git_commit_parent_id(commit, 0), git_commit_id(parent)) != 0 &&
         git_commit_message(commit) == message;
}

}  // namespace

void check_branch(const Repository& repository, const std::string& name) {
  const GitLibrary library;
  const GitRepository git = open_repository(repository.work_tree.string());
  const std::string shown = printable_line(name, 100);
  int valid = 0;
  if (git_branch_name_is_valid(&valid, name.c_str()) != 0 || valid == 0) {
    throw UsageError("'" + shown + "' is not a valid branch name: give --branch another");
  }
  git_reference* found = nullptr;
  if (git_branch_lookup(&found, git.get(), name.c_str(), GIT_BRANCH_LOCAL) == 0) {
    const GitReference own(found);
    throw UsageError("the branch '" + shown + "' exists already: give --branch a new name");
  }
  head_commit(git.get());
}

void apply_to_tree(const Repository& repository, const fs::path& base, const fs::path& scratch,
                   const std::string& patch) {
  const OwnedDirectory patched(scratch);
  copy_base(base, patched.path());
  apply_patch(patched.path(), patch);
  std::vector<std::string> paths;  // that are not yet as they should be
  for (const std::string& path : patch_paths(patch)) {
    check_parents(repository.root, path);
    if (same_file(patched.path() / path, repository.root / path)) continue;
    if (!same_file(base / path, repository.root / path)) {
      throw UsageError("the patch was not applied: " + printable_line(path, 300) +
                       " was changed while the task ran; the patch is kept");
    }
    paths.push_back(path);
  }
  size_t placed = 0;
  try {
    for (; placed < paths.size(); ++placed) {
      place(patched.path() / paths[placed], repository.root / paths[placed]);
    }
  } catch (const fs::filesystem_error& error) {
    for (size_t i = 0; i < placed; ++i) place(base / paths[i], repository.root / paths[i]);
    throw UsageError("the patch was not applied, the tree is as it was: " +
                     printable_line(error.what(), 300));
  }
}

void commit_to_branch(const Repository& repository, const std::string& name,
                      const std::string& prefixed_patch, const std::string& message) {
  const GitLibrary library;
  const GitRepository git = open_repository(repository.work_tree.string());
  const GitCommit head = head_commit(git.get());
  const GitTree tree = tree_of(head.get());
  git_diff* raw_diff = nullptr;
  check_git(git_diff_from_buffer(&raw_diff, prefixed_patch.data(), prefixed_patch.size()),
            "the patch cannot be read");
  const GitDiff diff(raw_diff);
  git_index* raw_index = nullptr;
  if (git_apply_to_tree(&raw_index, git.get(), tree.get(), raw_diff, nullptr) != 0) {
    throw UsageError("the branch was not made: the patch does not fit the last commit (" +
                     printable_line(git_message(), 200) +
                     "); commit your changes and apply the patch, which is kept");
  }
  const GitIndex index(raw_index);
  git_oid tree_id;
  check_git(git_index_write_tree_to(&tree_id, raw_index, git.get()), "cannot write the branch");
  git_tree* raw_tree = nullptr;
  check_git(git_tree_lookup(&raw_tree, git.get(), &tree_id), "cannot write the branch");
  const GitTree patched(raw_tree);
  if (branch_has(git.get(), name, tree_id, head.get(), message)) return;
  const GitSignature signature = signature_of(git.get());
  const git_commit* parents[] = {head.get()};
  git_oid commit;
  // Creating the commit together with the reference fails when somebody made the branch meanwhile.
  const std::string reference = "refs/heads/" + name;
  check_git(git_commit_create(&commit, git.get(), nullptr, signature.get(), signature.get(),
                              nullptr, message.c_str(), patched.get(), 1, parents),
            "cannot write the branch");
  git_reference* made = nullptr;
  check_git(git_reference_create(&made, git.get(), reference.c_str(), &commit, 0,
                                 "branch: made by dsv4-agent"),
            "cannot make the branch " + printable_line(name, 100));
  git_reference_free(made);
}

}  // namespace dsv4::agent
