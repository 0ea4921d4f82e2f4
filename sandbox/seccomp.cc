#include "sandbox/seccomp.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <initializer_list>
#include <memory>

#include "sandbox/sandbox.h"

namespace dsv4::sandbox {
namespace {

// Refused whatever their arguments. By name, because older kernels' headers lack the newest; a name
// this library does not know cannot be called by number either without being unknown to it.
constexpr const char* kRefused[] = {
    // other processes
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd",
    "move_pages", "migrate_pages",
    // mounts and roots
    "mount", "umount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount", "fsopen",
    "fsconfig", "fsmount", "fspick", "mount_setattr", "statmount", "listmount", "setns", "unshare",
    "swapon", "swapoff", "quotactl", "quotactl_fd", "name_to_handle_at", "open_by_handle_at",
    "fanotify_init", "sysfs", "ustat", "uselib",
    // keyrings
    "add_key", "request_key", "keyctl",
    // ways around this filter, or large kernel surfaces
    "bpf", "perf_event_open", "userfaultfd", "memfd_secret", "seccomp_notify", "vmsplice",
    "modify_ldt", "lookup_dcookie",
    // the machine
    "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module",
    "create_module", "query_module", "get_kernel_syms", "reboot", "sethostname", "setdomainname",
    "settimeofday", "clock_settime", "clock_settime64", "clock_adjtime", "adjtimex", "stime",
    "acct", "syslog", "iopl", "ioperm", "vhangup", "nfsservctl", "_sysctl"};

// Programs probe for these and fall back when the kernel does not have them. clone3 and openat2
// pass what matters through memory, where a filter cannot look.
constexpr const char* kAbsent[] = {"clone3", "openat2", "io_uring_setup", "io_uring_enter",
                                   "io_uring_register"};

class Filter {
 public:
  Filter() : context_(::seccomp_init(SCMP_ACT_ALLOW), &::seccomp_release) {
    if (!context_) throw SetupError("libseccomp cannot make a filter: out of memory");
    // Calls of another architecture (32-bit, x32) would go around rules written for this one.
    check(::seccomp_attr_set(context_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS)));
  }

  void refuse(const char* call, uint32_t error, std::initializer_list<scmp_arg_cmp> when = {}) {
    const int number = ::seccomp_syscall_resolve_name(call);
    if (number == __NR_SCMP_ERROR || number < 0) return;  // not a call of this machine
    check(::seccomp_rule_add_array(context_.get(), SCMP_ACT_ERRNO(error), number,
                                   static_cast<unsigned>(when.size()), when.begin()));
  }

  Descriptor program() {
    Descriptor file =
        owned(::memfd_create("dsv4-seccomp", MFD_CLOEXEC), "cannot make a file in memory");
    check(::seccomp_export_bpf(context_.get(), file.get()));
    ::lseek(file.get(), 0, SEEK_SET);
    return file;
  }

