#include "agent/repository.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "agent/error.h"
#include "agent/git.h"
#include "agent/printable.h"

namespace dsv4::agent {
namespace {

namespace fs = std::filesystem;

std::string shown(const fs::path& path) { return printable_line(path.string(), 300); }

fs::path real_directory(const fs::path& directory) {
  std::error_code error;
  const fs::path real = fs::canonical(directory, error);
  if (error) {
    throw UsageError("the repository " + shown(directory) + " does not exist: name its directory");
  }
  if (!fs::is_directory(real)) {
    throw UsageError(shown(directory) + " is not a directory: name the repository's directory");
  }
  return real;
}

GitRepository discover(const fs::path& directory) {
  git_repository* raw = nullptr;
  const int code = git_repository_open_ext(&raw, directory.c_str(), 0, nullptr);
  if (code == GIT_ENOTFOUND) {
    throw UsageError(shown(directory) +
                     " is not in a git repository: run `git init` there, or name a repository with "
                     "--repo");
  }
  if (code < 0) {
    const std::string reason = git_message();
    const bool sha256 = reason.find("objectformat") != std::string::npos;
    throw UsageError("the git repository of " + shown(directory) +
                     " cannot be opened: " + printable_line(reason, 300) +
                     (sha256 ? "; its objects have SHA-256 names: copy its files into a new "
                               "repository made by `git init --object-format=sha1`"
                             : ""));
  }
  return GitRepository(raw);
}

fs::path work_tree_of(git_repository* repository, const fs::path& directory) {
  if (git_repository_is_bare(repository)) {
    throw UsageError(
        shown(directory) +
        " is a bare repository, without files to work on: clone it and name the clone");
  }
  const fs::path tree = fs::canonical(git_repository_workdir(repository));
  const auto [end, rest] =
      std::mismatch(tree.begin(), tree.end(), directory.begin(), directory.end());
  const bool inside = end == tree.end() || (end->empty() && std::next(end) == tree.end());
  const bool in_git = std::find(rest, directory.end(), ".git") != directory.end();
  if (!inside || in_git) {
    throw UsageError(shown(directory) +
                     " is inside a .git directory: name the work tree that it belongs to");
  }
  return (tree / "").parent_path();
}

// core.hooksPath relative to `root`, where it lies in it.
std::string hooks_folder(git_repository* repository, const fs::path& work_tree,
                         const fs::path& root) {
  git_config* raw = nullptr;
  if (git_repository_config_snapshot(&raw, repository) != 0) return "";
  const GitConfig config(raw);
  git_buf value = GIT_BUF_INIT;
  std::string folder;
  if (git_config_get_path(&value, raw, "core.hooksPath") == 0) {
    folder = (work_tree / std::string(value.ptr, value.size)).lexically_relative(root).string();
  }
  git_buf_dispose(&value);
  return folder == ".." || folder.starts_with("../") ? "" : folder;
}

void check_settings(const fs::path& file) {
  if (!is_settings_trap(file)) return;
  throw UsageError(shown(file) +
                   " is a pipe or a device, which git would read for ever: remove it");
}

class Walk {
 public:
  Walk(const Repository& repository, Listing* listing, std::stop_token cancel)
      : prefix_(repository.prefix()), root_(repository.root), listing_(listing), cancel_(cancel) {
    git_ = repository.metadata.empty() ? open_repository(repository.work_tree.string())
                                       : open_repository(repository.metadata, repository.work_tree);
    read_index();
    // A directory that the outer repository ignores as a whole was named on purpose.
    int ignored = 0;
    for (fs::path up = root_; up != repository.work_tree; up = up.parent_path()) {
      check_settings(up.parent_path() / ".gitignore");
    }
    if (!prefix_.empty()) git_ignore_path_is_ignored(&ignored, git_.get(), prefix_.c_str());
    use_ignore_ = ignored == 0;
  }

  void directory(const std::string& relative, bool foreign, size_t depth) {
    std::error_code error;
    std::vector<fs::directory_entry> children;
    for (fs::directory_iterator it(root_ / relative, error), end; !error && it != end;
         it.increment(error)) {
      children.push_back(*it);
    }
    if (error) listing_->skipped.push_back(relative);
    for (const fs::directory_entry& child : children) check_settings(child.path());
    for (const fs::directory_entry& child : children) {
      if (cancel_.stop_requested()) return;
      const std::string name = child.path().filename().string();
      if (name == ".git") continue;
      entry(child, relative.empty() ? name : relative + "/" + name, foreign, depth);
    }
  }

 private:
  void read_index() {
    git_index* raw = nullptr;
    if (git_repository_index(&raw, git_.get()) != 0) {
      throw UsageError("the index of " + shown(root_) + " cannot be read (" +
                       printable_line(git_message(), 200) +
                       "): write a plain one with `git sparse-checkout reapply --no-sparse-index` "
                       "or `git update-index --no-split-index`");
    }
    const GitIndex index(raw);
    for (size_t i = 0; i < git_index_entrycount(index.get()); ++i) {
      const git_index_entry* item = git_index_get_byindex(index.get(), i);
      const std::string path = item->path;
      if (path.compare(0, prefix_.size(), prefix_) != 0) continue;
      const std::string local = path.substr(prefix_.size());
      (item->mode == GIT_FILEMODE_COMMIT ? submodules_ : tracked_).insert(local);
      for (size_t at = local.find('/'); at != std::string::npos; at = local.find('/', at + 1)) {
        tracked_directories_.insert(local.substr(0, at));
      }
    }
  }

