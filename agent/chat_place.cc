#include "agent/chat_place.h"

#include <utility>

#include "agent/apply.h"
#include "agent/error.h"
#include "agent/gate.h"
#include "agent/loop.h"
#include "agent/patch.h"
#include "agent/printable.h"

namespace dsv4::agent {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNoTests = "echo 'no test command is known: ask the person for one'; exit 1";
constexpr std::chrono::minutes kTestTime{10};

}  // namespace

ChatPlace::ChatPlace(ChatPlaceOptions options, Observer& observer, std::stop_token cancel)
    : options_(std::move(options)),
      config_(read_repository_config(options_.repository.root)),
      work_(options_.work,
            options_.made ? OwnedDirectory::Old::kUse : OwnedDirectory::Old::kRemove) {
  keep(options_.made);  // also when something goes wrong here
  fs::create_directories(work_.path() / "state");
  if (!options_.made) make_copy(observer, cancel);
  if (!fs::exists(metadata())) keep_metadata();
  if (options_.test) test_ = TestCommand{*options_.test, "--test"};
  box_ = make_box(copy());
  tools::WorkspaceOptions workspace;
  workspace.root = copy();
  workspace.metadata = metadata();
  workspace.state_dir = work_.path() / "state";
  workspace.test_command = test_ ? test_->command : kNoTests;
  workspace.output_limit = result_limit(options_.window);
  workspace.box = box_.get();
  workspace.every_parameter = options_.every_parameter;
  workspace.protected_names = protected_names(options_, options_.repository.hooks);
  toolbox_ = std::make_unique<tools::Toolbox>(std::move(workspace));
}

void ChatPlace::make_copy(Observer& observer, std::stop_token cancel) {
  const Listing listing = list_tree(options_.repository, cancel);
  const bool done = make_base(
      options_.repository, listing, copy(),
      [&observer](uint64_t bytes, uint64_t total) { observer.on_copy(bytes, total); }, cancel);
  if (!done) throw std::runtime_error("the session was ended before the copy was made");
  hide_stand_ins(copy(), protected_names(options_, options_.repository.hooks));
  std::vector<std::string> paths;
  for (const TreeEntry& entry : listing.entries) paths.push_back(entry.path);
  test_ = config_.test ? TestCommand{*config_.test, kRepositoryConfig}
                       : detect_test_command(options_.repository.root, paths);
}

// Before any command has run, or could write there: in sessions of earlier versions.
void ChatPlace::keep_metadata() const {
  const fs::path half = work_.path() / "metadata.half";
  remove_tree(half);
  copy_base(copy() / ".git", half);
  fs::rename(half, metadata());
}

sandbox::Policy ChatPlace::policy(const fs::path& directory) const {
  return box_policy(options_, directory, options_.repository.hooks, options_.work.parent_path());
}

std::unique_ptr<sandbox::Sandbox> ChatPlace::make_box(const fs::path& copy) const {
  sandbox::Policy own = policy(copy);
  own.limits.wall_time = config_.timeout.value_or(kTestTime);
  return std::make_unique<sandbox::Sandbox>(std::move(own));
}

void ChatPlace::set_test(const std::string& command) {
  test_ = TestCommand{command, "/test"};
  toolbox_->set_test_command(command);
}

void ChatPlace::set_window(int64_t tokens) { toolbox_->set_output_limit(result_limit(tokens)); }

Listing ChatPlace::listing(std::stop_token cancel) const {
  return list_tree({copy(), copy(), "", metadata()}, cancel);
}

// The user may have gone on working: what is compared and applied begins at the tree of now.
void ChatPlace::make_fresh_base(std::stop_token cancel) const {
  const fs::path base = work_.path() / "base";
  remove_tree(base);
  if (!make_base(options_.repository, list_tree(options_.repository, cancel), base, {}, cancel)) {
    throw UsageError("it was stopped; nothing was changed");
  }
}

std::optional<sandbox::Result> ChatPlace::prove(const std::string& patch, std::stop_token cancel) {
  if (!test_) return std::nullopt;
  make_fresh_base(cancel);
  const OwnedDirectory proof(work_.path() / "proof");
  copy_base(work_.path() / "base", proof.path());
  try {
    apply_patch(proof.path(), patch);
  } catch (const std::runtime_error& error) {
    throw UsageError("the changes do not fit your tree as it is now (" +
                     printable_line(error.what(), 200) + ")");
  }
  return run_in(*make_box(proof.path()), std::nullopt, test_->command, cancel);
}

void ChatPlace::apply(const std::string& patch) {
  make_fresh_base({});
  try {
    apply_to_tree(options_.repository, work_.path() / "base", work_.path() / "apply", patch);
  } catch (const UsageError&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw UsageError("the changes do not fit your tree as it is now (" +
                     printable_line(error.what(), 200) + "); it is as it was");
  }
  toolbox_->begin_diff_here();
}

std::string changed_files(const std::string& patch) {
  const std::vector<std::string> paths = patch_paths(patch);
  if (paths.empty()) return "no changes";
  constexpr size_t kNamed = 5;
  std::string text = std::to_string(paths.size()) + (paths.size() == 1 ? " file: " : " files: ");
  for (size_t i = 0; i < paths.size() && i < kNamed; ++i) {
    text += (i > 0 ? ", " : "") + printable_line(paths[i], 100);
  }
  return paths.size() > kNamed ? text + ", ..." : text;
}

}  // namespace dsv4::agent
