#include "sandbox/seccomp.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/fscrypt.h>
#include <linux/fsverity.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <thread>

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
    add(SCMP_ACT_ERRNO(error), number, when);
  }
  void refuse_number(int number, uint32_t error) { add(SCMP_ACT_ERRNO(error), number, {}); }
  void ask_number(int number) { add(SCMP_ACT_NOTIFY, number, {}); }
  void ask(const char* call, std::initializer_list<scmp_arg_cmp> when = {}) {
    const int number = ::seccomp_syscall_resolve_name(call);
    if (number != __NR_SCMP_ERROR && number >= 0) add(SCMP_ACT_NOTIFY, number, when);
  }

  Descriptor program() {
    Descriptor file =
        owned(::memfd_create("dsv4-seccomp", MFD_CLOEXEC), "cannot make a file in memory");
    check(::seccomp_export_bpf(context_.get(), file.get()));
    ::lseek(file.get(), 0, SEEK_SET);
    return file;
  }

 private:
  void add(uint32_t action, int number, std::initializer_list<scmp_arg_cmp> when) {
    check(::seccomp_rule_add_array(context_.get(), action, number,
                                   static_cast<unsigned>(when.size()), when.begin()));
  }
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
void refuse_exotic_sockets(Filter& filter, bool network) {
  constexpr uint64_t kHighestFamily = 64;  // above all that exist; the kernel refuses the rest
  for (uint64_t family = 0; family < kHighestFamily; ++family) {
    if (family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK) {
      continue;
    }
    filter.refuse("socket", EAFNOSUPPORT, {argument(0, SCMP_CMP_MASKED_EQ, kLow, family)});
    filter.refuse("socketpair", EAFNOSUPPORT, {argument(0, SCMP_CMP_MASKED_EQ, kLow, family)});
  }
  if (!network) return;  // refuse_network() takes the rest
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

// Without namespaces other programs of this user are within reach of these.
void refuse_reaching_others(Filter& filter) {
  const auto refuse_other_process = [&](const char* call, unsigned index) {
    filter.refuse(call, EPERM, {argument(index, SCMP_CMP_NE, 0)});
  };
  refuse_other_process("prlimit64", 0);
  for (const char* call : {"setpriority", "ioprio_set"}) {
    const uint64_t process = call[0] == 's' ? PRIO_PROCESS : 1;  // IOPRIO_WHO_PROCESS
    filter.refuse(call, EPERM, {argument(0, SCMP_CMP_NE, process)});
    refuse_other_process(call, 1);
  }
  filter.refuse("process_mrelease", EPERM);
  // Directory notices tell about others' files.
  filter.refuse("fcntl", EPERM, {argument(1, SCMP_CMP_MASKED_EQ, kLow, F_NOTIFY)});
  // A datagram can be sent to any socket that has a name; the broker sees connections only.
  constexpr uint64_t kTypeMask = 0xf;
  for (const char* call : {"socket", "socketpair"}) {
    filter.refuse(call, EPERM,
                  {argument(0, SCMP_CMP_MASKED_EQ, kLow, AF_UNIX),
                   argument(1, SCMP_CMP_MASKED_EQ, kTypeMask, SOCK_DGRAM)});
  }
}

// What would go around the broker, or hold it up.
void refuse_passing_broker(Filter& filter) {
  // Some file systems make named folders on request: btrfs's SUBVOL_CREATE and SNAP_CREATE, old and
  // new, bcachefs's SUBVOLUME_CREATE, ocfs2's REFLINK.
  constexpr uint64_t kMaking[] = {_IOW(0x94, 14, char[4096]), _IOW(0x94, 24, char[4096]),
                                  _IOW(0x94, 1, char[4096]),  _IOW(0x94, 23, char[4096]),
                                  _IOW(0xbc, 16, char[32]),   _IOW('o', 4, char[24])};
  for (const uint64_t request : kMaking) {
    filter.refuse("ioctl", ENOTTY, {argument(1, SCMP_CMP_MASKED_EQ, kLow, request & kLow)});
  }
  filter.refuse("fcntl", EPERM, {argument(1, SCMP_CMP_MASKED_EQ, kLow, F_SETLEASE)});
}

// Attributes beside mode, owner and times, which need no right to write.
void refuse_attributes(Filter& filter) {
  for (const char* call :
       {"setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr"}) {
    filter.refuse(call, ENOTSUP);
  }
  for (const int newer : {463, 466, 469}) {  // setxattrat, removexattrat, file_setattr
    filter.refuse_number(newer, ENOSYS);
  }
  // Empties a file that may only be read, before Landlock's version 3 even where it rules.
  constexpr uint64_t kTruncatingRead = O_TRUNC | O_ACCMODE;
  filter.refuse("open", EACCES, {argument(1, SCMP_CMP_MASKED_EQ, kTruncatingRead, O_TRUNC)});
  filter.refuse("openat", EACCES, {argument(2, SCMP_CMP_MASKED_EQ, kTruncatingRead, O_TRUNC)});
  for (const uint64_t request :
       {uint64_t{FS_IOC_SETFLAGS}, uint64_t{FS_IOC_SETVERSION}, uint64_t{FS_IOC_FSSETXATTR},
        uint64_t{FS_IOC_ENABLE_VERITY}, uint64_t{FS_IOC_SET_ENCRYPTION_POLICY}}) {
    filter.refuse("ioctl", ENOTTY, {argument(1, SCMP_CMP_MASKED_EQ, kLow, request & kLow)});
  }
}

// No network at all, not even this machine's loopback, which everybody shares.
void refuse_network(Filter& filter) {
  for (const uint64_t family : {AF_INET, AF_INET6, AF_NETLINK}) {
    filter.refuse("socket", EACCES, {argument(0, SCMP_CMP_MASKED_EQ, kLow, family)});
  }
  for (const char* call : {"shmget", "shmat", "shmctl", "msgget", "msgsnd", "msgrcv", "msgctl",
                           "semget", "semop", "semtimedop", "semctl", "mq_open", "mq_unlink"}) {
    filter.refuse(call, EACCES);
  }
}

// Signals that the kernel sends when something happens to a descriptor, to whom it was told.
void refuse_asking_for_signals(Filter& filter) {
  for (const uint64_t command : {F_SETOWN, F_SETOWN_EX}) {
    filter.refuse("fcntl", EPERM, {argument(1, SCMP_CMP_MASKED_EQ, kLow, command)});
  }
  for (const uint64_t request : {FIOSETOWN, SIOCSPGRP}) {
    filter.refuse("ioctl", EPERM, {argument(1, SCMP_CMP_MASKED_EQ, kLow, request)});
  }
}

// Those that change files, or look at what Landlock does not. By the flags that open for writing,
// since reading needs no broker.
constexpr const char* kAsked[] = {
    "creat",     "mkdir",     "mkdirat",   "mknod",     "mknodat", "unlink",
    "unlinkat",  "rmdir",     "symlink",   "symlinkat", "link",    "linkat",
    "rename",    "renameat",  "renameat2", "chmod",     "fchmod",  "fchmodat",
    "chown",     "lchown",    "fchown",    "fchownat",  "utime",   "utimes",
    "futimesat", "utimensat", "truncate",  "connect",   "bind",    "inotify_add_watch"};
// Those that can make a name, beside open() and openat() with O_CREAT.
constexpr const char* kAskedNames[] = {"creat",    "mkdir",     "mkdirat", "mknod",  "mknodat",
                                       "symlink",  "symlinkat", "link",    "linkat", "rename",
                                       "renameat", "renameat2", "bind"};
constexpr const char* kAskedProcesses[] = {"sched_setaffinity", "sched_setscheduler",
                                           "sched_setparam", "sched_setattr"};
constexpr const char* kAskedSignals[] = {
    "kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal"};

}  // namespace

