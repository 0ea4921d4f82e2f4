// Reaching somebody over a socket.

#include <linux/if_alg.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/probes/probe.h"

namespace {

bool connects(const sockaddr* to, socklen_t size, int type = SOCK_STREAM) {
  const int fd = ::socket(to->sa_family, type, 0);
  return fd >= 0 && ::connect(fd, to, size) == 0;
}

sockaddr_in ip4(uint32_t address, int port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  to.sin_addr.s_addr = htonl(address);
  return to;
}

bool host_loopback() {
  const sockaddr_in to = ip4(INADDR_LOOPBACK, told_number("HOST_PORT"));
  return connects(reinterpret_cast<const sockaddr*>(&to), sizeof to);
}
// A datagram needs nobody to answer: being able to send one is enough to get out. To 192.0.2.1,
// which is set aside for documentation.
bool network_out() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
  const sockaddr_in to = ip4(0xC0000201, 53);
  return fd >= 0 && ::sendto(fd, "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 1;
}
bool network6_out() {
  const int fd = ::socket(AF_INET6, SOCK_DGRAM, 0);
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_port = htons(53);
  to.sin6_addr.s6_addr[0] = 0x20;  // 2001:db8::, for documentation
  to.sin6_addr.s6_addr[1] = 0x01;
  to.sin6_addr.s6_addr[2] = 0x0d;
  to.sin6_addr.s6_addr[3] = 0xb8;
  return fd >= 0 && ::sendto(fd, "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 1;
}

bool has_socket(int family, int type, int protocol) {
  return ::socket(family, type, protocol) >= 0;
}
bool raw_socket() { return has_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP); }
bool raw6_socket() { return has_socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6); }
bool packet_socket() { return has_socket(AF_PACKET, SOCK_RAW, 0); }
bool vsock() { return has_socket(AF_VSOCK, SOCK_STREAM, 0); }
bool crypto_socket() { return has_socket(AF_ALG, SOCK_SEQPACKET, 0); }
bool netlink_audit() { return has_socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT); }
bool netlink_generic() { return has_socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC); }
bool sctp_socket() { return has_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP); }

sockaddr_un named(const std::string& path, socklen_t* size) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  memcpy(to.sun_path, path.data(), path.size());
  *size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  return to;
}
// As a desktop's bus or a container daemon would be listening.
bool host_socket() {
  socklen_t size = 0;
  const sockaddr_un to = named(told("HOST_SOCKET"), &size);
  return connects(reinterpret_cast<const sockaddr*>(&to), size);
}
bool host_abstract_socket() {
  socklen_t size = 0;
  const sockaddr_un to = named(std::string(1, '\0') + told("HOST_ABSTRACT"), &size);
  return connects(reinterpret_cast<const sockaddr*>(&to), size);
}
bool host_datagram() {
  socklen_t size = 0;
  const sockaddr_un to = named(told("HOST_DATAGRAM"), &size);
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  return fd >= 0 && ::sendto(fd, "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), size) == 1;
}
// A pair that is already connected can still be sent elsewhere.
bool host_datagram_of_pair() {
  socklen_t size = 0;
  const sockaddr_un to = named(told("HOST_DATAGRAM"), &size);
  int pair[2];
  return ::socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0 &&
         ::sendto(pair[0], "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), size) == 1;
}
bool host_shared_memory() {
  return ::shmat(told_number("HOST_SHM"), nullptr, 0) != reinterpret_cast<void*>(-1);
}

constexpr Probe kAttempts[] = {
    PROBE(host_loopback),
    PROBE(network_out),
    PROBE(network6_out),
    PROBE(raw_socket),
    PROBE(raw6_socket),
    PROBE(packet_socket),
    PROBE(vsock),
    PROBE(crypto_socket),
    PROBE(netlink_audit),
    PROBE(netlink_generic),
    PROBE(sctp_socket),
    PROBE(host_socket),
    PROBE(host_datagram),
    PROBE(host_abstract_socket),
    PROBE(host_datagram_of_pair),
    PROBE(host_shared_memory),
};

}  // namespace

std::span<const Probe> network_attempts() { return kAttempts; }
