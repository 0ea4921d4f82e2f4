#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "llm/conversation.h"

namespace dsv4::agent {

// What the list of sessions says about one run directory.
struct SessionRow {
  std::string id;                   // the directory's name
  std::filesystem::path directory;  // absolute
  std::string kind = "fix";         // what made it
  int64_t began = 0;                // seconds since 1970
  std::string repository;           // absolute path
  std::string title;                // of the issue
  std::string state;  // "running", "interrupted", or the status of its report: "passed", ...
  llm::Usage tokens;
};

// Reads that from the directory itself: its events, its report, and whether a process works in it.
// Nothing when it is no run directory.
std::optional<SessionRow> describe_run(const std::filesystem::path& directory);

// The status that a run's report gives; empty when there is none yet.
std::string reported_status(const std::filesystem::path& directory);

// The first line of an issue without what Markdown puts before a heading; at most 200 bytes.
std::string title_of(std::string_view issue);

}  // namespace dsv4::agent
