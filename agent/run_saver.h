#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "agent/loop_state.h"
#include "agent/run_record.h"
#include "agent/saved_run.h"
#include "llm/conversation.h"
#include "tools/toolbox.h"

namespace dsv4::agent {

// Writes down, event by event, what another process needs to go on with a run (saved_run.h). Token
// ids and small things go into the events, what the model computed into `kv/`, contents of files
// into the state directory of the attempt's tools. Nothing waits for the disk: after a power cut
// the newest of it may be missing, and what is there is checked when it is read.
//
// When saving fails the run goes on, the reason is told once, and nothing more is saved.
class RunSaver {
 public:
  struct Shared {
    std::shared_ptr<tools::FailedTrees> failed;
    std::shared_ptr<tools::SpentSymbols> spent;
  };

  // All of them must outlive it. told: where a failure is told.
  RunSaver(RunRecord& record, std::filesystem::path directory, Shared shared, Observer& told);

  // The conversation after the repository was read.
  void root(llm::Conversation& root);

  // Between attempts. Attempts up to progress.attempts are not needed any more.
  void progress(const RunProgress& progress);

  // For one attempt; conversation and toolbox must outlive it. shared: the usage of the
  // conversation that the attempt's was forked from.
  std::unique_ptr<AttemptSaver> attempt(int number, const llm::Usage& shared,
                                        llm::Conversation& conversation, tools::Toolbox& toolbox);

  // This process goes on with attempt `number` after so many of its saved turns; 0: with none.
  void resumed(int number, size_t turns, int64_t reprefilled);

  // What the shared objects hold is in the events already.
  void shared_is_saved();

  // Where what the model computed in an attempt is; 0: before any.
  static std::filesystem::path computed_directory(const std::filesystem::path& run, int attempt);

 private:
  class Attempt;
  void guarded(const std::function<void()>& work);
  void add_shared(nlohmann::ordered_json& event);

  RunRecord& record_;
  std::filesystem::path directory_;
  Shared shared_;
  Observer& told_;
  int ended_ = 0;  // attempts
  size_t failed_saved_ = 0;
  std::map<std::string, int> spent_saved_;
  std::mutex mutex_;  // of what follows and of what is shared: attempts may be saved by threads
  bool broken_ = false;
};

}  // namespace dsv4::agent
