#pragma once

#include <cstddef>
#include <filesystem>
#include <iosfwd>
#include <stop_token>
#include <string>

#include "agent/front_matter.h"

namespace dsv4::agent {

// One task as its author wrote it.
struct Issue {
  std::filesystem::path file;       // absolute; empty when it came from stdin
  std::filesystem::path directory;  // what `repo:` is relative to
  FrontMatter front;
  std::string text;    // without front matter, blank lines at both ends removed
  std::string source;  // all of it, as it was read
};

inline constexpr size_t kLongestIssue = 1 << 20;  // bytes

// An issue from its bytes, which came from `file`; from stdin where that is empty. Throws
// UsageError when it is empty, too large, or not UTF-8 text.
Issue parse_issue(std::string source, const std::filesystem::path& file,
                  const std::filesystem::path& directory);

// Reads an issue from a file, or from `standard_input` when `name` is "-". Throws UsageError with a
// sentence when it is missing, unreadable, empty, too large, or not UTF-8 text.
// After `cancel` what it returns has no text.
Issue load_issue(const std::string& name, std::istream& standard_input,
                 std::stop_token cancel = {});

}  // namespace dsv4::agent
