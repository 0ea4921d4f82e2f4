#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/fix.h"
#include "agent/loop_state.h"
#include "agent/run_saver.h"
#include "agent/workplace.h"

namespace dsv4::agent {

// One attempt, from its beginning or in the middle.
struct Attempt {
  int number = 1;
  std::unique_ptr<Workplace> place;
  std::unique_ptr<llm::Conversation> conversation;
  llm::Usage shared;              // of the conversation that it was forked from
  std::optional<LoopState> from;  // where another process had come
};

// Begins the attempts of one run, or takes them up where another process has left them. All that it
// is given must outlive it.
class Attempts {
 public:
  struct Run {
    const FixOptions& options;
    const Task& task;
    const SavedRun* saved = nullptr;  // null: the run began in this process
    std::filesystem::path directory;
    bool passed_before = false;
    std::string first_report;  // of the tests before the first turn, for the model
  };
  Attempts(Run run, const llm::Conversation& root, RunSaver& saver, Observer& observer)
      : run_(std::move(run)), root_(root), saver_(saver), observer_(observer) {}

  Attempt open(int number, const Workplaces& places) const;

  // How attempt `number` is run; saver and resumed are the caller's.
  AttemptOptions options(int number) const;

 private:
  Attempt begin(int number, const Workplaces& places) const;
  std::optional<Attempt> go_on(int number, const Workplaces& places) const;
  void take_up(const std::vector<SavedTurn>& turns, Attempt& attempt) const;

  Run run_;
  const llm::Conversation& root_;
  RunSaver& saver_;
  Observer& observer_;
};

}  // namespace dsv4::agent
