#include "agent/patch.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string_view>

#include "agent/git.h"
#include "agent/printable.h"
#include "agent/working_copy.h"

namespace dsv4::agent {
namespace {

namespace fs = std::filesystem;

GitTree head_tree(git_repository* repository) {
  git_object* object = nullptr;
  check_git(git_revparse_single(&object, repository, "HEAD^{tree}"), "cannot read the copy");
  return GitTree(reinterpret_cast<git_tree*>(object));
}

GitDiff parse_patch(const std::string& patch) {
  git_diff* raw = nullptr;
  check_git(git_diff_from_buffer(&raw, patch.data(), patch.size()), "the patch cannot be read");
  return GitDiff(raw);
}

// Which of the changed files a patch holds. Asked before libgit2 loads a file, so that no file a
// command left behind, however large, is ever in memory.
class Selection {
 public:
  Selection(const fs::path& base, const fs::path& copy, const sandbox::ProtectedNames& names)
      : copy_(copy), names_(names), ignored_(ignored_files(base)) {}

  bool holds(const git_diff_delta& delta) {
    const std::string_view path = delta.new_file.path;
    if (delta.status == GIT_DELTA_UNTRACKED && ignored_.contains(path)) return false;
    const fs::path file = copy_ / path;
    if (names_.hold(path)) {
      if (!is_stand_in(file, path)) left_out_.protected_names.emplace_back(path);
      return false;
    }
    std::error_code error;
    const bool regular = fs::is_regular_file(fs::symlink_status(file, error));
    const uint64_t size = regular ? fs::file_size(file, error) : 0;
    if (size <= kLargestTracked && total_ + size <= kLargestPatch) {
      total_ += size;
      return true;
    }
    left_out_.too_large.emplace_back(path);
    return false;
  }

  const NotInPatch& left_out() const { return left_out_; }

 private:
  // An empty file that a box put there.
  static bool is_stand_in(const fs::path& file, std::string_view path) {
    std::error_code error;
    return sandbox::may_be_stand_in(path) && fs::is_regular_file(fs::symlink_status(file, error)) &&
           fs::file_size(file, error) == 0;
  }