 private:
  static void check(int result) {
    if (result < 0) throw SetupError("libseccomp refuses the sandbox's filter rules");
  }
  std::unique_ptr<void, decltype(&::seccomp_release)> context_;
};

scmp_arg_cmp argument(unsigned index, scmp_compare op, uint64_t a, uint64_t b = 0) {
  return {index, op, a, b};
}

// The kernel looks at the low 32 bits of most arguments; a filter that compares all 64 can be
// passed by setting a high one.
constexpr uint64_t kLow = 0xffffffffull;

void refuse_namespaces(Filter& filter) {
  for (const uint64_t flag : {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                              CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET}) {
    filter.refuse("clone", EPERM, {argument(0, SCMP_CMP_MASKED_EQ, flag, flag)});
  }
}

// Typing into the terminal of whoever started us.
void refuse_terminal_tricks(Filter& filter) {
  for (const uint64_t request : {uint64_t{TIOCSTI}, uint64_t{TIOCLINUX}, uint64_t{TIOCCONS}}) {
    filter.refuse("ioctl", EPERM, {argument(1, SCMP_CMP_MASKED_EQ, kLow, request)});
  }
}

// Unix, IPv4, IPv6 and routing netlink (which getaddrinfo and getifaddrs ask) stay; raw sockets and
// every other family or protocol go.
void refuse_exotic_sockets(Filter& filter) {
  constexpr uint64_t kHighestFamily = 64;  // above all that exist; the kernel refuses the rest
  for (uint64_t family = 0; family < kHighestFamily; ++family) {
    if (family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK) {
      continue;
    }
    filter.refuse("socket", EAFNOSUPPORT, {argument(0, SCMP_CMP_MASKED_EQ, kLow, family)});
    filter.refuse("socketpair", EAFNOSUPPORT, {argument(0, SCMP_CMP_MASKED_EQ, kLow, family)});
  }
  constexpr uint64_t kTypeMask = 0xf;
  for (const uint64_t family : {AF_INET, AF_INET6}) {
    for (const uint64_t type : {SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET, SOCK_DCCP, SOCK_PACKET}) {
      filter.refuse("socket", EPERM,
                    {argument(0, SCMP_CMP_MASKED_EQ, kLow, family),
                     argument(1, SCMP_CMP_MASKED_EQ, kTypeMask, type)});
    }
    for (const uint64_t protocol : {IPPROTO_SCTP, IPPROTO_UDPLITE, IPPROTO_DCCP, IPPROTO_MPTCP}) {
      filter.refuse("socket", EPROTONOSUPPORT,
                    {argument(0, SCMP_CMP_MASKED_EQ, kLow, family),
                     argument(2, SCMP_CMP_MASKED_EQ, kLow, protocol)});
    }
  }
  for (uint64_t protocol = 1; protocol < MAX_LINKS; ++protocol) {
    static_assert(NETLINK_ROUTE == 0);
    filter.refuse("socket", EPERM,
                  {argument(0, SCMP_CMP_MASKED_EQ, kLow, AF_NETLINK),
                   argument(2, SCMP_CMP_MASKED_EQ, kLow, protocol)});
  }
}

// A set-user-id file is harmless in the box, but the working copy is seen from outside too, where
// it would run as whoever started us.
void refuse_setuid_bits(Filter& filter) {
  for (const uint64_t bit : {uint64_t{S_ISUID}, uint64_t{S_ISGID}}) {
    const auto mode = [bit](unsigned index) {
      return argument(index, SCMP_CMP_MASKED_EQ, bit, bit);
    };
    filter.refuse("chmod", EPERM, {mode(1)});
    filter.refuse("fchmod", EPERM, {mode(1)});
    filter.refuse("fchmodat", EPERM, {mode(2)});
    filter.refuse("fchmodat2", EPERM, {mode(2)});
    filter.refuse("creat", EPERM, {mode(1)});
    filter.refuse("mknod", EPERM, {mode(1)});
    filter.refuse("mknodat", EPERM, {mode(2)});
    for (const uint64_t create : {uint64_t{O_CREAT}, uint64_t{O_TMPFILE & ~O_DIRECTORY}}) {
      filter.refuse("open", EPERM, {argument(1, SCMP_CMP_MASKED_EQ, create, create), mode(2)});
      filter.refuse("openat", EPERM, {argument(2, SCMP_CMP_MASKED_EQ, create, create), mode(3)});
    }
  }
}

}  // namespace

Descriptor seccomp_filter() {
  Filter filter;
  for (const char* call : kRefused) filter.refuse(call, EPERM);
  for (const char* call : kAbsent) filter.refuse(call, ENOSYS);
  refuse_namespaces(filter);
  refuse_terminal_tricks(filter);
  refuse_exotic_sockets(filter);
  refuse_setuid_bits(filter);
  return filter.program();
}

}  // namespace dsv4::sandbox
