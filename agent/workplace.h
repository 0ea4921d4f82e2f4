#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <vector>

#include "agent/box_options.h"
#include "agent/task.h"
#include "agent/working_copy.h"
#include "sandbox/sandbox.h"
#include "tools/toolbox.h"

namespace dsv4::agent {

// One working copy with its box and tools: what an attempt has.
struct Workplace {
  OwnedDirectory copy;
  OwnedDirectory state;
  std::unique_ptr<sandbox::Sandbox> box;
  std::unique_ptr<tools::Toolbox> toolbox;

  // Both directories stay when this goes.
  void keep(bool kept = true) {
    copy.keep(kept);
    state.keep(kept);
  }
};

// Makes the places of one run, below its `work` directory, where the untouched copy is `base`.
// Every attempt starts from an equal copy: what failed in one need not be tried in another.
class Workplaces {
 public:
  // The task must outlive it.
  // every_parameter: see tools::WorkspaceOptions.
  Workplaces(const Task& task, BoxOptions box, bool every_parameter, std::stop_token cancel)
      : task_(task),
        box_(std::move(box)),
        every_parameter_(every_parameter),
        cancel_(std::move(cancel)) {}

  void use(std::filesystem::path work) { own_ = work_ = std::move(work); }

  // Of commands in that directory.
  sandbox::Policy policy(const std::filesystem::path& directory) const;
  std::unique_ptr<sandbox::Sandbox> make_box(const std::filesystem::path& copy) const;

  // A fresh copy, set up, for an attempt (0: for none) with a model that has such a window. With
  // Old::kUse, what an earlier process has left there is used as it is.
  std::unique_ptr<Workplace> make(int64_t window, int attempt,
                                  OwnedDirectory::Old old = OwnedDirectory::Old::kRemove) const;

  tools::WorkspaceOptions options_on(const std::filesystem::path& tree,
                                     const std::filesystem::path& state, int64_t window) const;

  // The same for one of several attempts that go on at the same time: its directories are its own,
  // and it knows of the others' failures only when all have ended.
  Workplaces apart(int attempt) const;
  void learn(const std::vector<Workplaces>& from);

  const std::shared_ptr<tools::FailedTrees>& failed() const { return failed_; }
  const std::shared_ptr<tools::SpentSymbols>& spent() const { return spent_; }

 private:
  const Task& task_;
  BoxOptions box_;
  bool every_parameter_;
  std::stop_token cancel_;
  std::filesystem::path work_;
  std::filesystem::path own_;  // below it: of the attempt
  std::shared_ptr<tools::FailedTrees> failed_ = std::make_shared<tools::FailedTrees>();
  std::shared_ptr<tools::SpentSymbols> spent_ = std::make_shared<tools::SpentSymbols>();
};

}  // namespace dsv4::agent
