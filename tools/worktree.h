#pragma once

#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/descriptor.h"

namespace dsv4::tools {

// A regular file's bytes and permission bits.
struct FileContent {
  std::string bytes;
  mode_t mode = 0644;  // permission bits only
};

// One name in a directory, of the link itself for links.
struct DirectoryEntry {
  std::string name;
  mode_t type = 0;  // S_IFREG and so on
};

// The same with all that is known of it.
struct DirectoryStatus {
  std::string name;
  struct stat status {};
};

// The only door to the working copy: a path given by the model goes through clean() and is then
// opened beneath the root by the kernel, so `..`, absolute paths and links cannot lead outside.
// Failures are ToolErrors with a sentence for the model.
class WorkTree {
 public:
  // `beneath` false resolves without openat2, component by component; for old kernels (found out by
  // itself) and tests.
  explicit WorkTree(const std::filesystem::path& root, bool beneath = true);

  const std::filesystem::path& root() const { return root_; }

  // "./a//b/" -> "a/b"; "" is the root. /work/a, as commands in the sandbox print it, is "a".
  // Throws for paths that leave the tree, touch .git, hold a NUL or are too long.
  static std::string clean(std::string_view path);

  // The same for what the model names: the root's own path, which commands print where a box cannot
  // give it another, stands for /work.
  std::string cleaned(std::string_view path) const;

  // The paths below are cleaned ones.

  // Links inside the tree are followed when reading. Throws for directories, devices, sockets,
  // pipes, and files over `limit` bytes.
  FileContent read(const std::string& path, size_t limit = kReadLimit) const;

  // Of the link itself; a zero mode when there is nothing.
  struct stat status(const std::string& path) const;
  bool exists(const std::string& path) const { return status(path).st_mode != 0; }
  std::string read_link(const std::string& path) const;

  // Reads for a search through many files: no link is followed at all. What is no regular file,
  // over `limit` bytes or not readable gives nothing. The bytes lie in `buffer`, which keeps its
  // room.
  std::optional<std::string_view> try_read(const std::string& path, size_t limit,
                                           std::vector<char>& buffer) const;

  // Sorted by bytes; "." and ".." and .git left out, and what only stands in for a protected name
  // (sandbox/protected_names.h). A link to a directory inside is followed when
  // it is the path's own, never below it.
  std::vector<DirectoryEntry> entries(const std::string& path) const;
  std::vector<DirectoryStatus> statuses(const std::string& path) const;

  // Replaces or creates the file in one step (temporary file, rename), making missing directories.
  // Refuses to follow or replace links and anything that is not a regular file.
  void write(const std::string& path, const FileContent& content) const;

  // For undo: what is at `path` goes away, directories only when empty.
  void remove(const std::string& path) const;
  void make_directory(const std::string& path, mode_t mode) const;
  void make_link(const std::string& path, const std::string& target) const;
  void set_mode(const std::string& path, mode_t mode) const;

  static constexpr size_t kReadLimit = 32 << 20;
  static constexpr size_t kPathLimit = 4095;

 private:
  enum class Links { kFollowInside, kRefuse };
  int try_open(const std::string& path, int flags, Links links) const;
  Descriptor open_directory(const std::string& path, Links links) const;
  Descriptor open_parent(const std::string& path, bool create) const;
  void check_inside(int fd, const std::string& path) const;
  template <typename Visit>
  void visit_directory(const std::string& path, Visit visit) const;

  std::filesystem::path root_;
  Descriptor root_fd_;
  std::string root_name_;              // what the kernel calls the root
  mutable std::atomic<bool> beneath_;  // openat2 is there
};

// Whether the bytes are no text: a NUL in the first 8000.
bool is_binary(std::string_view bytes);

// The path for one line of a result: with control bytes, quotes and invalid UTF-8 quoted as git
// does.
std::string shown(std::string_view path);

}  // namespace dsv4::tools
