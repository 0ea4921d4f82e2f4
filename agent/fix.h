#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "agent/box_options.h"
#include "agent/commands.h"
#include "agent/context.h"
#include "agent/endpoint.h"
#include "agent/hook.h"
#include "agent/loop.h"
#include "agent/observer.h"
#include "agent/price.h"
#include "agent/saved_run.h"
#include "agent/session_index.h"
#include "agent/stop.h"
#include "llm/conversation.h"
#include "sandbox/sandbox.h"

namespace dsv4::agent {

// What `fix` was asked for.
struct FixOptions : BoxOptions {
  std::string issue;  // a file, or "-"
  std::optional<std::string> repo;
  std::optional<std::string> test;
  int attempts = 8;
  int parallel = 1;  // attempts at the same time
  AttemptLimits limits;
  std::chrono::milliseconds time_limit = std::chrono::minutes(30);
  uint64_t seed = 0;
  bool greedy_first = true;  // else the first attempt is sampled as the others are
  bool apply = false;
  std::optional<std::string> branch;
  std::optional<std::string> patch_file;
  std::string run_dir;  // empty: a new one in the state directory
  // Tests that pass before the first turn end the run: the model can write no test of its own.
  bool failing_only = false;
  std::vector<Hook> hooks;           // as the user's configuration is now
  std::optional<std::string> model;  // its directory; else the embedded one
  std::optional<Endpoint> endpoint;  // in place of a model in this process
  Prices prices;                     // as the user's configuration is now
  std::string model_name;            // for the report; empty: as the model calls itself
};

enum class FixStatus {
  kPassed,
  kGaveUp,
  kUsage,
  kEngine,
  kSandbox,
  kTests,
  kInterrupted,
  kNotApplied,  // the gate passed, but --apply, --branch or --patch could not be done
};

// Whether a run that ended so keeps what another process needs to go on with it: it was
// interrupted, or the engine failed, as it may not the next time.
constexpr bool can_go_on(FixStatus status) {
  return status == FixStatus::kInterrupted || status == FixStatus::kEngine;
}

// How a run ended; everything that could be kept is in run_dir.
struct FixReport {
  FixStatus status = FixStatus::kGaveUp;
  std::string run_id;
  std::filesystem::path run_dir;
  std::filesystem::path patch;  // empty when there is none
  std::string apply_hint;       // a command that applies the patch
  int attempts = 0;
  int turns = 0;
  int tool_calls = 0;
  llm::Usage tokens;
  Seconds seconds;
  std::chrono::duration<double> total{0};
  std::string test_command;
  std::optional<bool> before;  // did the tests pass?
  std::optional<bool> after;   // at the last gate
  std::string model;
  std::optional<double> cost;  // where the model has a price
  std::string error;           // why it did not pass, one sentence
  RepositoryContext context;

  ExitCode exit_code() const;
  nlohmann::ordered_json json() const;           // what --json prints
  nlohmann::ordered_json json_for_file() const;  // the same and what of the repository was shown
};

// Opens the model: called once, after the task was found to make sense.
using ConversationOpener = std::function<std::unique_ptr<llm::Conversation>()>;

struct FixEnvironment {
  std::istream& standard_input;  // for the issue "-"
  ConversationOpener open;
  Observer& observer;  // the live view; the run's record is kept besides
  const Stop& stop;
  SessionIndex* sessions = nullptr;  // where the run is listed; nowhere when null
};

// Repairs one repository, unattended. Never throws: whatever goes wrong is in the report. With
// `saved`, goes on with that run where its process left it; the options are then options_from() it,
// with hooks and sandbox as of now. The time limit in the options is the whole run's; `stop` keeps
// what is left of it.
FixReport run_fix(const FixOptions& options, const FixEnvironment& environment,
                  const SavedRun* saved = nullptr);

}  // namespace dsv4::agent
