#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "sandbox/descriptor.h"
#include "sandbox/protected_names.h"

namespace dsv4::sandbox {

// Opens `relative` under `root` (O_PATH) without following any link, so that a working copy cannot
// make us protect something else. A missing folder is made: nobody inside can then create it.
// Throws SetupError.
Descriptor open_beneath(const Descriptor& root, const std::filesystem::path& relative);

// A protected name as it is found.
struct FoundName {
  std::filesystem::path path;  // where it really lies, relative to the root
  Descriptor object;           // O_PATH
};

// Opens one under `root`; what a link leads to, when that is inside. Nothing where it is missing
// (but with `stand_in`, an empty one is made), leads outside, or something is in its way.
std::optional<FoundName> open_name(const Descriptor& root, const ProtectedName& name,
                                   bool stand_in);

// A working copy as a folder handle. Throws SetupError.
Descriptor open_working_copy(const std::filesystem::path& folder);

// What of the system every command may read: programs and libraries, and those files of /etc that
// ordinary programs read and that hold no secrets. No resolv.conf: there is no network to resolve
// on. Absolute paths, as far as they exist here.
std::vector<std::filesystem::path> system_programs();
std::vector<std::filesystem::path> system_files();
std::vector<std::filesystem::path> system_folders();

}  // namespace dsv4::sandbox
