#include "sandbox/init/box.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>

namespace dsv4::sandbox {
namespace {

Closed result(SetupStep step, bool good) { return {step, good ? 0 : errno}; }

bool read_whole(int fd, void* into, size_t bytes) {
  return pread(fd, into, bytes, 0) == static_cast<ssize_t>(bytes);
}

// The filter in the file `fd`; returns what seccomp() does.
long install_filter(int fd, unsigned flags) {
  struct stat file {};
  if (fstat(fd, &file) != 0) return -1;
  const size_t bytes = static_cast<size_t>(file.st_size);
  sock_filter* program = static_cast<sock_filter*>(malloc(bytes));
  if (program == nullptr || !read_whole(fd, program, bytes)) return -1;
  const sock_fprog whole{static_cast<unsigned short>(bytes / sizeof *program), program};
  const long done = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &whole);
  free(program);
  return done;
}

// A filter with a listener. A call that was taken up is not broken off by a signal: it would be
// made again, when the broker has made it already. Before Linux 5.19 that cannot be had.
int listen_with(int filter) {
  constexpr unsigned kWaitKillable = 1 << 5;  // SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
  constexpr unsigned kListen = SECCOMP_FILTER_FLAG_NEW_LISTENER;
  const long listener = install_filter(filter, kListen | kWaitKillable);
  if (listener >= 0 || errno != EINVAL) return static_cast<int>(listener);
  return static_cast<int>(install_filter(filter, kListen));
}

bool hand_over(int listener, int broker) {
  const char byte = 0;
  return send_descriptor(broker, listener, &byte, 1);
}

}  // namespace

Closed make_namespaces() {
  if (unshare(CLONE_NEWNET | CLONE_NEWIPC) != 0) return result(SetupStep::kNamespaces, false);
  const int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq loopback{};
  strcpy(loopback.ifr_name, "lo");
  loopback.ifr_flags = IFF_UP | IFF_RUNNING;
  const Closed done = result(SetupStep::kNamespaces, ioctl(any, SIOCSIFFLAGS, &loopback) == 0);
  close(any);
  return done;
}

bool send_descriptor(int socket, int fd, const void* data, size_t bytes) {
  iovec part{const_cast<void*>(data), bytes};
  alignas(cmsghdr) char extra[CMSG_SPACE(sizeof fd)] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = extra;
  message.msg_controllen = sizeof extra;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  return sendmsg(socket, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(bytes);
}

int listen_on(uint32_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<uint16_t>(port));
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  constexpr int kWaiting = 128;
  if (fd >= 0 && bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0 &&
      listen(fd, kWaiting) == 0) {
    return fd;
  }
  if (fd >= 0) close(fd);
  return -1;
}

Closed drop_capabilities() {
  constexpr auto kStep = SetupStep::kCapabilities;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return result(kStep, false);
  // The two need a privilege that user 0 usually has; without it nothing can be regained anyway.
  constexpr int kBeyondAll = 64;
  for (int capability = 0; capability < kBeyondAll; ++capability) {
    prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
  prctl(PR_SET_SECUREBITS, SECURE_ALL_BITS | SECURE_ALL_LOCKS, 0, 0, 0);
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  return result(kStep, syscall(SYS_capset, &header, none) == 0);
}

Closed close_box(int broker) {
  constexpr int kRestrictSelf = 446;  // landlock_restrict_self
  if (syscall(kRestrictSelf, kRulesetFd, 0) != 0) return result(SetupStep::kLandlock, false);
  if (install_filter(kFilterFd, 0) != 0) return result(SetupStep::kSeccomp, false);
  const int listener = listen_with(kBrokerFilterFd);
  return result(SetupStep::kBroker, listener >= 0 && hand_over(listener, broker));
}

Closed refuse_calls(int broker, bool guarded) {
  const Closed dropped = drop_capabilities();
  if (dropped.error != 0) return dropped;
  if (install_filter(kArgumentsFilterFd, 0) != 0) return result(SetupStep::kSeccomp, false);
  const int listener = listen_with(kTellingFilterFd);
  if (listener < 0 && guarded) return result(SetupStep::kBroker, false);
  if (listener < 0) return result(SetupStep::kSeccomp, install_filter(kSilentFilterFd, 0) == 0);
  return result(SetupStep::kBroker, hand_over(listener, broker));
}

int receive_listener(int socket) {
  char byte = 0;
  iovec part{&byte, 1};
  alignas(cmsghdr) char extra[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = extra;
  message.msg_controllen = sizeof extra;
  if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1) return -1;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return -1;
  int fd = -1;
  memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return fd;
}

}  // namespace dsv4::sandbox
