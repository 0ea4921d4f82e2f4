#include "agent/working_copy.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <stdexcept>
#include <utility>

#include "agent/error.h"
#include "agent/git.h"
#include "agent/printable.h"

namespace dsv4::agent {
namespace {

namespace fs = std::filesystem;

// What builds and test runs leave behind, in the words of .gitignore.
constexpr const char* kBuildProducts =
    "__pycache__/\n*.pyc\n.pytest_cache/\n.mypy_cache/\n.hypothesis/\n.coverage\n*.egg-info/\n"
    "/build/\n/build-*/\n/node_modules/\n/target/\n*.o\n*.a\n*.so\n*.gcda\n*.gcno\n*.class\n";

// Above every .gitattributes: blobs and files are the same bytes.
constexpr const char* kAttributes = "* -text -ident -filter -working-tree-encoding !diff !eol\n";

class File {
 public:
  File(const fs::path& path, int flags, mode_t mode = 0) : fd_(::open(path.c_str(), flags, mode)) {
    if (fd_ < 0) {
      throw std::runtime_error("cannot open " + printable_line(path.string(), 300) + ": " +
                               std::strerror(errno));
    }
  }
  ~File() { ::close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

void write_text(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.flush();
  if (!out) throw std::runtime_error("cannot write " + path.string());
}

// The whole of one regular file: shared blocks where the file system can, else inside the kernel.
void copy_file(const fs::path& from, const fs::path& to, mode_t mode) {
  const File in(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  const File out(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (::ioctl(out.fd(), FICLONE, in.fd()) == 0) return;
  for (;;) {
    const ssize_t moved = ::copy_file_range(in.fd(), nullptr, out.fd(), nullptr, 1 << 26, 0);
    if (moved == 0) break;
    if (moved > 0 || errno == EINTR) continue;
    if (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP) break;
    throw std::runtime_error("cannot copy " + printable_line(from.string(), 300) + ": " +
                             std::strerror(errno));
  }
  // What is left, where the kernel cannot copy between these file systems.
  std::vector<char> buffer(1 << 16);
  for (;;) {
    const ssize_t got = ::read(in.fd(), buffer.data(), buffer.size());
    if (got == 0) return;
    if (got < 0 && errno == EINTR) continue;
    for (ssize_t done = 0; done < got;) {
      const ssize_t put = ::write(out.fd(), buffer.data() + done, static_cast<size_t>(got - done));
      if (put < 0 && errno != EINTR) {
        throw std::runtime_error("cannot write " + printable_line(to.string(), 300) + ": " +
                                 std::strerror(errno));
      }
      if (put > 0) done += put;
    }
    if (got < 0) {
      throw std::runtime_error("cannot read " + printable_line(from.string(), 300) + ": " +
                               std::strerror(errno));
    }
  }
}

void check_space(const Listing& listing, const fs::path& target) {
  std::error_code error;
  const fs::space_info space = fs::space(target.parent_path(), error);
  // The base, its objects, and a working copy of both.
  const uint64_t needed = 4 * listing.bytes + (16u << 20);
  if (!error && space.available < needed) {
    throw UsageError(
        "not enough disk space for a copy of the repository: " + std::to_string(needed >> 20) +
        " MB needed, " + std::to_string(space.available >> 20) + " MB free in " +
        target.parent_path().string() +
        "; free some, or name another place (--run-dir; --out of eval)");
  }
}

// Beside the base's objects: NUL-separated paths no patch may hold.
fs::path left_out_list(const fs::path& base) { return base / ".git/dsv4-left-out"; }

// So that commands can commit in copies, and no commit leaves a process behind that tidies up.
void set_settings(git_repository* repository) {
  git_config* raw = nullptr;
  constexpr const char* kSetting = "cannot write the copy's settings";
  check_git(git_repository_config(&raw, repository), kSetting);
  const GitConfig config(raw);
  check_git(git_config_set_string(raw, "user.name", "agent"), kSetting);
  check_git(git_config_set_string(raw, "user.email", "agent@sandbox"), kSetting);
  check_git(git_config_set_int32(raw, "gc.auto", 0), kSetting);
}

void commit_all(git_repository* repository, git_index* index) {
  git_oid tree_id;
  check_git(git_index_write(index), "cannot write the copy's index");
  check_git(git_index_write_tree(&tree_id, index), "cannot write the copy's tree");
  git_tree* tree = nullptr;
  check_git(git_tree_lookup(&tree, repository, &tree_id), "cannot read the copy's tree");
  const GitTree own_tree(tree);
  git_signature* signature = nullptr;
  check_git(git_signature_new(&signature, "dsv4-agent", "dsv4-agent@localhost", 0, 0),
            "cannot sign the copy's commit");
  const GitSignature own_signature(signature);
  git_oid commit;
  check_git(git_commit_create(&commit, repository, "HEAD", signature, signature, nullptr,
                              "The tree as it was", tree, 0, nullptr),
            "cannot commit the copy");
}

// Commits what a patch may change and returns the paths that it may not.
std::vector<std::string> commit_entries(const fs::path& copy, const Listing& listing) {
  git_repository_init_options options;
  git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
  options.flags = GIT_REPOSITORY_INIT_MKDIR;  // no template: templates bring hooks
  options.initial_head = "main";
  git_repository* raw = nullptr;
  check_git(git_repository_init_ext(&raw, copy.c_str(), &options), "cannot prepare the copy");
  const GitRepository repository(raw);
  fs::remove_all(copy / ".git/hooks");  // libgit2 brings examples
  set_settings(raw);
  write_text(copy / ".git/info/attributes", kAttributes);
  git_index* raw_index = nullptr;
  check_git(git_repository_index(&raw_index, raw), "cannot prepare the copy");
  const GitIndex index(raw_index);
  std::vector<std::string> outside;
  for (const TreeEntry& entry : listing.entries) {
    const bool kept = !entry.foreign && entry.size <= kLargestTracked;
    if (!kept || git_index_add_bypath(raw_index, entry.path.c_str()) != 0) {
      outside.push_back(entry.path);
    }
  }
  commit_all(raw, raw_index);
  return outside;
}

void make_writable(const fs::path& path) {
  std::error_code error;
  fs::permissions(path, fs::perms::owner_all, fs::perm_options::add, error);
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    if (it->is_directory(error) && !it->is_symlink(error)) make_writable(it->path());
  }
}

void make_plain_below(const fs::path& directory, size_t depth) {
  std::error_code error;
  fs::permissions(directory, fs::perms::owner_all, fs::perm_options::add, error);
  std::vector<fs::path> children;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    children.push_back(it->path());
  }
  for (const fs::path& child : children) {
    const fs::file_status status = fs::symlink_status(child, error);
    if (error) continue;  // a name too long to be used by anybody
    const bool git = child.filename() == ".git";
    if (depth == 0 && git) continue;
    if (fs::is_directory(status)) {
      if (git || depth + 1 > kDeepest) {
        remove_tree(child);
      } else {
        make_plain_below(child, depth + 1);
      }
    } else if (git || is_settings_trap(child) ||
               (!fs::is_regular_file(status) && !fs::is_symlink(status))) {
      fs::remove(child, error);
    } else if (fs::is_regular_file(status)) {
      fs::permissions(child, fs::perms::owner_read, fs::perm_options::add, error);
    }
  }
}

}  // namespace

OwnedDirectory::OwnedDirectory(fs::path path, Old old) : path_(std::move(path)) {
  if (old == Old::kRemove) remove_tree(path_);
  fs::create_directories(path_);
}

OwnedDirectory::~OwnedDirectory() {
  if (kept_) return;
  try {
    remove_tree(path_);
  } catch (const std::exception&) {
    // What a destructor cannot remove stays in the run's own directory.
  }
}

void remove_tree(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (!error) return;
  make_writable(path);
  fs::remove_all(path, error);
  if (error) {
    throw std::runtime_error("cannot remove " + printable_line(path.string(), 300) + ": " +
                             error.message());
  }
}

bool make_base(const Repository& repository, const Listing& listing, const fs::path& target,
               const CopyProgress& progress, std::stop_token cancel) {
  const GitLibrary library;
  fs::create_directories(target);
  check_space(listing, target);
  uint64_t done = 0;
  std::string last_parent;
  for (const TreeEntry& entry : listing.entries) {
    if (cancel.stop_requested()) return false;
    const fs::path to = target / entry.path;
    if (to.parent_path() != last_parent) fs::create_directories(to.parent_path());
    last_parent = to.parent_path();
    if (entry.kind == EntryKind::kLink) {
      fs::copy_symlink(repository.root / entry.path, to);
    } else {
      copy_file(repository.root / entry.path, to,
                entry.kind == EntryKind::kExecutable ? 0755 : 0644);
    }
    done += entry.size;
    if (progress) progress(done, listing.bytes);
  }
  const std::vector<std::string> outside = commit_entries(target, listing);
  write_text(target / ".git/info/exclude", kBuildProducts);
  ignore_files(target, outside);
  return true;
}

void copy_base(const fs::path& base, const fs::path& target) {
  fs::create_directories(target);
  for (fs::recursive_directory_iterator it(base), end; it != end; ++it) {
    const fs::path to = target / it->path().lexically_relative(base);
    if (it->is_symlink()) {
      fs::copy_symlink(it->path(), to);
    } else if (it->is_directory()) {
      fs::create_directory(to);
    } else {
      struct stat info {};
      if (::lstat(it->path().c_str(), &info) != 0) continue;
      copy_file(it->path(), to, info.st_mode & 0777);
    }
  }
}

void make_plain(const fs::path& copy) { make_plain_below(copy, 0); }

std::vector<std::string> untracked_files(const fs::path& base, const fs::path& copy) {
  make_plain(copy);
  const std::set<std::string, std::less<>> ignored = ignored_files(base);
  const GitLibrary library;
  const GitRepository repository = open_repository(base / ".git", copy);
  git_status_options options;
  git_status_options_init(&options, GIT_STATUS_OPTIONS_VERSION);
  options.show = GIT_STATUS_SHOW_WORKDIR_ONLY;
  options.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED | GIT_STATUS_OPT_RECURSE_UNTRACKED_DIRS;
  git_status_list* raw = nullptr;
  check_git(git_status_list_new(&raw, repository.get(), &options), "cannot compare the copy");
  const std::unique_ptr<git_status_list, GitFree<git_status_list_free>> list(raw);
  std::vector<std::string> paths;
  for (size_t i = 0; i < git_status_list_entrycount(raw); ++i) {
    const git_status_entry* entry = git_status_byindex(raw, i);
    if (entry->status != GIT_STATUS_WT_NEW) continue;
    const std::string_view path = entry->index_to_workdir->new_file.path;
    if (!ignored.contains(path)) paths.emplace_back(path);
  }
  return paths;
}

void ignore_files(const fs::path& base, const std::vector<std::string>& paths) {
  const fs::path file = left_out_list(base);
  std::ofstream out(file, std::ios::binary | std::ios::app);
  for (const std::string& path : paths) out << path << '\0';
  out.flush();
  if (!out) throw std::runtime_error("cannot write " + file.string());
}

void hide_stand_ins(const fs::path& copy, const sandbox::ProtectedNames& names) {
  std::ofstream out(copy / ".git/info/exclude", std::ios::binary | std::ios::app);
  for (const sandbox::ProtectedName& name : names.in(copy)) {
    const bool missing = !fs::exists(fs::symlink_status(copy / name.path));
    if (missing && !name.folder) out << "/" << name.path << "\n";  // git shows no empty folders
  }
}

std::set<std::string, std::less<>> ignored_files(const fs::path& base) {
  std::ifstream in(left_out_list(base), std::ios::binary);
  std::set<std::string, std::less<>> paths;
  for (std::string path; std::getline(in, path, '\0');) paths.insert(path);
  return paths;
}

}  // namespace dsv4::agent
