#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "agent/context.h"
#include "agent/run_directory.h"
#include "llm/conversation.h"

namespace dsv4::agent {

// What of a run's events (event_log.h) lets another process go on with it:
//
//   run        what was asked for ("options"), and the place; its text is in issue.md
//   root       the conversation after the repository was read
//   attempt    attempt N begins, from nothing
//   turn_saved between two turns of attempt N: "loop", "tools", "conversation", "shared" (tokens)
//   computed   attempt N's context was computed: "conversation"
//   progress   the run between two attempts, or between an attempt and its gate
//   resumed    a process goes on: with attempt N after "turns" of its turn_saved, or none
//
// turn_saved and progress also say what attempts know of each other: "failed", "spent". All others
// are for people.

// What a run is between its attempts: the report's numbers so far, and what comes next.
struct RunProgress {
  int attempts = 0;       // that have ended
  bool gate_due = false;  // the last one's patch, in work/last.patch, waits for the gate
  bool kept_passed = false;
  nlohmann::ordered_json report;
};

nlohmann::ordered_json to_json(const RunProgress& progress);

// An attempt up to one of its places between turns.
struct SavedTurn {
  llm::Usage shared;  // of the conversation that the attempt was forked from
  nlohmann::ordered_json loop;
  nlohmann::ordered_json tools;
  std::vector<nlohmann::ordered_json> conversation;  // this save() and those before the next turn
};

struct SavedRun {
  std::filesystem::path directory;
  std::shared_ptr<RunLock> lock;  // nobody else has written since it was read
  nlohmann::ordered_json run;     // the event
  std::optional<nlohmann::ordered_json> root;
  std::string tests_text;     // what the model is told of the first tests
  RepositoryContext context;  // paths only
  std::optional<RunProgress> progress;
  std::map<int, std::vector<SavedTurn>> attempts;  // that have begun and not ended
  std::vector<nlohmann::ordered_json> failed;      // FailedTrees, in order
  std::map<std::string, int> spent;                // SpentSymbols
  int64_t reprefilled = 0;  // of the repository, by processes that went on with the run
  std::chrono::duration<double> elapsed{
      0};                    // at the last event, without the time between processes
  std::uintmax_t whole = 0;  // bytes of the events that count

  // Without these two a run begins anew.
  bool has_begun() const { return root && progress; }
};

// Reads a run. Throws UsageError when there is none that could go on, or a process works in it.
SavedRun read_run(const std::filesystem::path& directory);

// Cuts off the events that do not count. Returns how many bytes that were.
std::uintmax_t leave_out_damage(const SavedRun& run);

}  // namespace dsv4::agent
