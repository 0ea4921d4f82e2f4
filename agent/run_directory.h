#pragma once

#include <filesystem>
#include <string>

namespace dsv4::agent {

// What is kept of runs and sessions: $XDG_STATE_HOME/dsv4-agent, or ~/.local/state/dsv4-agent where
// that is not set. Not made by this. Throws UsageError when neither is known.
std::filesystem::path state_directory();

// A new directory for a run: `named`, which must be new or empty, or one below
// state_directory()/runs. Throws UsageError when it cannot be made or written to.
std::filesystem::path make_run_directory(const std::string& named);

// Held by the process that works in a run directory, and gone with it, however it ends.
class RunLock {
 public:
  // Throws UsageError when another process works there.
  explicit RunLock(const std::filesystem::path& directory);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  int fd_;
};

// Whether a process holds the RunLock of a directory.
bool is_in_use(const std::filesystem::path& directory);

// Removes what a run directory keeps only for going on. Nothing happens while it is in use.
void remove_unfinished(const std::filesystem::path& directory);

// Removes what this program has put into a run directory, and the directory when nothing else is in
// it. Throws UsageError while it is in use, std::runtime_error when something cannot be removed.
void remove_run(const std::filesystem::path& directory);

}  // namespace dsv4::agent
