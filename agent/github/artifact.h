#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "agent/github/event.h"

namespace dsv4::agent::github {

// What the agent's job hands over to the job that publishes: a directory with these files.
inline constexpr const char* kMetaFile = "meta.json";
inline constexpr const char* kPatchFile = "patch.diff";
inline constexpr const char* kReportFile = "report.json";
inline constexpr const char* kSummaryFile = "summary.md";
inline constexpr const char* kTestLog = "tests.log";

// What the patch belongs to.
struct Meta {
  std::string repository;
  int64_t issue = 0;
  std::string sha;
  std::string branch;
  std::string directory;  // "" or "sub/dir"
  std::string run_id;
  std::string patch_sha256;  // empty when there is no patch
};
nlohmann::ordered_json meta_json(const Meta& meta);

// What is said of a run: the numbers of `fix`, read as the types that they should have.
struct Outcome {
  std::string status;  // of FixReport: "passed", "gave_up", ...
  int exit_code = 2;
  int64_t attempts = 0;
  int64_t turns = 0;
  int64_t tool_calls = 0;
  int64_t context = 0;    // tokens
  int64_t generated = 0;  // tokens
  double seconds = 0;
  std::string test_command;
  std::string before;  // "passed", "failed" or nothing
  std::string after;
  std::string model;
  std::string error;

  bool passed() const { return status == "passed"; }
};

// From a report.json, of which nothing is believed but its shape: words are cut, made one line, and
// those of a fixed set taken from it. Throws UsageError.
Outcome read_outcome(const nlohmann::json& report);

struct Artifact {
  Meta meta;
  Outcome outcome;
  std::string patch;     // empty when there is none
  std::string test_log;  // its end, made printable
};

// Reads the directory as what an attacker may have made: regular files only, of bounded size, and
// everything that says what it belongs to must be what the event says. Throws UsageError.
Artifact read_artifact(const std::filesystem::path& directory, const Event& event,
                       const std::string& repo_directory);

std::string sha256_of(std::string_view bytes);

}  // namespace dsv4::agent::github
