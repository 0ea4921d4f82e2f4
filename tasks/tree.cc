#include "tasks/tree.h"

#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <span>
#include <stdexcept>
#include <vector>

#include "agent/error.h"
#include "agent/git.h"
#include "agent/patch.h"
#include "agent/printable.h"
#include "agent/repository.h"
#include "agent/working_copy.h"

namespace dsv4::tasks {
namespace {

namespace fs = std::filesystem;
using agent::check_git;

bool is_left_out(const fs::path& name) { return name == ".git" || name == "__pycache__"; }

// What is copied onto a link would be written where it leads.
void remove_link(const fs::path& path) {
  if (fs::is_symlink(fs::symlink_status(path))) fs::remove(path);
}

}  // namespace

// Nothing but a regular file ends: a pipe may wait for ever, and a device go on for ever.
std::string read_text(const fs::path& file) {
  std::error_code error;
  std::string text;
  std::ifstream in;
  if (fs::is_regular_file(file, error)) {
    in.open(file, std::ios::binary);
    text.assign(std::istreambuf_iterator<char>(in), {});
  }
  if (!in.is_open() || !in) {
    throw agent::UsageError(agent::printable_line(file.string(), 300) + " cannot be read");
  }
  return text;
}

void write_text(const fs::path& file, std::string_view text) {
  fs::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  out.flush();
  if (!out) throw std::runtime_error("cannot write " + file.string());
}

void copy_tree(const fs::path& from, const fs::path& to) {
  remove_link(to);
  fs::create_directories(to);
  for (const fs::directory_entry& entry : fs::directory_iterator(from)) {
    const fs::path name = entry.path().filename();
    if (is_left_out(name)) continue;
    remove_link(to / name);
    if (entry.is_symlink()) {
      fs::copy_symlink(entry.path(), to / name);
    } else if (entry.is_directory()) {
      copy_tree(entry.path(), to / name);
    } else if (entry.is_regular_file()) {
      fs::copy_file(entry.path(), to / name, fs::copy_options::overwrite_existing);
    }
  }
}

void start_repository(const fs::path& tree) {
  const agent::GitLibrary library;
  git_repository* raw = nullptr;
  check_git(git_repository_init(&raw, tree.c_str(), 0), "cannot make a repository");
  const agent::GitRepository repository(raw);
  fs::remove_all(tree / ".git/hooks");
  write_text(tree / ".git/info/attributes", "* -text -ident -filter !eol\n");
  git_index* raw_index = nullptr;
  check_git(git_repository_index(&raw_index, raw), "cannot make an index");
  const agent::GitIndex index(raw_index);
  check_git(git_index_add_all(raw_index, nullptr, GIT_INDEX_ADD_FORCE, nullptr, nullptr),
            "cannot add the task's files");
  check_git(git_index_write(raw_index), "cannot write the index");
  git_oid tree_id;
  check_git(git_index_write_tree(&tree_id, raw_index), "cannot write the tree");
  git_tree* raw_tree = nullptr;
  check_git(git_tree_lookup(&raw_tree, raw, &tree_id), "cannot read the tree");
  const agent::GitTree own_tree(raw_tree);
  git_signature* raw_signature = nullptr;
  check_git(git_signature_new(&raw_signature, "dsv4-agent", "dsv4-agent@localhost", 0, 0),
            "cannot sign the commit");
  const agent::GitSignature signature(raw_signature);
  git_oid commit;
  check_git(git_commit_create(&commit, raw, "HEAD", raw_signature, raw_signature, nullptr,
                              "The task", raw_tree, 0, nullptr),
            "cannot commit the task");
}

void check_out(const fs::path& clone, const std::string& commit, const fs::path& tree,
               const std::vector<std::string>& paths) {
  const agent::GitLibrary library;
  const std::string shown = agent::printable_line(clone.string(), 300);
  git_repository* raw = nullptr;
  if (git_repository_open_ext(&raw, clone.c_str(), GIT_REPOSITORY_OPEN_NO_SEARCH, nullptr) != 0) {
    throw agent::UsageError(shown + " is not a clone of the task's repository");
  }
  const agent::GitRepository repository(raw);
  git_object* object = nullptr;
  if (git_revparse_single(&object, raw, (commit + "^{commit}").c_str()) != 0) {
    throw agent::UsageError(shown + " has no commit " + agent::printable_line(commit, 60) +
                            ": fetch it into the clone");
  }
  const agent::GitCommit own(reinterpret_cast<git_commit*>(object));
  fs::create_directories(tree);
  git_checkout_options options;
  check_git(git_checkout_options_init(&options, GIT_CHECKOUT_OPTIONS_VERSION), "git checkout");
  options.checkout_strategy = GIT_CHECKOUT_FORCE | GIT_CHECKOUT_DONT_UPDATE_INDEX;
  options.disable_filters = 1;
  options.target_directory = tree.c_str();
  std::vector<char*> names;
  for (const std::string& path : paths) names.push_back(const_cast<char*>(path.c_str()));
  if (!paths.empty()) {
    options.checkout_strategy |= GIT_CHECKOUT_DISABLE_PATHSPEC_MATCH;
    options.paths = {names.data(), names.size()};
  }
  check_git(git_checkout_tree(raw, object, &options), "cannot check out " + shown);
}

std::string patch_for(const fs::path& tree, const std::string& path, std::string_view text) {
  const agent::OwnedDirectory scratch(make_scratch("patch"));
  const fs::path before = scratch.path() / "before";
  const fs::path copy = scratch.path() / "copy";
  copy_tree(tree, before);
  start_repository(before);
  const agent::Repository repository = agent::named_repository(before);
  agent::make_base(repository, agent::list_tree(repository), copy, {}, {});
  write_text(copy / path, text);
  return agent::make_patch(copy, copy);
}

Identity& Identity::add(std::string_view text) {
  const std::string length = std::to_string(text.size()) + ":";
  for (const std::string_view part : {std::string_view(length), text}) {
    hash_.add(std::span(reinterpret_cast<const uint8_t*>(part.data()), part.size()));
  }
  return *this;
}

Identity& Identity::add_tree(const fs::path& folder) {
  std::vector<fs::path> files;
  for (auto it = fs::recursive_directory_iterator(folder); it != fs::end(it); ++it) {
    if (is_left_out(it->path().filename())) {
      it.disable_recursion_pending();
    } else if (it->is_regular_file() || it->is_symlink()) {
      files.push_back(it->path());
    }
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    add(file.lexically_relative(folder).string());
    add(fs::is_symlink(file) ? fs::read_symlink(file).string() : read_text(file));
  }
  return *this;
}

fs::path make_scratch(const std::string& name) {
  std::string path = (fs::temp_directory_path() / ("dsv4-" + name + "-XXXXXX")).string();
  if (::mkdtemp(path.data()) == nullptr) {
    throw std::runtime_error("cannot make a directory in " + fs::temp_directory_path().string());
  }
  return path;
}

}  // namespace dsv4::tasks
