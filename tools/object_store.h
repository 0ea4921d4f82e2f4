#pragma once

#include <git2.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dsv4::tools {

using ObjectId = git_oid;

// One side of a file in a patch.
struct PatchFile {
  std::string path;
  unsigned mode = 0;  // as git writes it: 0100644, 0100755, 0120000
  ObjectId id{};
};

template <typename T, void (*Free)(T*)>
struct GitFree {
  void operator()(T* object) const { Free(object); }
};
template <typename T, void (*Free)(T*)>
using GitHandle = std::unique_ptr<T, GitFree<T, Free>>;

// A git object database of our own, without a repository's configuration, hooks, filters or
// attributes. Small contents stay in memory, what is past the budget goes to files.
class ObjectStore {
 public:
  // known: the objects of a repository that has many of the contents already; only read, and need
  // not be there.
  ObjectStore(const std::filesystem::path& directory, const std::filesystem::path& known);

  // The id that put() would give.
  static ObjectId id_of(std::string_view bytes);

  ObjectId put(std::string_view bytes);

  // Makes sure that a content outlives this process.
  void keep(const ObjectId& id);
  std::string get(const ObjectId& id) const;

  // The git patch between two sets of files.
  std::string patch(const std::vector<PatchFile>& from, const std::vector<PatchFile>& to) const;

 private:
  ObjectId tree(const std::vector<PatchFile>& files) const;

  using Database = GitHandle<git_odb, git_odb_free>;

  Database disk_;
  Database memory_;  // reads both
  GitHandle<git_repository, git_repository_free> repository_;
  size_t memory_used_ = 0;
};

// The paths a git index file lists; empty when there is none or it cannot be read.
std::vector<std::string> tracked_paths(const std::filesystem::path& index_file);

}  // namespace dsv4::tools
