#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "sandbox/protected_names.h"

namespace dsv4::agent {

struct PatchOptions {
  std::string prefix;  // "sub/dir/", put before every path
  sandbox::ProtectedNames protected_names = sandbox::ProtectedNames::none();  // not in the patch
};

// Changed paths that a patch does not hold.
struct NotInPatch {
  std::vector<std::string> too_large;
  std::vector<std::string> protected_names;
};

// The changes of a private copy against the one commit of its base, as a git patch; empty when
// there are none. The copy's own .git, in which commands may have done what they like, counts for
// nothing. New files that are not ignored are in it. A file over kLargestTracked, and what goes
// past kLargestPatch bytes in all, is not, and neither are protected names: their paths are put in
// `left_out` where one is given. Makes the copy plain first (working_copy.h).
std::string make_patch(const std::filesystem::path& base, const std::filesystem::path& copy,
                       const PatchOptions& options = {}, NotInPatch* left_out = nullptr);

// A sentence that tells a person of changed paths, at least one, which a patch does not hold.
std::string left_out_note(const std::string& why, const std::vector<std::string>& paths);

inline constexpr const char* kProtectedChange = "CI configuration or a hook";  // why

// New contents that one patch may bring, in bytes.
inline constexpr uint64_t kLargestPatch = 64u << 20;

// Applies a patch to the files of a private copy in which no command has run. Throws
// std::runtime_error when it does not fit, or when it names a path behind a link.
void apply_patch(const std::filesystem::path& copy, const std::string& patch);

// Every path that a patch creates, changes or removes; sorted, each once. Throws std::runtime_error
// when the text is not a patch.
std::vector<std::string> patch_paths(const std::string& patch);

// Makes the named files in `to` what they are in `from`: content, kind and mode; absent where
// absent.
void take_files(const std::filesystem::path& from, const std::filesystem::path& to,
                const std::vector<std::string>& paths);

}  // namespace dsv4::agent
