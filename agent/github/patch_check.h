#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "agent/error.h"

namespace dsv4::agent::github {

// A patch that is not to be published; the message says why, in a sentence.
class PatchRefused : public UsageError {
 public:
  using UsageError::UsageError;
};

// What one patch may bring at most.
inline constexpr size_t kLargestPatchText = 1u << 20;  // bytes
inline constexpr size_t kMostChangedFiles = 100;
inline constexpr size_t kLargestChangedFile = 1u << 20;  // bytes, afterwards

// One file of the tree that a patch makes.
struct Change {
  std::string path;   // from the root of the repository
  std::string mode;   // "100644" or "100755"
  std::string blob;   // its name, 40 digits; empty when the file is removed
  std::string bytes;  // its content afterwards
};

struct CheckedPatch {
  std::vector<Change> changes;  // in the order of their paths
  std::string base_tree;        // the commit's, 40 digits
  std::string tree;             // with the patch
};

// Where a patch is to fit.
struct PatchPlace {
  std::filesystem::path repository;  // a git repository that has the commit; only its object
                                     // store is used, nothing of it is run
  std::string commit;                // 40 digits
  std::string directory;  // that the paths in the patch are relative to: "", or "sub/dir"
};

// Checks a patch that comes from where untrusted code has run, and makes the tree that it leads to
// (new objects are put into the repository's store). Throws PatchRefused when it is not a text
// patch to regular files inside the directory, touches what why_not_touch() names, makes links,
// submodules, binary files or odd modes, brings characters that show code as other than it is, is
// too large, or does not fit the commit. Where the repository does not have the commit, UsageError.
CheckedPatch check_patch(const std::string& patch, const PatchPlace& place);

}  // namespace dsv4::agent::github