  fs::path copy_;
  const sandbox::ProtectedNames& names_;
  std::set<std::string, std::less<>> ignored_;
  uint64_t total_ = 0;
  NotInPatch left_out_;
};

// Whether `path` lies below real folders only. A tree may hold links in place of folders, made by
// its author or by the model, and behind one anything of this machine may be.
bool reached_by_folders(const fs::path& root, const fs::path& path) {
  fs::path at = root;
  for (const fs::path& part : path.parent_path()) {
    at /= part;
    if (!fs::is_directory(fs::symlink_status(at))) return false;
  }
  return true;
}

// Makes the folders above `path`, in place of whatever else has their names.
void make_folders(const fs::path& root, const fs::path& path) {
  fs::path at = root;
  for (const fs::path& part : path.parent_path()) {
    at /= part;
    if (fs::is_directory(fs::symlink_status(at))) continue;
    fs::remove(at);
    fs::create_directory(at);
  }
}

// libgit2 follows links that stand in place of folders, and files that are links: what a patch says
// of the path behind one would be done outside of the copy. Links that it removes are no way.
void refuse_ways_out(const fs::path& copy, git_diff* diff) {
  std::set<fs::path> removed;
  const size_t count = git_diff_num_deltas(diff);
  for (size_t i = 0; i < count; ++i) {
    const git_diff_delta& delta = *git_diff_get_delta(diff, i);
    if (delta.status == GIT_DELTA_DELETED) removed.emplace(delta.old_file.path);
  }
  for (size_t i = 0; i < count; ++i) {
    const git_diff_delta& delta = *git_diff_get_delta(diff, i);
    for (const git_diff_file* file : {&delta.old_file, &delta.new_file}) {
      if (file->path == nullptr) continue;
      fs::path at;
      for (const fs::path& part : fs::path(file->path).parent_path()) {
        at /= part;
        if (removed.contains(at) || !fs::is_symlink(fs::symlink_status(copy / at))) continue;
        throw std::runtime_error("the patch does not apply: " + printable_line(at.string(), 200) +
                                 " is a link, and nothing behind it is changed");
      }
    }
  }
}

}  // namespace

std::string make_patch(const fs::path& base, const fs::path& copy, const PatchOptions& wanted,
                       NotInPatch* left_out) {
  const GitLibrary library;
  make_plain(copy);
  const GitRepository repository = open_repository(base / ".git", copy);
  const GitTree tree = head_tree(repository.get());
  const std::string old_prefix = "a/" + wanted.prefix;
  const std::string new_prefix = "b/" + wanted.prefix;
  git_diff_options options;
  git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
  options.flags = GIT_DIFF_INCLUDE_UNTRACKED | GIT_DIFF_RECURSE_UNTRACKED_DIRS |
                  GIT_DIFF_SHOW_UNTRACKED_CONTENT | GIT_DIFF_SHOW_BINARY |
                  GIT_DIFF_INCLUDE_TYPECHANGE;
  options.old_prefix = old_prefix.c_str();
  options.new_prefix = new_prefix.c_str();
  Selection selection(base, copy, wanted.protected_names);
  options.payload = &selection;
  options.notify_cb = [](const git_diff*, const git_diff_delta* delta, const char*, void* payload) {
    return static_cast<Selection*>(payload)->holds(*delta) ? 0 : 1;
  };
  git_diff* raw = nullptr;
  check_git(git_diff_tree_to_workdir(&raw, repository.get(), tree.get(), &options),
            "cannot compare the working copy");
  const GitDiff diff(raw);
  git_buf buffer = GIT_BUF_INIT;
  const int code = git_diff_to_buf(&buffer, raw, GIT_DIFF_FORMAT_PATCH);
  const std::string patch(buffer.ptr != nullptr ? buffer.ptr : "", buffer.size);
  git_buf_dispose(&buffer);
  check_git(code, "cannot write the patch");
  if (left_out != nullptr) *left_out = selection.left_out();
  return patch;
}

std::string left_out_note(const std::string& why, const std::vector<std::string>& paths) {
  const std::string more =
      paths.size() > 1 ? " and " + std::to_string(paths.size() - 1) + " more" : "";
  return why + " and left out of the patch: " + printable_line(paths.front(), 200) + more;
}

void apply_patch(const fs::path& copy, const std::string& patch) {
  if (patch.empty()) return;
  const GitLibrary library;
  const GitRepository repository = open_repository(copy.string());
  const GitDiff diff = parse_patch(patch);
  refuse_ways_out(copy, diff.get());
  check_git(git_apply(repository.get(), diff.get(), GIT_APPLY_LOCATION_WORKDIR, nullptr),
            "the patch does not apply");
}

std::vector<std::string> patch_paths(const std::string& patch) {
  std::vector<std::string> paths;
  if (patch.empty()) return paths;
  const GitLibrary library;
  const GitDiff diff = parse_patch(patch);
  for (size_t i = 0; i < git_diff_num_deltas(diff.get()); ++i) {
    const git_diff_delta* delta = git_diff_get_delta(diff.get(), i);
    for (const git_diff_file* file : {&delta->old_file, &delta->new_file}) {
      if (file->path != nullptr) paths.emplace_back(file->path);
    }
  }
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  return paths;
}

void take_files(const fs::path& from, const fs::path& to, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    const fs::path target = to / path;
    if (reached_by_folders(to, path)) fs::remove_all(target);
    if (!reached_by_folders(from, path)) continue;
    const fs::file_status status = fs::symlink_status(from / path);
    if (!fs::exists(status)) continue;
    make_folders(to, path);
    if (fs::is_symlink(status)) {
      fs::copy_symlink(from / path, target);
    } else if (fs::is_regular_file(status)) {
      fs::copy_file(from / path, target);
    }
  }
}

}  // namespace dsv4::agent
