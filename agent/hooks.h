#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/hook.h"
#include "agent/observer.h"
#include "sandbox/sandbox.h"
#include "tools/toolbox.h"

namespace dsv4::agent {

// The hooks of the user's configuration that are run around the calls of tools, in one working
// copy: by sh -c, with $1 the event ("before-tool", "after-tool"), $2 the tool, $3 the call's
// arguments as JSON (empty where those take over 100,000 bytes), and after the call $4 "done" or
// "error". They have the sandbox of the model's commands and reach what those may reach, but for
// their own time limit; a hook that is configured to have none has the user's environment instead,
// in which git does not go by the .git in the working copy: commands may have written there what it
// should run.
//
// A hook before a call that does not end with 0, whatever the reason, keeps the call from being
// done. One after a call changes nothing that way. Failures are told. What hooks change in the
// working copy is taken back by undo together with their call.
class Hooks : public Observer {
 public:
  struct Place {
    sandbox::Policy policy;          // of the model's commands
    std::filesystem::path metadata;  // of git, for the working copy: where no command can write
    tools::Toolbox& toolbox;
  };

  // What it refers to must outlive it. told: where failures are told. Throws sandbox::SetupError.
  Hooks(const std::vector<Hook>& hooks, Place place, Observer& told, std::stop_token cancel);
  ~Hooks() override;

  // Before a call that may be done otherwise: why it may not, a sentence part for the model.
  std::optional<std::string> before(const llm::ToolCall& call);

  void on_outcome(const llm::ToolCall& call, const tools::Outcome& outcome) override;

 private:
  struct Ready;
  std::optional<std::string> run(Hook::On on, const std::vector<std::string>& words);

  Place place_;
  Observer& told_;
  std::stop_token cancel_;
  std::vector<Ready> ready_;
  bool in_call_ = false;  // before() let it be done
  size_t steps_ = 0;      // of undo, before the call
};

// Runs the hooks for the end of a run or of a session's message: $1 is "finish", $2 the status.
// They work in the directory of the policy, which holds what they may want to see and goes
// afterwards, so that nothing in it is protected.
void run_finish_hooks(const std::vector<Hook>& hooks, sandbox::Policy policy,
                      const std::string& status, Observer& told);

bool any_on_finish(const std::vector<Hook>& hooks);

}  // namespace dsv4::agent
