#include "agent/workplace.h"

#include <utility>

#include "agent/gate.h"
#include "agent/loop.h"

namespace dsv4::agent {

namespace fs = std::filesystem;

sandbox::Policy Workplaces::policy(const fs::path& directory) const {
  return box_policy(box_, directory, task_.repository.hooks, work_.parent_path());
}

std::unique_ptr<sandbox::Sandbox> Workplaces::make_box(const fs::path& copy) const {
  sandbox::Policy own = policy(copy);
  own.limits.wall_time = task_.test_timeout;
  return std::make_unique<sandbox::Sandbox>(std::move(own));
}

std::unique_ptr<Workplace> Workplaces::make(int64_t window, int attempt,
                                            OwnedDirectory::Old old) const {
  const fs::path tree = own_ / "tree";
  const bool there = old == OwnedDirectory::Old::kUse && fs::exists(tree);
  std::unique_ptr<Workplace> place(
      new Workplace{OwnedDirectory(tree, there ? old : OwnedDirectory::Old::kRemove),
                    OwnedDirectory(own_ / "state", old), nullptr, nullptr});
  if (!there) {
    copy_base(work_ / "base", tree);
    hide_stand_ins(tree, protected_names(box_, task_.repository.hooks));
  }
  place->box = make_box(tree);
  if (!there) run_setup(*place->box, task_.issue.front.setup, cancel_);
  tools::WorkspaceOptions workspace = options_on(tree, place->state.path(), window);
  workspace.box = place->box.get();
  workspace.failed = failed_;
  workspace.spent = spent_;
  // Every other pair of attempts leaves what its predecessors spent themselves on.
  workspace.leave_spent = attempt > 0 && (attempt - 1) / 2 % 2 == 1;
  place->toolbox = std::make_unique<tools::Toolbox>(std::move(workspace));
  return place;
}

Workplaces Workplaces::apart(int attempt) const {
  Workplaces own = *this;
  own.own_ = work_ / std::to_string(attempt);
  own.failed_ = std::make_shared<tools::FailedTrees>(*failed_);
  own.spent_ = std::make_shared<tools::SpentSymbols>(*spent_);
  return own;
}

void Workplaces::learn(const std::vector<Workplaces>& from) {
  const size_t known = failed_->after(0).size();
  const tools::SpentSymbols before = *spent_;
  for (const Workplaces& each : from) {
    for (const std::string& tree : each.failed_->after(known)) failed_->add(tree);
    spent_->add(*each.spent_, before);
  }
}

tools::WorkspaceOptions Workplaces::options_on(const fs::path& tree, const fs::path& state,
                                               int64_t window) const {
  tools::WorkspaceOptions workspace;
  workspace.root = tree;
  workspace.metadata = work_ / "base/.git";
  workspace.state_dir = state;
  workspace.test_command = task_.test.command;
  workspace.output_limit = result_limit(window);
  workspace.every_parameter = every_parameter_;
  workspace.protected_names = protected_names(box_, task_.repository.hooks);
  return workspace;
}

}  // namespace dsv4::agent
