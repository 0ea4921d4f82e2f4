// Modes, owners, times and lengths: Landlock does not look at the first three at all.

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#include <cerrno>

#include "sandbox/init/broker.h"

namespace dsv4::sandbox {
namespace {

constexpr mode_t kPermissions = 01777;

// Acts on a file that commands may change; outside it is refused, as it would be for a stranger.
template <typename Act>
Answer on_object(const Request& request, int found, const Act& act) {
  const Handle object(found);
  if (!object) return failed(errno);
  if (!writable(zone_of(request, object.get()))) return failed(EPERM);
  return outcome(act(object.get()));
}

// As openat-like calls name a file; a null path, where a call knows that, means the folder itself.
int named(const Request& request, int folder, uint64_t path_at, int flags) {
  char path[PATH_MAX];
  if (!read_text(request, path_at, path)) {
    errno = EFAULT;
    return -1;
  }
  return find_object(request, folder, path, flags);
}

Answer change_mode(const Request& request, int object, mode_t mode) {
  return on_object(request, object, [&](int fd) {
    return fchmodat(AT_FDCWD, HandlePath(fd).text, mode & kPermissions, 0);
  });
}

Answer change_owner(const Request& request, int object, uid_t user, gid_t group) {
  return on_object(request, object,
                   [&](int fd) { return fchownat(fd, "", user, group, AT_EMPTY_PATH); });
}

Answer change_times(const Request& request, int object, const timespec* times) {
  return on_object(request, object, [&](int fd) {
    return static_cast<int>(syscall(SYS_utimensat, fd, "", times, AT_EMPTY_PATH));
  });
}

Answer change_times(const Request& request) {
  timespec times[2];
  const bool now = request.argument(2) == 0;
  if (!now && !read_memory(request, request.argument(2), times, sizeof times)) {
    return failed(EFAULT);
  }
  const int object = request.argument(1) == 0 ? object_of_descriptor(request, request.number(0))
                                              : named(request, request.number(0),
                                                      request.argument(1), request.number(3));
  return change_times(request, object, now ? nullptr : times);
}

// The older calls, with microseconds or seconds.
Answer change_times_in(const Request& request, int folder, uint64_t path, uint64_t at,
                       bool seconds) {
  timespec times[2] = {};
  if (at != 0 && seconds) {
    utimbuf both{};
    if (!read_memory(request, at, &both, sizeof both)) return failed(EFAULT);
    times[0].tv_sec = both.actime;
    times[1].tv_sec = both.modtime;
  } else if (at != 0) {
    timeval both[2];
    if (!read_memory(request, at, both, sizeof both)) return failed(EFAULT);
    for (int i = 0; i < 2; ++i) times[i] = {both[i].tv_sec, both[i].tv_usec * 1000};
  }
  return change_times(request, named(request, folder, path, 0), at == 0 ? nullptr : times);
}

Answer change_length(const Request& request) {
  const int object = named(request, AT_FDCWD, request.argument(0), 0);
  return on_object(request, object, [&](int fd) {
    return truncate(HandlePath(fd).text, static_cast<off_t>(request.argument(1)));
  });
}

mode_t mode(const Request& r, int index) { return static_cast<mode_t>(r.argument(index)); }
uid_t id(const Request& r, int index) { return static_cast<uid_t>(r.argument(index)); }

constexpr int kFchmodat2 = 452;

}  // namespace

Handler attribute_handler(int call) {
  switch (call) {
    case SYS_fchmod:
      return [](const Request& r) {
        return change_mode(r, object_of_descriptor(r, r.number(0)), mode(r, 1));
      };
    case SYS_fchmodat:
      return [](const Request& r) {
        return change_mode(r, named(r, r.number(0), r.argument(1), 0), mode(r, 2));
      };
    case kFchmodat2:
      return [](const Request& r) {
        return change_mode(r, named(r, r.number(0), r.argument(1), r.number(3)), mode(r, 2));
      };
    case SYS_fchown:
      return [](const Request& r) {
        return change_owner(r, object_of_descriptor(r, r.number(0)), id(r, 1), id(r, 2));
      };
    case SYS_fchownat:
      return [](const Request& r) {
        return change_owner(r, named(r, r.number(0), r.argument(1), r.number(4)), id(r, 2),
                            id(r, 3));
      };
    case SYS_utimensat:
      return [](const Request& r) { return change_times(r); };
    case SYS_truncate:
      return [](const Request& r) { return change_length(r); };
#ifdef SYS_chmod
    case SYS_chmod:
      return [](const Request& r) {
        return change_mode(r, named(r, AT_FDCWD, r.argument(0), 0), mode(r, 1));
      };
    case SYS_chown:
    case SYS_lchown:
      return [](const Request& r) {
        const int link = r.note.data.nr == SYS_lchown ? AT_SYMLINK_NOFOLLOW : 0;
        return change_owner(r, named(r, AT_FDCWD, r.argument(0), link), id(r, 1), id(r, 2));
      };
    case SYS_utime:
      return [](const Request& r) {
        return change_times_in(r, AT_FDCWD, r.argument(0), r.argument(1), 0);
      };
    case SYS_utimes:
      return [](const Request& r) {
        return change_times_in(r, AT_FDCWD, r.argument(0), r.argument(1), false);
      };
    case SYS_futimesat:
      return [](const Request& r) {
        return change_times_in(r, r.number(0), r.argument(1), r.argument(2), false);
      };
#endif
    default:
      return nullptr;
  }
}

}  // namespace dsv4::sandbox
