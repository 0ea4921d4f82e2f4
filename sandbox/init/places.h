#pragma once

// What a path of a boxed process means, found out so that it cannot come to mean something else
// afterwards: as an open handle whose place the kernel tells.

#include <limits.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

namespace dsv4::sandbox {

// Where the broker may act: absolute paths without links.
struct Grounds {
  const char* work;       // the working copy: Landlock lets commands only read it
  const char* temporary;  // Landlock lets commands do anything here
  char* const* guarded;   // NULL-terminated: protected paths in the working copy
  bool own_network;
  // A bubblewrap box: mounts are its walls, and only names that must not be made are guarded.
  // Nothing may go on to the kernel, which would read the path again and has no wall there, so
  // whatever is asked is done here, with the rights that the caller has too.
  bool everywhere;
};

// A call of a boxed process that waits for an answer.
struct Request {
  int listener;
  seccomp_notif note;
  const Grounds* grounds;
  mutable int guarded = -1;  // the protected path that it was found to be about

  pid_t thread() const { return static_cast<pid_t>(note.pid); }
  uint64_t argument(int index) const { return note.data.args[index]; }
  int number(int index) const { return static_cast<int>(note.data.args[index]); }
};

class Handle {
 public:
  explicit Handle(int fd) : fd_(fd) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset(int fd) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }

 private:
  int fd_;
};

// kAbove: a folder that a protected path lies in.
enum class Zone { kOutside, kGuarded, kAbove, kWork, kTemporary };
constexpr bool writable(Zone zone) { return zone == Zone::kWork || zone == Zone::kTemporary; }

// Copies from the memory of the caller. read_text needs a terminator within PATH_MAX; without,
// errno says why.
bool read_memory(const Request& request, uint64_t from, void* into, size_t bytes);
bool read_text(const Request& request, uint64_t from, char (&into)[PATH_MAX]);

// Where a relative path begins: at a folder as the caller names it (AT_FDCWD, a descriptor), or at
// a handle of ours.
struct Start {
  Start(int of_caller) : folder(of_caller) {}  // NOLINT: callers pass the number they were given
  static Start at(int handle) {
    Start start(-1);
    start.handle = handle;
    return start;
  }
  int folder;
  int handle = -1;
};

// The file that `path` names for the caller, as an O_PATH descriptor; -1 and errno where there is
// none. `flags` are those of the *at() calls: AT_SYMLINK_NOFOLLOW, and AT_EMPTY_PATH where an empty
// path means the folder itself.
int find_object(const Request& request, Start start, const char* path, int flags);
// What the caller's descriptor refers to, as an O_PATH descriptor.
int object_of_descriptor(const Request& request, int fd);
// The caller's descriptor itself: sockets cannot be opened again.
int take_descriptor(const Request& request, int fd);
Zone zone_of(const Request& request, int object);

// A name in a folder; it need not exist.
struct Entry {
  Handle parent{-1};
  char name[NAME_MAX + 1] = {};
  char written[NAME_MAX + 2] = {};  // with a slash after it where the caller wrote one
};
// False, and errno, where the path does not end in a plain name or its folder does not exist.
bool find_entry(const Request& request, Start start, const char* path, Entry* entry);
Zone zone_of(const Request& request, const Entry& entry);

// "/proc/self/fd/N", by which a handle is named to calls that want a path.
struct HandlePath {
  explicit HandlePath(int fd);
  char text[32];
};

// Whether it is an entry of the kernel's folder about this process. What a caller calls "self" is
// another one for us.
bool is_about_us(int object);

// What follows `field` in the caller's /proc/PID/status, and that as a number in the given base; -1
// without.
bool status_text(const Request& request, const char* field, char (&into)[64]);
long status_field(const Request& request, const char* field, int base);

// Whether the caller is still waiting: only then was what /proc said about it really about it.
bool still_waiting(const Request& request);

}  // namespace dsv4::sandbox
