#include "tools/worktree.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>

#include "sandbox/sandbox.h"
#include "tools/error.h"
#include "tools/text.h"

namespace dsv4::tools {
namespace {

std::string reason(int error) { return std::generic_category().message(error); }

[[noreturn]] void fail(const std::string& path, int error) {
  const std::string name = path.empty() ? "the root" : shown(path);
  switch (error) {
    case ENOENT:
      throw ToolError("there is no " + name + "; list shows what is there.");
    case ENOTDIR:
      throw ToolError(name + " goes through something that is not a directory; use list.");
    case EXDEV:
    case ELOOP:
      throw ToolError(name +
                      " goes through a link that cannot be followed; name a file inside the " +
                      "repository.");
    case EACCES:
    case EPERM:
      throw ToolError(name + " cannot be opened: permission denied; leave it alone.");
    case EISDIR:
      throw ToolError(name + " is a directory; use list.");
    case ENAMETOOLONG:
      throw ToolError("the path is too long; give the path of a file in the repository.");
    case ENXIO:
      throw ToolError(name + " is not a regular file; leave it alone.");
    default:
      throw ToolError(name + " cannot be used (" + reason(error) + "); try another way.");
  }
}

bool is_git_directory(std::string_view component) {
  return component.size() == 4 && component[0] == '.' && (component[1] | 32) == 'g' &&
         (component[2] | 32) == 'i' && (component[3] | 32) == 't';
}

bool has_git_component(std::string_view path) {
  while (!path.empty()) {
    const size_t slash = path.find('/');
    if (is_git_directory(path.substr(0, slash))) return true;
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return false;
}

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

// The name the kernel has for an open file.
std::string kernel_name(int fd) {
  std::array<char, 4096> buffer;
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(link.c_str(), buffer.data(), buffer.size());
  return size < 0 ? "" : std::string(buffer.data(), static_cast<size_t>(size));
}

void write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(fd, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail(path, errno);
    bytes.remove_prefix(static_cast<size_t>(done));
  }
}

}  // namespace

WorkTree::WorkTree(const std::filesystem::path& root, bool beneath)
    : root_(root), beneath_(beneath) {
  root_fd_ = Descriptor(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root_fd_) {
    throw ToolError("the working copy " + root.string() + " cannot be opened (" + reason(errno) +
                    "); make it readable.");
  }
  root_name_ = kernel_name(root_fd_.get());
}

std::string WorkTree::clean(std::string_view path) {
  if (path.find('\0') != std::string_view::npos) {
    throw ToolError("the path holds a NUL byte; give the path of a file in the repository.");
  }
  if (path.size() > kPathLimit) {
    throw ToolError("the path is too long; give the path of a file in the repository.");
  }
  const std::string original = shown(path);
  const std::string_view work = sandbox::kWorkDir;
  if (path.starts_with(work) && (path.size() == work.size() || path[work.size()] == '/')) {
    path.remove_prefix(std::min(path.size(), work.size() + 1));
  }
  if (path.starts_with('/')) {
    throw ToolError(original + " is an absolute path; give it relative to the repository's root.");
  }
  std::string result;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view component = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (component.empty() || component == ".") continue;
    if (component == "..") {
      throw ToolError(original + " contains `..`; give a path relative to the repository's root.");
    }
    if (is_git_directory(component)) {
      throw ToolError(original + " is git's own data, which tools leave alone; use diff or undo.");
    }
    if (!result.empty()) result += '/';
    result += component;
  }
  return result;
}

std::string WorkTree::cleaned(std::string_view path) const {
  for (const std::string& root : {root_.string(), root_name_}) {
    if (root.empty() || !path.starts_with(root)) continue;
    if (path.size() == root.size()) return "";
    if (path[root.size()] == '/') return clean(path.substr(root.size() + 1));
  }
  return clean(path);
}

int WorkTree::try_open(const std::string& path, int flags, Links links) const {
  const std::string name = path.empty() ? "." : path;
  flags |= O_CLOEXEC | (flags & O_PATH ? 0 : O_NOCTTY);  // openat2 refuses O_PATH with it
  if (beneath_) {
    open_how how{};
    how.flags = static_cast<uint64_t>(flags);
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    if (links == Links::kRefuse) how.resolve |= RESOLVE_NO_SYMLINKS;
    for (int attempt = 0; attempt < 8; ++attempt) {
      const long fd = ::syscall(SYS_openat2, root_fd_.get(), name.c_str(), &how, sizeof how);
      if (fd >= 0) return static_cast<int>(fd);
      if (errno != EAGAIN && errno != EINTR) break;  // the tree moved while it was walked
    }
    if (errno != ENOSYS && errno != EPERM) return -1;
    beneath_ = false;
  }
  // Component by component; no link is followed at all.
  Descriptor at;
  size_t begin = 0;
  for (;;) {
    const size_t slash = name.find('/', begin);
    const std::string component = name.substr(begin, slash - begin);
    const bool last = slash == std::string::npos;
    const int how = (last ? flags : O_PATH | O_DIRECTORY | O_CLOEXEC) | O_NOFOLLOW;
    const int fd = ::openat(at ? at.get() : root_fd_.get(), component.c_str(), how);
    if (fd < 0 || last) return fd;
    at = Descriptor(fd);
    begin = slash + 1;
  }
}

