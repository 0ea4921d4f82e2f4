#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>

#include "sandbox/init/broker.h"

namespace dsv4::sandbox {
namespace {

constexpr mode_t kPermissions = 01777;  // never the bits that change who a program runs as

mode_t masked(const Request& request, mode_t mode) {
  const long mask = status_field(request, "\nUmask:", 8);
  return mode & kPermissions & ~static_cast<mode_t>(mask < 0 ? 077 : mask);
}

// Opens a file that is there for good.
Answer reopen(const Request& request, const Handle& object, int flags, mode_t mode) {
  struct stat file {};
  if (fstat(object.get(), &file) != 0) return go_on();
  const bool unnamed = (flags & O_TMPFILE) == O_TMPFILE;
  const bool expected =
      unnamed ? S_ISDIR(file.st_mode) : S_ISREG(file.st_mode) || S_ISFIFO(file.st_mode);
  if (!expected || zone_of(request, object.get()) != Zone::kWork) return go_on();
  const int how = (flags & ~(O_EXCL | O_NOFOLLOW) & (unnamed ? ~0 : ~O_CREAT)) | O_CLOEXEC;
  const auto open_it = [&] {
    const int fd = open(HandlePath(object.get()).text, how, unnamed ? masked(request, mode) : 0);
    return fd < 0 ? failed(errno) : give(fd, (flags & O_CLOEXEC) != 0);
  };
  // Opening one end of a pipe waits for the other.
  if (S_ISFIFO(file.st_mode) && (flags & O_NONBLOCK) == 0) return in_child(request, open_it);
  return open_it();
}

Answer open_file(const Request& request, int folder, uint64_t path_at, int flags, mode_t mode) {
  char path[PATH_MAX];
  if (!read_text(request, path_at, path)) return go_on();
  const bool unnamed = (flags & O_TMPFILE) == O_TMPFILE;
  const bool create = (flags & O_CREAT) != 0 && !unnamed;
  const bool fresh = create && (flags & O_EXCL) != 0;
  constexpr int kTries = 8;  // others make and remove files at the same time
  for (int i = 0; i < kTries; ++i) {
    const bool follow = (flags & O_NOFOLLOW) == 0 && !fresh;
    const Handle object(find_object(request, folder, path, follow ? 0 : AT_SYMLINK_NOFOLLOW));
    if (object) return fresh ? go_on() : reopen(request, object, flags, mode);
    Entry entry;
    if (errno != ENOENT || !create || path[strlen(path) - 1] == '/' ||
        !find_entry(request, folder, path, &entry) || zone_of(request, entry) != Zone::kWork) {
      return go_on();
    }
    const int fd = openat(entry.parent.get(), entry.name,
                          flags | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, masked(request, mode));
    if (fd >= 0) return give(fd, (flags & O_CLOEXEC) != 0);
    if (errno != EEXIST || fresh) return failed(errno);
  }
  return go_on();
}

// A path argument and the folder it is relative to.
struct Named {
  int folder;
  uint64_t path;
};

template <typename Act>
Answer on_entry(const Request& request, const Named& named, const Act& act) {
  char path[PATH_MAX];
  Entry entry;
  if (!read_text(request, named.path, path) || !find_entry(request, named.folder, path, &entry) ||
      zone_of(request, entry) != Zone::kWork) {
    return go_on();
  }
  return outcome(act(entry));
}

Answer make_folder(const Request& request, const Named& named, mode_t mode) {
  return on_entry(request, named, [&](const Entry& entry) {
    return mkdirat(entry.parent.get(), entry.name, masked(request, mode));
  });
}

Answer make_node(const Request& request, const Named& named, mode_t mode) {
  const mode_t kind = mode & S_IFMT;
  if (kind != 0 && kind != S_IFREG && kind != S_IFIFO && kind != S_IFSOCK) return go_on();
  return on_entry(request, named, [&](const Entry& entry) {
    return mknodat(entry.parent.get(), entry.name, kind | masked(request, mode), 0);
  });
}

Answer remove(const Request& request, const Named& named, int flags) {
  return on_entry(request, named, [&](const Entry& entry) {
    return unlinkat(entry.parent.get(), entry.name, flags);
  });
}

Answer make_link(const Request& request, uint64_t target_at, const Named& named) {
  char target[PATH_MAX];
  if (!read_text(request, target_at, target)) return go_on();
  return on_entry(request, named, [&](const Entry& entry) {
    return symlinkat(target, entry.parent.get(), entry.name);
  });
}

// Both sides must be writable; when both lie in the temporary folder the kernel can do it.
bool ours(Zone from, Zone to) {
  return writable(from) && writable(to) && (from == Zone::kWork || to == Zone::kWork);
}

Answer make_hard_link(const Request& request, const Named& from, const Named& to, int flags) {
  char path[PATH_MAX];
  Entry target;
  if (!read_text(request, to.path, path) || !find_entry(request, to.folder, path, &target)) {
    return go_on();
  }
  const Zone zone = zone_of(request, target);
  if (!read_text(request, from.path, path)) return go_on();
  if ((flags & (AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) != 0) {
    const Handle object(find_object(request, from.folder, path, flags & AT_EMPTY_PATH));
    if (!object || !ours(zone_of(request, object.get()), zone)) return go_on();
    return outcome(linkat(AT_FDCWD, HandlePath(object.get()).text, target.parent.get(), target.name,
                          AT_SYMLINK_FOLLOW));
  }
  Entry source;
  if (!find_entry(request, from.folder, path, &source) || !ours(zone_of(request, source), zone)) {
    return go_on();
  }
  return outcome(linkat(source.parent.get(), source.name, target.parent.get(), target.name, 0));
}

Answer move(const Request& request, const Named& from, const Named& to, unsigned flags) {
  char path[PATH_MAX];
  Entry source;
  Entry target;
  if (!read_text(request, from.path, path) || !find_entry(request, from.folder, path, &source) ||
      !read_text(request, to.path, path) || !find_entry(request, to.folder, path, &target) ||
      !ours(zone_of(request, source), zone_of(request, target))) {
    return go_on();
  }
  return outcome(syscall(SYS_renameat2, source.parent.get(), source.name, target.parent.get(),
                         target.name, flags));
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
