#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sandbox/sandbox.h"
#include "tools/outputs.h"

namespace dsv4::tools {

// Commands that go on while the model does other things, each in a box of its own: they share the
// working copy with other commands, and nothing else (a server's port is only open to its own job).
// Numbered from 1. All of them have ended when this is destroyed.
class Jobs {
 public:
  static constexpr size_t kMostRunning = 8;

  Jobs();
  ~Jobs();

  // Throws ToolError when as many are running as may.
  void check_room() const;

  // Returns the number of the new job. `whole` is where all that it writes goes, up to
  // Outputs::kKept.
  int64_t start(const sandbox::Sandbox& box, sandbox::Command command,
                std::chrono::milliseconds timeout, Outputs::Growing whole);

  // What a job has written since the status before (past a mebibyte only the newest half) and how
  // it is, waiting up to `patience` for its end. Throws ToolError for a number that was never
  // given, sandbox::SetupError when its box could not be made.
  std::string status(int64_t number, std::chrono::milliseconds patience, std::stop_token cancel);

  // The number of the last job, and those that are running.
  int64_t count() const { return static_cast<int64_t>(jobs_.size()); }
  std::vector<int64_t> running() const;

  // Numbers go on after that of a job of an earlier process; those up to it are gone.
  void go_on_after(int64_t number);

  // Ends a job and all its processes; the rest as status.
  std::string stop(int64_t number);

 private:
  class Job;
  Job& find(int64_t number) const;
  std::vector<std::unique_ptr<Job>> jobs_;  // null: of an earlier process
};

}  // namespace dsv4::tools
