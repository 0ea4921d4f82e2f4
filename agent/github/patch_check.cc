#include "agent/github/patch_check.h"

#include <algorithm>
#include <memory>
#include <set>

#include "agent/git.h"
#include "agent/github/path_rules.h"
#include "agent/printable.h"

namespace dsv4::agent::github {
namespace {

using GitBlob = std::unique_ptr<git_blob, GitFree<git_blob_free>>;
using GitTreeEntry = std::unique_ptr<git_tree_entry, GitFree<git_tree_entry_free>>;

[[noreturn]] void refuse(const std::string& why) {
  throw PatchRefused("the patch is refused: " + why);
}

void fit(int code, const std::string& what) {
  if (code < 0) refuse(what + " (" + printable_line(git_message(), 200) + ")");
}

std::string name_of(const git_oid& id) {
  char text[GIT_OID_HEXSZ + 1];
  git_oid_tostr(text, sizeof text, &id);
  return text;
}

bool is_regular(uint16_t mode) {
  return mode == GIT_FILEMODE_BLOB || mode == GIT_FILEMODE_BLOB_EXECUTABLE;
}

// Characters that make a reviewer see other code than a compiler does. Marks that texts of some
// languages need are left alone where they stood before.
size_t misleading_characters(std::string_view text) {
  size_t count = 0;
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    const uint32_t code = length == 0 ? 0 : utf8_code(text, length);
    const bool misleads = (code >= 0x202a && code <= 0x202e) ||
                          (code >= 0x2066 && code <= 0x2069) || code == 0x200b ||
                          (code >= 0x2060 && code <= 0x2064) ||
                          (code >= 0xe0000 && code <= 0xe0fff);
    count += misleads ? 1 : 0;
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return count;
}

// What the patch says it does, before anything is done.
void check_delta(const git_diff_delta& delta) {
  const std::string path = delta.new_file.path != nullptr ? delta.new_file.path : "";
  const std::string shown = printable_line(path, 200);
  const bool plain = delta.status == GIT_DELTA_ADDED || delta.status == GIT_DELTA_DELETED ||
                     delta.status == GIT_DELTA_MODIFIED;
  if (!plain) refuse(shown + " is copied, renamed or changed in kind");
  if (delta.old_file.path == nullptr || path != delta.old_file.path) {
    refuse(shown + " has two names");
  }
  if (const auto why = why_not_touch(path)) refuse(shown + " " + *why);
  if ((delta.flags & GIT_DIFF_FLAG_BINARY) != 0) refuse(shown + " is binary");
  // A patch may leave out the mode of a file that stays.
  if (delta.status != GIT_DELTA_DELETED && delta.new_file.mode != 0 &&
      !is_regular(delta.new_file.mode)) {
    refuse(shown + " would be a link, a submodule or have an odd mode");
  }
  if (delta.status != GIT_DELTA_ADDED && delta.old_file.mode != 0 &&
      !is_regular(delta.old_file.mode)) {
    refuse(shown + " is a link or a submodule");
  }
}

class Checker {
 public:
  explicit Checker(const PatchPlace& place)
      : place_(place), git_(open_repository(place.repository.string())) {
    git_oid id;
    git_commit* commit = nullptr;
    if (git_oid_fromstr(&id, place.commit.c_str()) != 0 ||
        git_commit_lookup(&commit, git_.get(), &id) != 0) {
      throw UsageError("the checkout does not have the commit " + printable_line(place.commit, 40) +
                       ": check out the commit that the event is about");
    }
    const GitCommit owned(commit);
    git_tree* tree = nullptr;
    check_git(git_commit_tree(&tree, commit), "cannot read the commit");
    root_.reset(tree);
    if (!place.directory.empty()) {
      prefix_ = place.directory + "/";
      inner_ = subtree(place.directory);
    }
  }

  CheckedPatch run(const std::string& patch) {
    const GitTree patched = apply(patch);
    compare(patched.get());
    check_names(patched.get());
    out_.base_tree = name_of(*git_tree_id(root_.get()));
    out_.tree = whole_tree();
    return std::move(out_);
  }

 private:
  git_tree* base() const { return inner_ ? inner_.get() : root_.get(); }

  GitTree subtree(const std::string& path) const {
    git_tree_entry* entry = nullptr;
    git_tree* tree = nullptr;
    const int found = git_tree_entry_bypath(&entry, root_.get(), path.c_str());
    const GitTreeEntry owned(entry);
    if (found != 0 || git_tree_entry_type(entry) != GIT_OBJECT_TREE ||
        git_tree_lookup(&tree, git_.get(), git_tree_entry_id(entry)) != 0) {
      throw UsageError("the commit has no directory " + printable_line(path, 200));
    }
    return GitTree(tree);
  }

  bool exists(const char* path) const {
    git_tree_entry* entry = nullptr;
    const int found = git_tree_entry_bypath(&entry, base(), path);
    const GitTreeEntry owned(entry);
    return found == 0;
  }

  GitTree apply(const std::string& patch) const {
    git_diff* raw = nullptr;
    fit(git_diff_from_buffer(&raw, patch.data(), patch.size()), "it cannot be read");
    const GitDiff diff(raw);
    const size_t count = git_diff_num_deltas(raw);
    if (count == 0) refuse("it changes nothing");
    if (count > kMostChangedFiles) {
      refuse("it changes " + std::to_string(count) + " files, and at most " +
             std::to_string(kMostChangedFiles) + " may be");
    }
    for (size_t i = 0; i < count; ++i) {
      const git_diff_delta& delta = *git_diff_get_delta(raw, i);
      check_delta(delta);
      if (delta.status == GIT_DELTA_ADDED && exists(delta.new_file.path)) {
        refuse("it does not fit the commit: " + printable_line(delta.new_file.path, 200) +
               " is there already");
      }
    }
    git_index* index = nullptr;
    fit(git_apply_to_tree(&index, git_.get(), base(), raw, nullptr),
        "it does not fit the commit " + place_.commit.substr(0, 12));
    const GitIndex owned(index);
    git_oid id;
    fit(git_index_write_tree_to(&id, index, git_.get()), "it makes no valid tree");
    git_tree* tree = nullptr;
    fit(git_tree_lookup(&tree, git_.get(), &id), "it makes no valid tree");
    return GitTree(tree);
  }

