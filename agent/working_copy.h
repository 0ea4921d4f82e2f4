#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/repository.h"
#include "sandbox/protected_names.h"

namespace dsv4::agent {

// Called while files are copied: bytes done and in all.
using CopyProgress = std::function<void(uint64_t done, uint64_t total)>;

// Files above this size are in the copy but not in its git index: they can be read and used, a
// change to them is not part of the patch.
inline constexpr uint64_t kLargestTracked = 8u << 20;

// A directory that is removed, with everything in it, at the end; links in it are not followed.
class OwnedDirectory {
 public:
  enum class Old { kRemove, kUse };

  // Created; an old one is removed first, or is used.
  explicit OwnedDirectory(std::filesystem::path path, Old old = Old::kRemove);
  ~OwnedDirectory();
  void keep(bool kept = true) { kept_ = kept; }  // it stays at the end
  OwnedDirectory(const OwnedDirectory&) = delete;
  OwnedDirectory& operator=(const OwnedDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  bool kept_ = false;
};

// Removes a tree whatever its permissions. Throws std::runtime_error when something stays.
void remove_tree(const std::filesystem::path& path);

// Makes `target` a private copy of the listed files and a git repository of its own: one commit,
// byte for byte (no line-end conversion or other filter), with build products ignored beside what
// the tree ignores itself. No command runs in it: its .git is the record that copies are compared
// with. Reflinks where the file system can. Returns false when cancelled. Throws
// UsageError when the disk is too small, std::runtime_error when a file cannot be copied.
bool make_base(const Repository& repository, const Listing& listing,
               const std::filesystem::path& target, const CopyProgress& progress,
               std::stop_token cancel);

// A fresh copy of a base, .git included: what every attempt and the gate begin with. Commands may
// do with that .git what they like.
void copy_base(const std::filesystem::path& base, const std::filesystem::path& target);

// Makes a copy that commands have run in what the rest of this program may open without harm: only
// folders, regular files and links, readable, at most kDeepest folders deep, and no repository in
// it. Everything else is removed, but for what is there by the name of .git at its top.
void make_plain(const std::filesystem::path& copy);

// Paths of files in the copy that are neither in the base's commit nor ignored, sorted. Makes the
// copy plain.
std::vector<std::string> untracked_files(const std::filesystem::path& base,
                                         const std::filesystem::path& copy);

// Leaves these files out of patches against the base: what the tests leave behind is no part of
// one.
void ignore_files(const std::filesystem::path& base, const std::vector<std::string>& paths);

// Makes git not show the empty files that a box without a broker puts where protected names are
// missing, so that no command can make them. For a copy that no command has run in.
void hide_stand_ins(const std::filesystem::path& copy, const sandbox::ProtectedNames& names);

// What ignore_files was given.
std::set<std::string, std::less<>> ignored_files(const std::filesystem::path& base);

}  // namespace dsv4::agent
