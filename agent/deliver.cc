#include "agent/deliver.h"

#include <fstream>

#include "agent/apply.h"
#include "agent/error.h"
#include "agent/patch.h"
#include "agent/printable.h"
#include "agent/session_row.h"
#include "agent/working_copy.h"

namespace dsv4::agent {
namespace {

namespace fs = std::filesystem;

// A word as sh takes it.
std::string quoted(const std::string& word) {
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

void make_branch(const std::string& patch, const Task& task, const fs::path& work,
                 const std::string& name) {
  const OwnedDirectory copy(work / "branch");
  copy_base(work / "base", copy.path());
  apply_patch(copy.path(), patch);
  commit_to_branch(task.repository, name,
                   make_patch(work / "base", copy.path(), {task.repository.prefix()}),
                   "Fix: " + title_of(task.issue.text) + "\n");
}

}  // namespace

void deliver(const std::string& patch, const Task& task, const fs::path& work, const Delivery& ways,
             Observer& observer) {
  if (ways.patch_file) write_whole_file(*ways.patch_file, patch);
  if (ways.apply) {
    apply_to_tree(task.repository, work / "base", work / "apply", patch);
    observer.on_place("the patch was applied to " + task.repository.root.string());
  }
  if (ways.branch) {
    make_branch(patch, task, work, *ways.branch);
    observer.on_note("the patch is on the branch " + *ways.branch);
  }
}

std::string apply_hint(const Repository& repository, const fs::path& patch) {
  std::string hint = "git -C " + quoted(repository.work_tree.string()) + " apply ";
  if (!repository.whole()) hint += "--directory=" + quoted(repository.prefix()) + " ";
  return hint + quoted(patch.string());
}

void write_whole_file(const fs::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  out.flush();
  if (!out) throw UsageError("cannot write " + printable_line(file.string(), 300));
}

}  // namespace dsv4::agent