  bool ignored(const std::string& path, bool is_directory) const {
    if (!use_ignore_) return false;
    int result = 0;
    const std::string full = prefix_ + path + (is_directory ? "/" : "");
    return git_ignore_path_is_ignored(&result, git_.get(), full.c_str()) == 0 && result != 0;
  }

  void entry(const fs::directory_entry& child, const std::string& path, bool foreign,
             size_t depth) {
    struct stat info {};
    if (::lstat(child.path().c_str(), &info) != 0) {
      listing_->skipped.push_back(path);
      return;
    }
    if (S_ISDIR(info.st_mode)) {
      const bool submodule = submodules_.count(path) != 0;
      if (!submodule && tracked_directories_.count(path) == 0 && ignored(path, true)) return;
      if (depth >= kDeepest) {
        listing_->skipped.push_back(path);
        return;
      }
      std::error_code error;
      const bool nested = fs::exists(fs::symlink_status(child.path() / ".git", error));
      directory(path, foreign || submodule || nested, depth + 1);
      return;
    }
    if (!foreign && tracked_.count(path) == 0 && ignored(path, false)) return;
    const bool link = S_ISLNK(info.st_mode);
    if (!link && (!S_ISREG(info.st_mode) || ::access(child.path().c_str(), R_OK) != 0)) {
      listing_->skipped.push_back(path);
      return;
    }
    add(path, link, info, foreign);
  }

  void add(const std::string& path, bool link, const struct stat& info, bool foreign) {
    if (listing_->entries.size() >= kMostEntries) {
      throw UsageError("the repository has more than " + std::to_string(kMostEntries) +
                       " files: name the part that the task is about with --repo");
    }
    TreeEntry item;
    item.path = path;
    item.kind = link                            ? EntryKind::kLink
                : (info.st_mode & S_IXUSR) != 0 ? EntryKind::kExecutable
                                                : EntryKind::kFile;
    item.size = link ? 0 : static_cast<uint64_t>(info.st_size);
    item.foreign = foreign;
    listing_->bytes += item.size;
    listing_->entries.push_back(std::move(item));
  }

  std::string prefix_;
  fs::path root_;
  Listing* listing_;
  std::stop_token cancel_;
  GitRepository git_;
  bool use_ignore_ = true;
  std::set<std::string> tracked_;
  std::set<std::string> tracked_directories_;
  std::set<std::string> submodules_;
};

// Counts nothing for the first commit, nor where a shallow or partial clone lacks what to compare.
void count_changes(git_repository* repository, git_commit* commit,
                   std::map<std::string, int>* counts) {
  git_tree* tree = nullptr;
  git_tree* parent_tree = nullptr;
  git_commit* parent = nullptr;
  if (git_commit_tree(&tree, commit) != 0) return;
  const GitTree own_tree(tree);
  if (git_commit_parent(&parent, commit, 0) != 0) return;
  const GitCommit own_parent(parent);
  if (git_commit_tree(&parent_tree, parent) != 0) return;
  const GitTree own_parent_tree(parent_tree);
  git_diff* raw = nullptr;
  if (git_diff_tree_to_tree(&raw, repository, parent_tree, tree, nullptr) != 0) return;
  const GitDiff diff(raw);
  for (size_t i = 0; i < git_diff_num_deltas(raw); ++i) {
    ++(*counts)[git_diff_get_delta(raw, i)->new_file.path];
  }
}

}  // namespace

std::string Repository::prefix() const {
  return whole() ? "" : root.lexically_relative(work_tree).string() + "/";
}

Repository enclosing_repository(const fs::path& directory) {
  const GitLibrary library;
  const fs::path real = real_directory(directory);
  const GitRepository git = discover(real);
  const fs::path tree = work_tree_of(git.get(), real);
  return Repository{tree, tree, hooks_folder(git.get(), tree, tree)};
}

Repository named_repository(const fs::path& directory) {
  const GitLibrary library;
  const fs::path real = real_directory(directory);
  const GitRepository git = discover(real);
  const fs::path tree = work_tree_of(git.get(), real);
  return Repository{real, tree, hooks_folder(git.get(), tree, real)};
}

Listing list_tree(const Repository& repository, std::stop_token cancel) {
  const GitLibrary library;
  Listing listing;
  Walk(repository, &listing, cancel).directory("", false, 0);
  if (listing.entries.empty() && !cancel.stop_requested()) {
    throw UsageError("the repository " + shown(repository.root) +
                     " has no files: there is nothing to repair");
  }
  std::sort(listing.entries.begin(), listing.entries.end(),
            [](const TreeEntry& a, const TreeEntry& b) { return a.path < b.path; });
  std::sort(listing.skipped.begin(), listing.skipped.end());
  return listing;
}

std::map<std::string, int> change_counts(const Repository& repository, int commits) {
  std::map<std::string, int> counts;
  if (!repository.whole()) return counts;
  const GitLibrary library;
  const GitRepository git = open_repository(repository.work_tree.string());
  if (git_repository_head_unborn(git.get()) != 0) return counts;
  git_revwalk* raw = nullptr;
  check_git(git_revwalk_new(&raw, git.get()), "cannot read the history");
  const GitRevwalk walk(raw);
  git_revwalk_simplify_first_parent(raw);
  if (git_revwalk_push_head(raw) != 0) return counts;
  git_oid id;
  for (int i = 0; i < commits && git_revwalk_next(&id, raw) == 0; ++i) {
    git_commit* commit = nullptr;
    if (git_commit_lookup(&commit, git.get(), &id) != 0) break;
    const GitCommit own(commit);
    count_changes(git.get(), commit, &counts);
  }
  return counts;
}

}  // namespace dsv4::agent