// A link inside the tree may lead into .git.
void WorkTree::check_inside(int fd, const std::string& path) const {
  const std::string name = kernel_name(fd);
  if (name.size() > root_name_.size() && name.starts_with(root_name_) &&
      has_git_component(std::string_view(name).substr(root_name_.size() + 1))) {
    throw ToolError(shown(path) + " leads into git's own data, which tools leave alone.");
  }
}

Descriptor WorkTree::open_directory(const std::string& path, Links links) const {
  Descriptor fd(try_open(path, O_RDONLY | O_DIRECTORY, links));
  if (!fd) fail(path, errno);
  check_inside(fd.get(), path);
  return fd;
}

FileContent WorkTree::read(const std::string& path, size_t limit) const {
  const Descriptor fd(try_open(path, O_RDONLY | O_NONBLOCK, Links::kFollowInside));
  if (!fd) fail(path, errno);
  check_inside(fd.get(), path);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) fail(path, errno);
  if (S_ISDIR(info.st_mode)) fail(path, EISDIR);
  if (!S_ISREG(info.st_mode)) fail(path, ENXIO);
  const std::string size = std::to_string(info.st_size);
  if (static_cast<uint64_t>(info.st_size) > limit) {
    throw ToolError(shown(path) + " is too large to open here (" + size +
                    " bytes); use bash with head, tail or grep.");
  }
  FileContent content;
  content.mode = info.st_mode & 07777;
  content.bytes.resize(static_cast<size_t>(info.st_size));
  size_t got = 0;
  while (got < content.bytes.size()) {
    const ssize_t n = ::read(fd.get(), content.bytes.data() + got, content.bytes.size() - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(path, errno);
    if (n == 0) break;
    got += static_cast<size_t>(n);
  }
  content.bytes.resize(got);
  return content;
}

struct stat WorkTree::status(const std::string& path) const {
  struct stat info {};
  const Descriptor parent(try_open(parent_of(path), O_PATH | O_DIRECTORY, Links::kRefuse));
  const std::string name = path.empty() ? "." : name_of(path);
  if (!parent || ::fstatat(parent.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return {};
  return info;
}

std::string WorkTree::read_link(const std::string& path) const {
  const Descriptor parent = open_parent(path, false);
  std::array<char, 4096> buffer;
  const ssize_t size =
      ::readlinkat(parent.get(), name_of(path).c_str(), buffer.data(), buffer.size());
  if (size < 0) fail(path, errno);
  return std::string(buffer.data(), static_cast<size_t>(size));
}

std::optional<std::string_view> WorkTree::try_read(const std::string& path, size_t limit,
                                                   std::vector<char>& buffer) const {
  constexpr size_t kFirst = 64 << 10;  // most source files are smaller
  const Descriptor fd(try_open(path, O_RDONLY | O_NONBLOCK, Links::kRefuse));
  if (!fd) return std::nullopt;
  if (buffer.size() < kFirst) buffer.resize(kFirst);
  size_t got = 0;
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer.data() + got, buffer.size() - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::nullopt;
    const bool first = got == 0;
    got += static_cast<size_t>(n);
    if (got > limit) return std::nullopt;
    if (got < buffer.size()) {
      if (first || n == 0) return std::string_view(buffer.data(), got);
      continue;
    }
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
    if (static_cast<uint64_t>(info.st_size) > limit) return std::nullopt;
    buffer.resize(std::max(buffer.size() * 2, static_cast<size_t>(info.st_size) + 1));
  }
}

namespace {

bool is_empty_directory(int at, const char* name) {
  Descriptor fd(::openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return false;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::fdopendir(fd.get()), ::closedir);
  if (!dir) return false;
  fd.release();
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view below = entry->d_name;
    if (below != "." && below != "..") return false;
  }
  return true;
}

// Whether a box has put it there, so that no command can make it, and it is nothing else.
bool is_stand_in(int at, const char* name) {
  if (!sandbox::may_be_stand_in(name)) return false;
  struct stat info {};
  if (::fstatat(at, name, &info, AT_SYMLINK_NOFOLLOW) != 0) return false;
  return S_ISDIR(info.st_mode) ? is_empty_directory(at, name)
                               : S_ISREG(info.st_mode) && info.st_size == 0;
}

}  // namespace

// Calls visit(fd, dirent) for what can be shown.
template <typename Visit>
void WorkTree::visit_directory(const std::string& path, Visit visit) const {
  Descriptor fd = open_directory(path, Links::kFollowInside);
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::fdopendir(fd.get()), ::closedir);
  if (!dir) fail(path, errno);
  const int at = fd.release();
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == ".." || is_git_directory(name)) continue;
    if (path.empty() && is_stand_in(at, entry->d_name)) continue;
    visit(at, *entry);
  }
}

namespace {

template <typename Entry>
std::vector<Entry> by_name(std::vector<Entry> entries) {
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return entries;
}

}  // namespace