  // What the patch did: this is what counts.
  void compare(git_tree* patched) {
    git_diff_options options;
    git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
    options.flags = GIT_DIFF_INCLUDE_TYPECHANGE | GIT_DIFF_INCLUDE_TYPECHANGE_TREES;
    git_diff* raw = nullptr;
    check_git(git_diff_tree_to_tree(&raw, git_.get(), base(), patched, &options),
              "cannot compare the trees");
    const GitDiff diff(raw);
    const size_t count = git_diff_num_deltas(raw);
    if (count == 0) refuse("it changes nothing");
    for (size_t i = 0; i < count; ++i) take(*git_diff_get_delta(raw, i));
  }

  void take(const git_diff_delta& delta) {
    check_delta(delta);
    Change change;
    change.path = prefix_ + delta.new_file.path;
    const std::string shown = printable_line(change.path, 200);
    if (const auto why = why_not_touch(change.path)) refuse(shown + " " + *why);
    const std::string before =
        delta.status == GIT_DELTA_ADDED ? std::string() : content(delta.old_file.id, shown);
    if (before.find('\0') != std::string::npos) refuse(shown + " is binary");
    if (delta.status != GIT_DELTA_DELETED) {
      change.bytes = content(delta.new_file.id, shown);
      change.blob = name_of(delta.new_file.id);
      if (change.bytes.find('\0') != std::string::npos) refuse(shown + " is binary");
      if (misleading_characters(change.bytes) > misleading_characters(before)) {
        refuse(shown + " would have characters that show code as other than it is");
      }
    }
    const uint16_t mode =
        delta.status == GIT_DELTA_DELETED ? delta.old_file.mode : delta.new_file.mode;
    change.mode = mode == GIT_FILEMODE_BLOB_EXECUTABLE ? "100755" : "100644";
    out_.changes.push_back(std::move(change));
  }

  std::string content(const git_oid& id, const std::string& shown) const {
    git_blob* raw = nullptr;
    check_git(git_blob_lookup(&raw, git_.get(), &id), "cannot read " + shown);
    const GitBlob blob(raw);
    const auto size = static_cast<size_t>(git_blob_rawsize(raw));
    if (size > kLargestChangedFile) {
      refuse(shown + " has " + std::to_string(size) + " bytes, and at most " +
             std::to_string(kLargestChangedFile) + " may be");
    }
    return std::string(static_cast<const char*>(git_blob_rawcontent(raw)), size);
  }

  // Two names that differ in case only are one file on some machines.
  void check_names(git_tree* patched) const {
    std::set<std::string> seen;
    std::set<std::string> twice;
    struct Walk {
      std::set<std::string>& seen;
      std::set<std::string>& twice;
    } walk{seen, twice};
    check_git(git_tree_walk(
                  patched, GIT_TREEWALK_PRE,
                  [](const char* root, const git_tree_entry* entry, void* payload) {
                    auto* sets = static_cast<Walk*>(payload);
                    std::string path = lower(std::string(root) + git_tree_entry_name(entry));
                    if (!sets->seen.insert(path).second) sets->twice.insert(path);
                    return 0;
                  },
                  &walk),
              "cannot read the tree");
    for (const Change& change : out_.changes) {
      const std::string path = lower(change.path.substr(prefix_.size()));
      if (!change.blob.empty() && twice.count(path) != 0) {
        refuse(printable_line(change.path, 200) + " would differ from another file in case only");
      }
    }
  }

  static std::string lower(std::string text) {
    for (char& c : text) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    return text;
  }

  std::string whole_tree() const {
    std::vector<git_tree_update> updates;
    for (const Change& change : out_.changes) {
      git_tree_update update{};
      update.action = change.blob.empty() ? GIT_TREE_UPDATE_REMOVE : GIT_TREE_UPDATE_UPSERT;
      if (!change.blob.empty()) git_oid_fromstr(&update.id, change.blob.c_str());
      update.filemode = change.mode == "100755" ? GIT_FILEMODE_BLOB_EXECUTABLE : GIT_FILEMODE_BLOB;
      update.path = change.path.c_str();
      updates.push_back(update);
    }
    git_oid id;
    fit(git_tree_create_updated(&id, git_.get(), root_.get(), updates.size(), updates.data()),
        "it makes no valid tree");
    return name_of(id);
  }

  const PatchPlace& place_;
  GitRepository git_;
  GitTree root_;
  GitTree inner_;  // null: the patch is about the whole
  std::string prefix_;
  CheckedPatch out_;
};

}  // namespace

CheckedPatch check_patch(const std::string& patch, const PatchPlace& place) {
  if (patch.size() > kLargestPatchText) {
    refuse("it has " + std::to_string(patch.size()) + " bytes, and at most " +
           std::to_string(kLargestPatchText) + " may be");
  }
  if (patch.find('\0') != std::string::npos ||
      patch.find("GIT binary patch") != std::string::npos) {
    refuse("it is binary");
  }
  if (patch.empty()) refuse("it is empty");
  const GitLibrary library;
  return Checker(place).run(patch);
}

}  // namespace dsv4::agent::github
