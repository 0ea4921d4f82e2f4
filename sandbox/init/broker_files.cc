#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include <cerrno>

#include "sandbox/init/broker.h"

namespace dsv4::sandbox {
namespace {

constexpr mode_t kPermissions = 01777;  // never the bits that change who a program runs as

mode_t masked(const Request& request, mode_t mode) {
  const long mask = status_field(request, "\nUmask:", 8);
  return mode & kPermissions & ~static_cast<mode_t>(mask < 0 ? 077 : mask);
}

// The terminal of the caller's session, which "/dev/tty" is for it.
int open_terminal(const Request& request) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/stat", request.thread());
  const Handle file(open(path, O_RDONLY | O_CLOEXEC));
  char text[512];
  const ssize_t n = file ? read(file.get(), text, sizeof text - 1) : -1;
  text[n < 0 ? 0 : n] = '\0';
  const char* after_name = strrchr(text, ')');
  unsigned device = 0;
  constexpr unsigned kFirstPseudoTerminal = 136;
  if (after_name == nullptr || sscanf(after_name + 1, " %*c %*d %*d %*d %u", &device) != 1 ||
      gnu_dev_major(device) < kFirstPseudoTerminal) {
    errno = ENXIO;
    return -1;
  }
  const unsigned number =
      (gnu_dev_major(device) - kFirstPseudoTerminal) * 256 + gnu_dev_minor(device);
  snprintf(path, sizeof path, "/dev/pts/%u", number);
  return open(path, O_PATH | O_CLOEXEC);
}

bool is_terminal(const Handle& object) {
  const dev_t kOwnTerminal = makedev(5, 0);
  struct stat file {};
  return fstat(object.get(), &file) == 0 && S_ISCHR(file.st_mode) && file.st_rdev == kOwnTerminal;
}

bool may_reopen(const Request& request, const struct stat& file, bool unnamed) {
  if (request.grounds->everywhere) return true;
  if (unnamed) return S_ISDIR(file.st_mode);
  return S_ISREG(file.st_mode) || S_ISFIFO(file.st_mode);
}

// Opens a file that is there for good.
Answer reopen(const Request& request, const Handle& object, int flags, mode_t mode) {
  struct stat file {};
  if (fstat(object.get(), &file) != 0) return go_on_or(request, errno);
  const bool unnamed = (flags & O_TMPFILE) == O_TMPFILE;
  if (!may_reopen(request, file, unnamed)) return go_on();
  if (zone_of(request, object.get()) != Zone::kWork) return go_on_or(request, EACCES);
  if (request.grounds->everywhere) {
    if (S_ISDIR(file.st_mode) && !unnamed) return failed(EISDIR);
    if (S_ISLNK(file.st_mode)) return failed(ELOOP);
    if (is_about_us(object.get())) return failed(EACCES);
  }
  const int how =
      (flags & ~(O_EXCL | O_NOFOLLOW) & (unnamed ? ~0 : ~O_CREAT)) | O_CLOEXEC | O_NOCTTY;
  const auto open_it = [&] {
    const int fd = open(HandlePath(object.get()).text, how, unnamed ? masked(request, mode) : 0);
    return fd < 0 ? failed(errno) : give(fd, (flags & O_CLOEXEC) != 0);
  };
  // Opening one end of a pipe waits for the other.
  if (S_ISFIFO(file.st_mode) && (flags & O_NONBLOCK) == 0) return in_child(request, open_it);
  return open_it();
}

// Where a link leads whose end is not there, so that the file is made at that end.
bool follow_link(const Entry& entry, char (&path)[PATH_MAX]) {
  const ssize_t n = readlinkat(entry.parent.get(), entry.name, path, sizeof path - 1);
  if (n <= 0) return false;
  path[n] = '\0';
  return true;
}

Answer open_file(const Request& request, int folder, uint64_t path_at, int flags, mode_t mode) {
  char path[PATH_MAX];
  if (!read_text(request, path_at, path)) return go_on_or(request, errno);
  const bool unnamed = (flags & O_TMPFILE) == O_TMPFILE;
  const bool create = (flags & O_CREAT) != 0 && !unnamed;
  const bool fresh = create && (flags & O_EXCL) != 0;
  const bool follow = (flags & O_NOFOLLOW) == 0 && !fresh;
  Entry entry;
  Handle within(-1);          // where the text of a link begins
  constexpr int kTries = 40;  // others make and remove files at the same time, or links lead on
  for (int i = 0; i < kTries; ++i) {
    const Start start = within ? Start::at(within.get()) : Start(folder);
    Handle object(find_object(request, start, path, follow ? 0 : AT_SYMLINK_NOFOLLOW));
    if (object) {
      if (fresh) return go_on_or(request, EEXIST);
      if (request.grounds->everywhere && is_terminal(object)) object.reset(open_terminal(request));
      return object ? reopen(request, object, flags, mode) : failed(errno);
    }
    if (errno != ENOENT || !create) return go_on_or(request, errno);
    if (path[0] != '\0' && path[strlen(path) - 1] == '/') return go_on_or(request, EISDIR);
    if (!find_entry(request, start, path, &entry)) return go_on_or(request, errno);
    if (zone_of(request, entry) != Zone::kWork) return go_on_or(request, EACCES);
    const int fd = openat(entry.parent.get(), entry.name,
                          flags | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, masked(request, mode));
    if (fd >= 0) return give(fd, (flags & O_CLOEXEC) != 0);
    if (errno != EEXIST || fresh) return failed(errno);
    if (follow && follow_link(entry, path)) within.reset(entry.parent.release());
  }
  return go_on_or(request, ELOOP);
}

// A path argument and the folder it is relative to.
struct Named {
  int folder;
  uint64_t path;
};

template <typename Act>
Answer on_entry(const Request& request, const Named& named, const Act& act,
                bool above_counts = false) {
  char path[PATH_MAX];
  Entry entry;
  if (!read_text(request, named.path, path) || !find_entry(request, named.folder, path, &entry)) {
    return go_on_or(request, errno);
  }
  const Zone zone = zone_of(request, entry);
  if (zone != Zone::kWork && !(above_counts && zone == Zone::kAbove)) {
    return go_on_or(request, EACCES);
  }
  request.guarded = -1;
  return outcome(act(entry));
}

// An empty one may be made above a protected path.
Answer make_folder(const Request& request, const Named& named, mode_t mode) {
  const auto make = [&](const Entry& entry) {
    return mkdirat(entry.parent.get(), entry.written, masked(request, mode));
  };
  return on_entry(request, named, make, true);
}

Answer make_node(const Request& request, const Named& named, mode_t mode) {
  const mode_t kind = mode & S_IFMT;
  const bool plain = kind == 0 || kind == S_IFREG || kind == S_IFIFO || kind == S_IFSOCK;
  if (!plain) return go_on_or(request, EPERM);
  return on_entry(request, named, [&](const Entry& entry) {
    return mknodat(entry.parent.get(), entry.written, kind | masked(request, mode), 0);
  });
}

Answer remove(const Request& request, const Named& named, int flags) {
  return on_entry(request, named, [&](const Entry& entry) {
    return unlinkat(entry.parent.get(), entry.written, flags);
  });
}

Answer make_link(const Request& request, uint64_t target_at, const Named& named) {
  char target[PATH_MAX];
  if (!read_text(request, target_at, target)) return go_on_or(request, errno);
  return on_entry(request, named, [&](const Entry& entry) {
    return symlinkat(target, entry.parent.get(), entry.written);
  });
}

// Both sides must be writable; when both lie in the temporary folder the kernel can do it.
bool ours(Zone from, Zone to) {
  return writable(from) && writable(to) && (from == Zone::kWork || to == Zone::kWork);
}

bool is_there(const Entry& entry) {
  struct stat file {};
  return fstatat(entry.parent.get(), entry.name, &file, AT_SYMLINK_NOFOLLOW) == 0;
}

bool read_entry(const Request& request, const Named& named, Entry* entry) {
  char path[PATH_MAX];
  return read_text(request, named.path, path) && find_entry(request, named.folder, path, entry);
}

Answer make_hard_link(const Request& request, const Named& from, const Named& to, int flags) {
  Entry target;
  if (!read_entry(request, to, &target)) return go_on_or(request, errno);
  const Zone zone = zone_of(request, target);
  if ((flags & (AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) != 0) {
    char path[PATH_MAX];
    if (!read_text(request, from.path, path)) return go_on_or(request, errno);
    const int follow = (flags & AT_SYMLINK_FOLLOW) != 0 ? 0 : AT_SYMLINK_NOFOLLOW;
    const Handle object(find_object(request, from.folder, path, (flags & AT_EMPTY_PATH) | follow));
    if (!object) return go_on_or(request, errno);
    if (!ours(zone_of(request, object.get()), zone)) return go_on_or(request, EACCES);
    return outcome(linkat(AT_FDCWD, HandlePath(object.get()).text, target.parent.get(),
                          target.written, AT_SYMLINK_FOLLOW));
  }
  Entry source;
  if (!read_entry(request, from, &source)) return go_on_or(request, errno);
  if (!ours(zone_of(request, source), zone)) {
    return go_on_or(request, is_there(source) ? EACCES : ENOENT);
  }
  return outcome(
      linkat(source.parent.get(), source.written, target.parent.get(), target.written, 0));
}

Answer move(const Request& request, const Named& from, const Named& to, unsigned flags) {
  Entry source;
  Entry target;
  if (!read_entry(request, from, &source)) return go_on_or(request, errno);
  if (!read_entry(request, to, &target)) return go_on_or(request, errno);
  if (!ours(zone_of(request, source), zone_of(request, target))) {
    return go_on_or(request, is_there(source) ? EACCES : ENOENT);
  }
  return outcome(syscall(SYS_renameat2, source.parent.get(), source.written, target.parent.get(),
                         target.written, flags));
}

Named here(const Request& r, int path) { return {AT_FDCWD, r.argument(path)}; }
Named at(const Request& r, int folder) { return {r.number(folder), r.argument(folder + 1)}; }
mode_t mode(const Request& r, int index) { return static_cast<mode_t>(r.argument(index)); }

}  // namespace

Handler file_handler(int call) {
  switch (call) {
    case SYS_openat:
      return [](const Request& r) {
        return open_file(r, r.number(0), r.argument(1), r.number(2), mode(r, 3));
      };
    case SYS_mkdirat:
      return [](const Request& r) { return make_folder(r, at(r, 0), mode(r, 2)); };
    case SYS_mknodat:
      return [](const Request& r) { return make_node(r, at(r, 0), mode(r, 2)); };
    case SYS_unlinkat:
      return [](const Request& r) { return remove(r, at(r, 0), r.number(2)); };
    case SYS_symlinkat:
      return [](const Request& r) { return make_link(r, r.argument(0), at(r, 1)); };
    case SYS_linkat:
      return [](const Request& r) { return make_hard_link(r, at(r, 0), at(r, 2), r.number(4)); };
    case SYS_renameat2:
      return [](const Request& r) {
        return move(r, at(r, 0), at(r, 2), static_cast<unsigned>(r.argument(4)));
      };
#ifdef SYS_renameat
    case SYS_renameat:
      return [](const Request& r) { return move(r, at(r, 0), at(r, 2), 0); };
#endif
#ifdef SYS_open  // the names of before 2006, which new machines do not have
    case SYS_open:
      return [](const Request& r) {
        return open_file(r, AT_FDCWD, r.argument(0), r.number(1), mode(r, 2));
      };
    case SYS_creat:
      return [](const Request& r) {
        return open_file(r, AT_FDCWD, r.argument(0), O_CREAT | O_WRONLY | O_TRUNC, mode(r, 1));
      };
    case SYS_mkdir:
      return [](const Request& r) { return make_folder(r, here(r, 0), mode(r, 1)); };
    case SYS_mknod:
      return [](const Request& r) { return make_node(r, here(r, 0), mode(r, 1)); };
    case SYS_unlink:
      return [](const Request& r) { return remove(r, here(r, 0), 0); };
    case SYS_rmdir:
      return [](const Request& r) { return remove(r, here(r, 0), AT_REMOVEDIR); };
    case SYS_symlink:
      return [](const Request& r) { return make_link(r, r.argument(0), here(r, 1)); };
    case SYS_link:
      return [](const Request& r) { return make_hard_link(r, here(r, 0), here(r, 1), 0); };
    case SYS_rename:
      return [](const Request& r) { return move(r, here(r, 0), here(r, 1), 0); };
#endif
    default:
      return nullptr;
  }
}

}  // namespace dsv4::sandbox
