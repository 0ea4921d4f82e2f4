#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "llm/sha256.h"

namespace dsv4::tasks {

// Reads a whole file. Throws UsageError that names it when it cannot be read.
std::string read_text(const std::filesystem::path& file);

// Makes folders as needed. Throws std::runtime_error.
void write_text(const std::filesystem::path& file, std::string_view text);

// Copies files, folders and links; .git and __pycache__ are left out. `to` may exist; a link in it
// is replaced, never followed.
void copy_tree(const std::filesystem::path& from, const std::filesystem::path& to);

// Makes the tree a git work tree with everything in it in one commit, ignored files too.
void start_repository(const std::filesystem::path& tree);

// The tree as it was committed in a local clone, without .git; of it only `paths`, where there are
// any. Throws UsageError when the clone or the commit is not there.
void check_out(const std::filesystem::path& clone, const std::string& commit,
               const std::filesystem::path& tree, const std::vector<std::string>& paths = {});

// The patch that turns the tree into one where `path` holds `text`.
std::string patch_for(const std::filesystem::path& tree, const std::string& path,
                      std::string_view text);

// A hash of texts and trees, which keeps apart where one ends and the next begins.
class Identity {
 public:
  Identity& add(std::string_view text);
  Identity& add_tree(const std::filesystem::path& folder);  // names and contents
  std::string finish() { return llm::to_hex(hash_.finish()); }

 private:
  llm::Sha256 hash_;
};

// A directory that did not exist before, in a temporary place; the caller removes it.
std::filesystem::path make_scratch(const std::string& name);

}  // namespace dsv4::tasks
