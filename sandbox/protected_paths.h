#pragma once

#include <filesystem>
#include <vector>

#include "sandbox/descriptor.h"

namespace dsv4::sandbox {

// Opens `relative` under `root` (O_PATH) without following any link, so that a working copy cannot
// make us protect something else. A missing folder is made: nobody inside can then create it.
// Throws SetupError.
Descriptor open_beneath(const Descriptor& root, const std::filesystem::path& relative);

// A working copy as a folder handle. Throws SetupError.
Descriptor open_working_copy(const std::filesystem::path& folder);

// What of the system every command may read: programs and libraries, and those files of /etc that
// ordinary programs read and that hold no secrets. No resolv.conf: there is no network to resolve
// on. Absolute paths, as far as they exist here.
std::vector<std::filesystem::path> system_programs();
std::vector<std::filesystem::path> system_files();
std::vector<std::filesystem::path> system_folders();

}  // namespace dsv4::sandbox
