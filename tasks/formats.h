#pragma once

#include <filesystem>

#include "tasks/suite.h"

namespace dsv4::tasks {

// One reader for each format, one file each: format_<name>.cc. Each throws UsageError that names
// the file and what is wrong with it; tasks/README.md says how each format is understood.

// Folders of issue.md, repo/, gold.patch and about.toml.
Suite read_own_folders(const std::filesystem::path& path);
bool is_own_folder(const std::filesystem::path& folder);

// SWE-bench instances, one JSON array or one JSON object a line.
Suite read_swe_bench(const std::filesystem::path& file, const SuiteOptions& options);

// Harbor folders, as Terminal-Bench 2 has them.
Suite read_harbor(const std::filesystem::path& path, const SuiteOptions& options);
bool is_harbor_folder(const std::filesystem::path& folder);

// The QuixBugs repository: its Python programs.
Suite read_quixbugs(const std::filesystem::path& path, const SuiteOptions& options);
bool is_quixbugs(const std::filesystem::path& path);

// The folders directly below `path` that `wanted` accepts, sorted; or `path` itself.
std::vector<std::filesystem::path> task_folders(const std::filesystem::path& path,
                                                bool (*wanted)(const std::filesystem::path&));

}  // namespace dsv4::tasks
