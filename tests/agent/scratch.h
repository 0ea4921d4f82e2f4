#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "agent/git.h"

// A directory of its own for one test case, removed at the end.
class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "dsv4-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = std::filesystem::canonical(name);
  }
  ~Scratch() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << text;
  }

  std::string read(const std::string& name) const {
    std::ifstream in(path_ / name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }

 private:
  std::filesystem::path path_;
};

// Makes a directory a git repository without a commit.
inline void git_init(const std::filesystem::path& directory, bool bare = false) {
  const dsv4::agent::GitLibrary library;
  git_repository* raw = nullptr;
  dsv4::agent::check_git(git_repository_init(&raw, directory.c_str(), bare ? 1 : 0), "git init");
  git_repository_free(raw);
}

// Adds everything that is not ignored and commits it on HEAD.
inline void git_commit_all(const std::filesystem::path& directory, const std::string& message) {
  using namespace dsv4::agent;
  const GitLibrary library;
  const GitRepository repository = open_repository(directory.string());
  git_index* raw_index = nullptr;
  check_git(git_repository_index(&raw_index, repository.get()), "index");
  const GitIndex index(raw_index);
  check_git(git_index_add_all(raw_index, nullptr, 0, nullptr, nullptr), "git add");
  check_git(git_index_write(raw_index), "index");
  git_oid tree_id;
  check_git(git_index_write_tree(&tree_id, raw_index), "tree");
  git_tree* raw_tree = nullptr;
  check_git(git_tree_lookup(&raw_tree, repository.get(), &tree_id), "tree");
  const GitTree tree(raw_tree);
  git_signature* raw_signature = nullptr;
  check_git(git_signature_new(&raw_signature, "Test", "test@localhost", 1, 0), "signature");
  const GitSignature signature(raw_signature);
  git_oid head;
  git_commit* parent = nullptr;
  if (git_reference_name_to_id(&head, repository.get(), "HEAD") == 0) {
    check_git(git_commit_lookup(&parent, repository.get(), &head), "HEAD");
  }
  const GitCommit own_parent(parent);
  const git_commit* parents[] = {parent};
  git_oid id;
  check_git(git_commit_create(&id, repository.get(), "HEAD", raw_signature, raw_signature, nullptr,
                              message.c_str(), raw_tree, parent != nullptr ? 1 : 0, parents),
            "commit");
}