Descriptor seccomp_filter(const FilterOptions& options) {
  Filter filter;
  for (const char* call : kAbsent) filter.refuse(call, ENOSYS);
  refuse_namespaces(filter);
  refuse_terminal_tricks(filter);
  refuse_exotic_sockets(filter, options.own_network);
  refuse_setuid_bits(filter);
  refuse_passing_broker(filter);
  if (!options.namespaces) {
    refuse_reaching_others(filter);
    refuse_attributes(filter);
  }
  if (!options.own_network) refuse_network(filter);
  if (!options.scoped_signals) refuse_asking_for_signals(filter);
  return filter.program();
}

Descriptor refusing_filter(bool telling) {
  Filter filter;
  for (const char* call : kRefused) telling ? filter.ask(call) : filter.refuse(call, EPERM);
  return filter.program();
}

// Tried on a thread of its own, which ends with its filter. What is asked of the listener is about
// no call at all: a kernel that can hand out descriptors and answer in one says so (ENOENT).
bool may_listen_to_calls() {
  bool may = false;
  std::thread([&may] {
    sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    const sock_fprog program{1, &allow};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return;
    const Descriptor listener(static_cast<int>(::syscall(
        SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program)));
    seccomp_notif_addfd none{};
    none.flags = SECCOMP_ADDFD_FLAG_SEND;
    may = listener && ::ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_ADDFD, &none) != 0 &&
          errno == ENOENT;
  }).join();
  return may;
}

std::string call_name(int number) {
  const std::unique_ptr<char, decltype(&::free)> name(
      ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number), &::free);
  return name ? name.get() : "call " + std::to_string(number);
}

Descriptor broker_filter(const FilterOptions& options) {
  Filter filter;
  for (const char* call : kRefused) filter.ask(call);
  if (options.namespaces) {
    for (const char* call : kAskedNames) filter.ask(call);
    filter.ask("open", {argument(1, SCMP_CMP_MASKED_EQ, O_CREAT, O_CREAT)});
    filter.ask("openat", {argument(2, SCMP_CMP_MASKED_EQ, O_CREAT, O_CREAT)});
    return filter.program();
  }
  for (const char* call : kAsked) filter.ask(call);
  constexpr int kFchmodat2 = 452;
  filter.ask_number(kFchmodat2);
  for (const char* call : kAskedProcesses) {
    filter.ask(call, {argument(0, SCMP_CMP_NE, 0)});
  }
  for (const char* call : kAskedSignals) {
    if (!options.scoped_signals) filter.ask(call);
  }
  for (const uint64_t flag :
       {uint64_t{O_WRONLY}, uint64_t{O_RDWR}, uint64_t{O_CREAT}, uint64_t{O_TRUNC}}) {
    filter.ask("open", {argument(1, SCMP_CMP_MASKED_EQ, flag, flag)});
    filter.ask("openat", {argument(2, SCMP_CMP_MASKED_EQ, flag, flag)});
  }
  return filter.program();
}

}  // namespace dsv4::sandbox
