// Sockets that have a name in the file system, which lead to whoever listens there (a desktop's
// bus, a container daemon), and watching files, which tells what others do with them.

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>

#include "sandbox/init/broker.h"

namespace dsv4::sandbox {
namespace {

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
};

bool read_address(const Request& request, Address* address) {
  const uint64_t size = request.argument(2);
  if (size < sizeof(sa_family_t) || size > sizeof address->bytes) return false;
  address->size = static_cast<socklen_t>(size);
  return read_memory(request, request.argument(1), &address->bytes, size);
}

// The path of a socket with a name in the file system; false for abstract and unnamed ones.
bool path_in(const Address& address, char (&path)[PATH_MAX]) {
  constexpr size_t kStart = offsetof(sockaddr_un, sun_path);
  const char* from = reinterpret_cast<const char*>(&address.bytes) + kStart;
  if (address.size <= kStart || from[0] == '\0') return false;
  const size_t size = strnlen(from, address.size - kStart);
  memcpy(path, from, size);
  path[size] = '\0';
  return true;
}

Address named(const char* path) {
  Address address;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  memcpy(to.sun_path, path, strnlen(path, sizeof to.sun_path - 1));
  memcpy(&address.bytes, &to, sizeof to);
  address.size = sizeof to;
  return address;
}

// The call is made here with the address that was checked, whatever the caller does to its own.
Answer connect_socket(const Request& request) {
  Address address;
  if (!read_address(request, &address)) return failed(EINVAL);
  Handle object(-1);
  if (address.bytes.ss_family == AF_UNIX) {
    char path[PATH_MAX];
    if (path_in(address, path)) {
      object.reset(find_object(request, AT_FDCWD, path, 0));
      if (!object) return failed(errno);
      if (!writable(zone_of(request, object.get()))) return failed(EACCES);
      address = named(HandlePath(object.get()).text);
    } else if (!request.grounds->own_network) {
      return failed(EPERM);  // abstract names are everybody's
    }
  }
  const Handle socket(take_descriptor(request, request.number(0)));
  if (!socket) return failed(errno);
  const auto act = [&] { return outcome(connect(socket.get(), address.get(), address.size)); };
  const bool waits = (fcntl(socket.get(), F_GETFL) & O_NONBLOCK) == 0;
  return waits ? in_child(request, act) : act();
}

// To an address that makes no name. The kernel must not read it again where it could then be one.
Answer bind_unnamed(const Request& request, const Address& address) {
  if (!request.grounds->everywhere) return go_on();
  const Handle socket(take_descriptor(request, request.number(0)));
  return socket ? outcome(bind(socket.get(), address.get(), address.size)) : failed(errno);
}

// Only in the working copy: elsewhere Landlock judges it. In a child, whose folder and mask can be
// changed; so a long path of the working copy does not need to fit into an address.
Answer bind_socket(const Request& request) {
  Address address;
  char path[PATH_MAX];
  Entry entry;
  if (!read_address(request, &address)) return go_on_or(request, EINVAL);
  if (address.bytes.ss_family != AF_UNIX || !path_in(address, path)) {
    return bind_unnamed(request, address);
  }
  if (!find_entry(request, AT_FDCWD, path, &entry)) {
    return go_on_or(request, errno == EEXIST ? EADDRINUSE : errno);
  }
  if (zone_of(request, entry) != Zone::kWork) return go_on_or(request, EACCES);
  if (strlen(entry.name) >= sizeof(sockaddr_un::sun_path)) return failed(ENAMETOOLONG);
  const Handle socket(take_descriptor(request, request.number(0)));
  if (!socket) return failed(errno);
  const long mask = status_field(request, "\nUmask:", 8);
  return in_child(request, [&] {
    if (fchdir(entry.parent.get()) != 0) return failed(errno);
    umask(static_cast<mode_t>(mask < 0 ? 077 : mask));
    const Address here = named(entry.name);
    return outcome(bind(socket.get(), here.get(), here.size));
  });
}

Answer watch_file(const Request& request) {
  char path[PATH_MAX];
  if (!read_text(request, request.argument(1), path)) return failed(EFAULT);
  const uint32_t mask = static_cast<uint32_t>(request.argument(2));
  const Handle object(
      find_object(request, AT_FDCWD, path, (mask & IN_DONT_FOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0));
  if (!object) return failed(errno);
  if (zone_of(request, object.get()) == Zone::kOutside) return failed(EACCES);
  const Handle watcher(take_descriptor(request, request.number(0)));
  if (!watcher) return failed(errno);
  return outcome(inotify_add_watch(watcher.get(), HandlePath(object.get()).text,
                                   mask & ~uint32_t{IN_DONT_FOLLOW}));
}

}  // namespace

Handler socket_handler(int call) {
  switch (call) {
    case SYS_connect:
      return connect_socket;
    case SYS_bind:
      return bind_socket;
    case SYS_inotify_add_watch:
      return watch_file;
    default:
      return nullptr;
  }
}

}  // namespace dsv4::sandbox
