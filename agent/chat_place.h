#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/box_options.h"
#include "agent/config_file.h"
#include "agent/observer.h"
#include "agent/repository.h"
#include "agent/test_command.h"
#include "agent/working_copy.h"
#include "sandbox/sandbox.h"
#include "tools/toolbox.h"

namespace dsv4::agent {

struct ChatPlaceOptions : BoxOptions {
  std::filesystem::path work;       // a directory of the session's own; removed with the place,
                                    // unless it is kept
  Repository repository;            // the user's
  std::optional<std::string> test;  // else the repository's own, else detected
  int64_t window = 0;               // the model's: bounds one tool result
  bool every_parameter = false;     // see tools::WorkspaceOptions
  bool made = false;                // the copy is there already, from an earlier process
};

// What a session works on: the user's repository, a private copy that the tools and commands have,
// and the way back. Throws what its parts throw: UsageError, sandbox::SetupError.
class ChatPlace {
 public:
  // Makes the copy; the stop token ends that early, with std::runtime_error.
  ChatPlace(ChatPlaceOptions options, Observer& observer, std::stop_token cancel);

  std::filesystem::path copy() const { return work_.path() / "tree"; }
  // The copy's git metadata as it was made: commands may do with its .git what they like.
  std::filesystem::path metadata() const { return work_.path() / "metadata"; }
  tools::Toolbox& toolbox() { return *toolbox_; }
  bool sandboxed() const { return options_.sandboxed; }

  // Of commands in that directory.
  sandbox::Policy policy(const std::filesystem::path& directory) const;

  // The command that `test` runs; nothing when none is known.
  const std::optional<TestCommand>& test() const { return test_; }
  void set_test(const std::string& command);
  // Tokens that the model reads: the results of tools are cut to what suits it.
  void set_window(int64_t tokens);

  // Whether the copy stays at the end, for another process.
  void keep(bool kept) { work_.keep(kept); }

  // The files of the copy as they are.
  Listing listing(std::stop_token cancel) const;

  // What the session has changed and the user's tree has not got: a git patch, maybe empty.
  // Changed files with protected names are not in it: their paths are put in `left_out` where one
  // is given.
  std::string patch(std::vector<std::string>* left_out = nullptr) const {
    return toolbox_->diff(left_out);
  }

  // How the tests end on a fresh copy of the user's tree as it is now, with the patch; nothing when
  // no test command is known. Throws UsageError when the patch does not fit the tree any more.
  std::optional<sandbox::Result> prove(const std::string& patch, std::stop_token cancel);

  // Makes the patch's changes in the user's tree, all or none; patch() begins anew.
  void apply(const std::string& patch);

 private:
  void make_copy(Observer& observer, std::stop_token cancel);
  void keep_metadata() const;
  std::unique_ptr<sandbox::Sandbox> make_box(const std::filesystem::path& copy) const;
  void make_fresh_base(std::stop_token cancel) const;

  ChatPlaceOptions options_;
  RepositoryConfig config_;
  OwnedDirectory work_;
  std::optional<TestCommand> test_;
  std::unique_ptr<sandbox::Sandbox> box_;
  std::unique_ptr<tools::Toolbox> toolbox_;  // last: it ends before what it works on goes
};

// The path of everything that differs, for one line: "2 files: a.py, b.py".
std::string changed_files(const std::string& patch);

}  // namespace dsv4::agent