std::vector<DirectoryEntry> WorkTree::entries(const std::string& path) const {
  std::vector<DirectoryEntry> result;
  visit_directory(path, [&](int fd, const dirent& entry) {
    mode_t type = DTTOIF(entry.d_type);
    struct stat info {};
    if (entry.d_type == DT_UNKNOWN) {  // some file systems do not say
      if (::fstatat(fd, entry.d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) return;
      type = info.st_mode & S_IFMT;
    }
    result.push_back({entry.d_name, type});
  });
  return by_name(std::move(result));
}

std::vector<DirectoryStatus> WorkTree::statuses(const std::string& path) const {
  std::vector<DirectoryStatus> result;
  visit_directory(path, [&](int fd, const dirent& entry) {
    DirectoryStatus found{.name = entry.d_name};
    if (::fstatat(fd, entry.d_name, &found.status, AT_SYMLINK_NOFOLLOW) != 0) return;
    result.push_back(std::move(found));
  });
  return by_name(std::move(result));
}

Descriptor WorkTree::open_parent(const std::string& path, bool create) const {
  const std::string parent = parent_of(path);
  int fd = try_open(parent, O_RDONLY | O_DIRECTORY, Links::kRefuse);
  if (fd < 0 && errno == ENOENT && create) {
    make_directory(parent, 0755);
    fd = try_open(parent, O_RDONLY | O_DIRECTORY, Links::kRefuse);
  }
  if (fd < 0) fail(parent, errno);
  return Descriptor(fd);
}

void WorkTree::write(const std::string& path, const FileContent& content) const {
  if (path.empty()) fail(path, EISDIR);
  const struct stat old = status(path);
  if (S_ISLNK(old.st_mode)) {
    throw ToolError(shown(path) + " is a link to " + shown(read_link(path)) +
                    "; change the file it points to.");
  }
  if (S_ISDIR(old.st_mode)) fail(path, EISDIR);
  if (old.st_mode != 0 && !S_ISREG(old.st_mode)) fail(path, ENXIO);
  const Descriptor parent = open_parent(path, true);

  static std::atomic<unsigned> serial{0};
  std::string temporary;
  Descriptor fd;
  for (int attempt = 0; attempt < 100 && !fd; ++attempt) {
    temporary = ".dsv4-" + std::to_string(::getpid()) + "-" + std::to_string(serial++);
    fd = Descriptor(::openat(parent.get(), temporary.c_str(),
                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd && errno != EEXIST) fail(path, errno);
  }
  if (!fd) fail(path, EEXIST);
  try {
    write_all(fd.get(), content.bytes, path);
    if (::fchmod(fd.get(), content.mode) != 0) fail(path, errno);
    if (::renameat(parent.get(), temporary.c_str(), parent.get(), name_of(path).c_str()) != 0) {
      fail(path, errno);
    }
  } catch (...) {
    ::unlinkat(parent.get(), temporary.c_str(), 0);
    throw;
  }
}

void WorkTree::remove(const std::string& path) const {
  const struct stat info = status(path);
  if (info.st_mode == 0 || path.empty()) return;
  const Descriptor parent = open_parent(path, false);
  const int flags = S_ISDIR(info.st_mode) ? AT_REMOVEDIR : 0;
  if (::unlinkat(parent.get(), name_of(path).c_str(), flags) != 0 && errno != ENOTEMPTY &&
      errno != EEXIST && errno != ENOENT) {
    fail(path, errno);
  }
}

void WorkTree::make_directory(const std::string& path, mode_t mode) const {
  if (path.empty()) return;
  const Descriptor parent = open_parent(path, true);
  if (::mkdirat(parent.get(), name_of(path).c_str(), mode) != 0 && errno != EEXIST) {
    fail(path, errno);
  }
}

void WorkTree::make_link(const std::string& path, const std::string& target) const {
  const Descriptor parent = open_parent(path, true);
  if (::symlinkat(target.c_str(), parent.get(), name_of(path).c_str()) != 0) fail(path, errno);
}

void WorkTree::set_mode(const std::string& path, mode_t mode) const {
  const Descriptor parent = open_parent(path, false);
  const struct stat info = status(path);
  if (info.st_mode == 0 || S_ISLNK(info.st_mode)) return;
  if (::fchmodat(parent.get(), name_of(path).c_str(), mode & 07777, 0) != 0) fail(path, errno);
}

bool is_binary(std::string_view bytes) {
  return bytes.substr(0, 8000).find('\0') != std::string_view::npos;
}

std::string shown(std::string_view path) {
  const bool plain =
      valid_utf8(path) == path && std::all_of(path.begin(), path.end(), [](char c) {
        return static_cast<unsigned char>(c) >= 32 && c != 127 && c != '"' && c != '\\';
      });
  if (plain && path.size() <= 300) return std::string(path);
  std::string result = "\"";
  for (const char c : path.substr(0, 300)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (byte < 32 || byte >= 127) {
      result += '\\';
      for (int shift = 6; shift >= 0; shift -= 3)
        result += static_cast<char>('0' + (byte >> shift & 7));
    } else {
      result += c;
    }
  }
  return result + (path.size() > 300 ? "...\"" : "\"");
}

}  // namespace dsv4::tools
