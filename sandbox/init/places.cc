#include "sandbox/init/places.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <cerrno>
#include <initializer_list>

namespace dsv4::sandbox {
namespace {

bool lies_in(const char* path, const char* folder) {
  const size_t length = strlen(folder);
  return strncmp(path, folder, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

Zone zone_of_path(const Request& request, const char* path) {
  const Grounds& grounds = *request.grounds;
  for (char* const* guarded = grounds.guarded; *guarded != nullptr; ++guarded) {
    if (!lies_in(path, *guarded)) continue;
    request.guarded = static_cast<int>(guarded - grounds.guarded);
    return Zone::kGuarded;
  }
  if (grounds.everywhere || lies_in(path, grounds.work)) return Zone::kWork;
  return lies_in(path, grounds.temporary) ? Zone::kTemporary : Zone::kOutside;
}

bool path_of(int object, char (&path)[PATH_MAX]) {
  const ssize_t n = readlink(HandlePath(object).text, path, sizeof path);
  if (n >= static_cast<ssize_t>(sizeof path)) errno = ENAMETOOLONG;
  if (n <= 0 || n >= static_cast<ssize_t>(sizeof path)) return false;
  path[n] = '\0';
  return true;
}

// Paths that mean "my descriptor N". /proc/self would mean us if we looked it up.
bool names_descriptor(const char* path, int* fd) {
  static const char* const kStreams[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
  for (int i = 0; i < 3; ++i) {
    *fd = i;
    if (strcmp(path, kStreams[i]) == 0) return true;
  }
  for (const char* prefix : {"/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/"}) {
    if (strncmp(path, prefix, strlen(prefix)) != 0) continue;
    const char* digits = path + strlen(prefix);
    char* end = nullptr;
    const long number = strtol(digits, &end, 10);
    if (*digits < '0' || *digits > '9' || *end != '\0' || number > INT_MAX) return false;
    *fd = static_cast<int>(number);
    return true;
  }
  return false;
}

int open_base(const Request& request, int folder) {
  if (folder != AT_FDCWD) return object_of_descriptor(request, folder);
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/cwd", request.thread());
  return open(path, O_PATH | O_CLOEXEC);
}

int look_up(int base, const char* path, uint64_t flags, uint64_t resolve = RESOLVE_NO_MAGICLINKS) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC | flags;
  how.resolve = resolve;
  return static_cast<int>(syscall(SYS_openat2, base, path, &how, sizeof how));
}

// "/proc/self/x" is "/proc/PID/x" for everybody, and what its magic links lead to is the caller's.
int look_up_absolute(const Request& request, const char* path, uint64_t flags) {
  constexpr const char* kSelf = "/proc/self/";
  if (strncmp(path, kSelf, strlen(kSelf)) != 0) return look_up(AT_FDCWD, path, flags);
  char of_caller[PATH_MAX + 32];
  snprintf(of_caller, sizeof of_caller, "/proc/%ld/%s", status_field(request, "\nTgid:", 10),
           path + strlen(kSelf));
  return look_up(AT_FDCWD, of_caller, flags, 0);
}

}  // namespace

HandlePath::HandlePath(int fd) { snprintf(text, sizeof text, "/proc/self/fd/%d", fd); }

bool read_memory(const Request& request, uint64_t from, void* into, size_t bytes) {
  iovec here{into, bytes};
  iovec there{reinterpret_cast<void*>(from), bytes};
  return process_vm_readv(request.thread(), &here, 1, &there, 1, 0) == static_cast<ssize_t>(bytes);
}

// Page by page: the text may end just before memory that is not there.
bool read_text(const Request& request, uint64_t from, char (&into)[PATH_MAX]) {
  constexpr uint64_t kPage = 4096;
  size_t done = 0;
  while (done < sizeof into) {
    const uint64_t at = from + done;
    size_t part = kPage - at % kPage;
    if (part > sizeof into - done) part = sizeof into - done;
    if (!read_memory(request, at, into + done, part)) {
      errno = EFAULT;
      return false;
    }
    if (memchr(into + done, '\0', part) != nullptr) return true;
    done += part;
  }
  errno = ENAMETOOLONG;
  return false;
}

int object_of_descriptor(const Request& request, int fd) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/fd/%d", request.thread(), fd);
  return open(path, O_PATH | O_CLOEXEC);
}

int find_object(const Request& request, Start start, const char* path, int flags) {
  const bool follow = (flags & AT_SYMLINK_NOFOLLOW) == 0;
  int fd = 0;
  if (follow && names_descriptor(path, &fd)) return object_of_descriptor(request, fd);
  const uint64_t how = follow ? 0 : O_NOFOLLOW;
  if (path[0] == '/') return look_up_absolute(request, path, how);
  if (start.handle >= 0) return look_up(start.handle, path, how);
  Handle base(open_base(request, start.folder));
  if (!base) return -1;
  if (path[0] != '\0') return look_up(base.get(), path, how);
  if ((flags & AT_EMPTY_PATH) != 0) return base.release();
  errno = ENOENT;
  return -1;
}

Zone zone_of(const Request& request, int object) {
  char path[PATH_MAX];
  if (path_of(object, path)) return zone_of_path(request, path);
  return request.grounds->everywhere && errno == ENAMETOOLONG ? Zone::kWork : Zone::kOutside;
}

bool find_entry(const Request& request, Start start, const char* path, Entry* entry) {
  size_t length = strlen(path);
  const bool slash = length > 1 && path[length - 1] == '/';
  while (length > 1 && path[length - 1] == '/') --length;
  size_t begin = length;
  while (begin > 0 && path[begin - 1] != '/') --begin;
  const size_t size = length - begin;
  errno = path[0] == '\0' ? ENOENT : size > NAME_MAX ? ENAMETOOLONG : EEXIST;  // "/" is there
  if (size == 0 || size > NAME_MAX) return false;
  memcpy(entry->name, path + begin, size);
  entry->name[size] = '\0';
  snprintf(entry->written, sizeof entry->written, "%s%s", entry->name, slash ? "/" : "");
  char parent[PATH_MAX];
  memcpy(parent, path, begin);
  parent[begin] = '\0';
  entry->parent.reset(find_object(request, start, begin == 0 ? "." : parent, 0));
  if (!entry->parent) return false;
  errno = EEXIST;
  return strcmp(entry->name, ".") != 0 && strcmp(entry->name, "..") != 0;
}

Zone zone_of(const Request& request, const Entry& entry) {
  char path[PATH_MAX];
  // Every protected path is short enough.
  const Zone too_long = request.grounds->everywhere ? Zone::kWork : Zone::kOutside;
  if (!path_of(entry.parent.get(), path)) return errno == ENAMETOOLONG ? too_long : Zone::kOutside;
  const size_t length = strlen(path);
  if (length + 1 + strlen(entry.name) >= sizeof path) return too_long;
  // The two grounds themselves are entries of folders that are not ours.
  if (zone_of_path(request, path) == Zone::kOutside) return Zone::kOutside;
  path[length] = '/';
  memcpy(path + length + 1, entry.name, strlen(entry.name) + 1);
  const Zone zone = zone_of_path(request, path);
  if (zone == Zone::kGuarded) return zone;
  for (char* const* guarded = request.grounds->guarded; *guarded != nullptr; ++guarded) {
    if (!lies_in(*guarded, path)) continue;
    request.guarded = static_cast<int>(guarded - request.grounds->guarded);
    return Zone::kAbove;
  }
  return zone;
}

bool is_about_us(int object) {
  char path[PATH_MAX];
  char us[32];
  snprintf(us, sizeof us, "/proc/%d", getpid());
  return path_of(object, path) && lies_in(path, us);
}

bool status_text(const Request& request, const char* field, char (&into)[64]) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/status", request.thread());
  const Handle file(open(path, O_RDONLY | O_CLOEXEC));
  char text[4096];
  const ssize_t n = file ? read(file.get(), text, sizeof text - 1) : -1;
  if (n <= 0) return false;
  text[n] = '\0';
  const char* at = strstr(text, field);
  if (at == nullptr) return false;
  strncpy(into, at + strlen(field), sizeof into - 1);
  into[sizeof into - 1] = '\0';
  return true;
}

long status_field(const Request& request, const char* field, int base) {
  char text[64];
  return status_text(request, field, text) ? strtol(text, nullptr, base) : -1;
}

int take_descriptor(const Request& request, int fd) {
  const long process = status_field(request, "\nTgid:", 10);
  const Handle handle(static_cast<int>(syscall(SYS_pidfd_open, process, 0)));
  if (!handle || !still_waiting(request)) {
    errno = EACCES;
    return -1;
  }
  return static_cast<int>(syscall(SYS_pidfd_getfd, handle.get(), fd, 0));
}

bool still_waiting(const Request& request) {
  return ioctl(request.listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &request.note.id) == 0;
}

}  // namespace dsv4::sandbox
