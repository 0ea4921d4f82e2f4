// Ordinary work: for each attempt, what honest programs do that looks most like it.

#include <dirent.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "tests/probes/probe.h"

namespace {

bool make(const char* path, const char* text = "text") {
  const int fd = ::open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
  const bool good =
      fd >= 0 && ::write(fd, text, strlen(text)) == static_cast<ssize_t>(strlen(text));
  if (fd >= 0) ::close(fd);
  return good;
}
bool is(const char* path, const char* text) {
  char seen[256] = {};
  const int fd = ::open(path, O_RDONLY);
  const bool good = fd >= 0 && ::read(fd, seen, sizeof seen - 1) >= 0;
  if (fd >= 0) ::close(fd);
  return good && strcmp(seen, text) == 0;
}
mode_t mode_of(const char* path) {
  struct stat file {};
  return ::stat(path, &file) == 0 ? file.st_mode & 07777 : 0;
}
bool ends_well(pid_t child) {
  int status = 0;
  return ::waitpid(child, &status, 0) == child && status == 0;
}
bool runs(const char* command) { return ::system(command) == 0; }

bool served(int family, int type) {
  const int server = ::socket(family, type, 0);
  if (server < 0) return false;
  sockaddr_storage at{};
  at.ss_family = static_cast<sa_family_t>(family);
  if (family == AF_INET) {
    reinterpret_cast<sockaddr_in*>(&at)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  } else {
    reinterpret_cast<sockaddr_in6*>(&at)->sin6_addr = in6addr_loopback;
  }
  socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  sockaddr* name = reinterpret_cast<sockaddr*>(&at);
  if (::bind(server, name, size) != 0 || ::getsockname(server, name, &size) != 0) return false;
  if (type == SOCK_STREAM && ::listen(server, 4) != 0) return false;
  const int client = ::socket(family, type, 0);
  if (::connect(client, name, size) != 0 || ::send(client, "hello", 5, 0) != 5) return false;
  char seen[8] = {};
  const int end = type == SOCK_STREAM ? ::accept(server, nullptr, nullptr) : server;
  return ::recv(end, seen, sizeof seen, 0) == 5 && strcmp(seen, "hello") == 0;
}
bool tcp_loopback() { return served(AF_INET, SOCK_STREAM); }
bool udp_loopback() { return served(AF_INET, SOCK_DGRAM); }
bool tcp6_loopback() { return served(AF_INET6, SOCK_STREAM); }
bool udp6_loopback() { return served(AF_INET6, SOCK_DGRAM); }
bool list_interfaces() {
  ifaddrs* first = nullptr;
  bool loopback = false;
  if (::getifaddrs(&first) != 0) return false;
  for (const ifaddrs* at = first; at != nullptr; at = at->ifa_next) {
    loopback = loopback || strcmp(at->ifa_name, "lo") == 0;
  }
  return loopback;
}
bool look_up_localhost() {
  addrinfo* found = nullptr;
  return ::getaddrinfo("localhost", "80", nullptr, &found) == 0 && found != nullptr;
}
bool socket_pair() {
  int pair[2];
  char byte = 0;
  return ::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && ::write(pair[0], "x", 1) == 1 &&
         ::read(pair[1], &byte, 1) == 1;
}
bool message_pair() {
  int pair[2];
  char bytes[4];
  return ::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0 && ::write(pair[0], "abc", 3) == 3 &&
         ::read(pair[1], bytes, 4) == 3;
}
bool named_socket(const std::string& path, bool waits) {
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  memcpy(at.sun_path, path.c_str(), path.size() + 1);
  const sockaddr* name = reinterpret_cast<const sockaddr*>(&at);
  const int server = ::socket(AF_UNIX, SOCK_STREAM, 0);
  if (::bind(server, name, sizeof at) != 0 || ::listen(server, 4) != 0) return false;
  const int client = ::socket(AF_UNIX, SOCK_STREAM | (waits ? 0 : SOCK_NONBLOCK), 0);
  return ::connect(client, name, sizeof at) == 0 && ::write(client, "x", 1) == 1 &&
         ::accept(server, nullptr, nullptr) >= 0 && ::unlink(path.c_str()) == 0;
}
bool socket_in_tree() { return named_socket("here.sock", true); }
bool socket_not_waiting() { return named_socket("there.sock", false); }
bool socket_in_temporary() { return named_socket(told("TMPDIR") + "/t.sock", true); }
bool pass_descriptor() {
  return runs(
      "python3 -c 'import socket, os\n"
      "a, b = socket.socketpair()\n"
      "socket.send_fds(a, [b\"x\"], [os.open(\"/dev/null\", os.O_RDONLY)])\n"
      "assert len(socket.recv_fds(b, 9, 9)[1]) == 1'");
}

bool run_child() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  return ends_well(child);
}
bool kill_child() {
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  int status = 0;
  return ::kill(child, SIGTERM) == 0 && ::waitpid(child, &status, 0) == child &&
         WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
}
bool kill_group() {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setpgid(0, 0);
    if (::fork() == 0) ::pause();
    ::pause();
    ::_exit(0);
  }
  ::setpgid(child, child);
  int status = 0;
  return ::kill(-child, SIGKILL) == 0 && ::waitpid(child, &status, 0) == child &&
         WIFSIGNALED(status);
}
bool kill_by_handle() {
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  const long handle = ::syscall(SYS_pidfd_open, child, 0);
  int status = 0;
  return ::syscall(SYS_pidfd_send_signal, handle, SIGKILL, nullptr, 0) == 0 &&
         ::waitpid(child, &status, 0) == child && WIFSIGNALED(status);
}
std::atomic<int> signals_seen = 0;
bool raise_signal() {
  ::signal(SIGUSR1, [](int) { ++signals_seen; });
  return ::raise(SIGUSR1) == 0 && signals_seen == 1;
}
bool signal_thread() {
  ::signal(SIGUSR2, [](int) { ++signals_seen; });
  const int before = signals_seen;
  std::atomic<bool> over = false;
  std::thread other([&] {
    while (!over) ::sched_yield();
  });
  const bool sent = ::pthread_kill(other.native_handle(), SIGUSR2) == 0;
  while (signals_seen == before && sent) ::sched_yield();
  over = true;
  other.join();
  return sent;
}
bool alarm_rings() {
  ::signal(SIGALRM, [](int) { ++signals_seen; });
  itimerval soon{{0, 0}, {0, 1000}};
  ::setitimer(ITIMER_REAL, &soon, nullptr);
  ::pause();
  return true;
}
bool core_limit() {
  const rlimit none{0, 0};
  return ::setrlimit(RLIMIT_CORE, &none) == 0;
}
bool be_nice() {
  errno = 0;
  return ::nice(1) >= 0 && errno == 0;
}
bool pin_thread() {
  cpu_set_t now;
  return ::pthread_getaffinity_np(::pthread_self(), sizeof now, &now) == 0 &&
         ::pthread_setaffinity_np(::pthread_self(), sizeof now, &now) == 0;
}
bool threads() {
  std::atomic<int> sum = 0;
  std::thread one([&] { sum += 1; });
  std::thread two([&] { sum += 2; });
  one.join();
  two.join();
  return sum == 3;
}
bool own_name() { return ::prctl(PR_SET_NAME, "worker") == 0; }
bool who_am_i() { return ::getpwuid(::getuid()) != nullptr; }
bool own_group() { return ::setgid(::getgid()) == 0 && ::setuid(::getuid()) == 0; }
bool run_program() { return runs("ls / >/dev/null 2>&1; true | cat"); }
bool shell_jobs() { return runs("sleep 60 & kill $!; wait; true"); }

bool map_file() {
  if (!make("mapped", "0123456789")) return false;
  const int fd = ::open("mapped", O_RDWR);
  void* at = ::mmap(nullptr, 10, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return false;
  memcpy(at, "changed", 7);
  return ::msync(at, 10, MS_SYNC) == 0 && is("mapped", "changed789");
}
bool memory_file() {
  const int fd = ::memfd_create("x", 0);
  return fd >= 0 && ::ftruncate(fd, 4096) == 0;
}
bool executable_memory() {
  return ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
         MAP_FAILED;
}
bool clock_and_random() {
  timespec now{};
  char bytes[8];
  return ::clock_gettime(CLOCK_REALTIME, &now) == 0 &&
         ::syscall(SYS_getrandom, bytes, sizeof bytes, 0) == 8 && is("/dev/null", "");
}
bool count_processors() { return ::sysconf(_SC_NPROCESSORS_ONLN) >= 1; }
bool memory_information() { return ::sysconf(_SC_AVPHYS_PAGES) > 0 && ::access("/usr", R_OK) == 0; }
bool write_null() { return make("/dev/null"); }
bool window_size() {
  winsize size{};
  return ::ioctl(1, TIOCGWINSZ, &size) == 0 || errno == ENOTTY;
}
bool read_kernel_version() {
  char byte = 0;
  const int fd = ::open("/proc/sys/kernel/osrelease", O_RDONLY);
  return fd >= 0 && ::read(fd, &byte, 1) == 1;
}

bool create_file() { return make("new") && is("new", "text"); }
bool create_exclusive() {
  return ::close(::open("only", O_CREAT | O_EXCL | O_WRONLY, 0600)) == 0 && mode_of("only") == 0600;
}
bool mask_counts() {
  ::umask(027);
  const bool good = ::close(::open("masked", O_CREAT | O_WRONLY, 0666)) == 0 &&
                    mode_of("masked") == 0640 && ::mkdir("masked-d", 0777) == 0 &&
                    mode_of("masked-d") == 0750;
  ::umask(022);
  return good;
}
bool append_file() {
  make("log", "one ");
  const int fd = ::open("log", O_WRONLY | O_APPEND);
  return ::write(fd, "two", 3) == 3 && is("log", "one two");
}
bool unnamed_file() {
  const int fd = ::open(".", O_TMPFILE | O_RDWR, 0644);
  if (fd < 0) return errno == EOPNOTSUPP;
  const std::string handle = "/proc/self/fd/" + std::to_string(fd);
  return ::write(fd, "late", 4) == 4 &&
         ::linkat(AT_FDCWD, handle.c_str(), AT_FDCWD, "named", AT_SYMLINK_FOLLOW) == 0 &&
         is("named", "late");
}
bool write_stream_by_name() {
  const int fd = ::open("stream", O_CREAT | O_WRONLY | O_TRUNC, 0644);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(fd, 1);
    ::_exit(make("/dev/stdout", "named") ? 0 : 1);
  }
  return ends_well(child) && is("stream", "named");
}
bool executable_file() {
  return make("script", "#!/bin/sh\nexit 0\n") && ::chmod("script", 0755) == 0 && runs("./script");
}
bool chmod_handle() {
  make("moded");
  return ::fchmod(::open("moded", O_RDONLY), 0600) == 0 && mode_of("moded") == 0600;
}
bool own_file_again() {
  make("owned");
  return ::chown("owned", ::getuid(), static_cast<gid_t>(-1)) == 0;
}
bool set_times() {
  make("timed");
  const timespec times[2] = {{1000, 0}, {2000, 0}};
  struct stat file {};
  return ::utimensat(AT_FDCWD, "timed", times, 0) == 0 && ::stat("timed", &file) == 0 &&
         file.st_mtime == 2000;
}
bool set_length() {
  make("long", "12345678");
  return ::truncate("long", 4) == 0 && is("long", "1234");
}
bool truncate_handle() {
  make("longer", "12345678");
  const int fd = ::open("longer", O_WRONLY);
  return ::ftruncate(fd, 2) == 0 && is("longer", "12");
}
bool remove_file() { return make("gone") && ::unlink("gone") == 0 && ::access("gone", F_OK) != 0; }
bool make_folders() {
  return ::mkdir("a", 0755) == 0 && ::mkdir("a/b", 0755) == 0 && make("a/b/c") && runs("rm -r a") &&
         ::access("a", F_OK) != 0;
}
bool rename_file() {
  return make("from") && make("to", "old") && ::rename("from", "to") == 0 && is("to", "text");
}
bool rename_folder() {
  return ::mkdir("folder", 0755) == 0 && make("folder/x") && ::rename("folder", "renamed") == 0 &&
         is("renamed/x", "text");
}
bool exchange_files() {
  return make("left", "l") && make("right", "r") &&
         ::syscall(SYS_renameat2, AT_FDCWD, "left", AT_FDCWD, "right", 2) == 0 && is("left", "r");
}
bool move_from_temporary() {
  const std::string there = told("TMPDIR") + "/moving";
  return make(there.c_str()) && (::rename(there.c_str(), "arrived") == 0 || errno == EXDEV);
}
bool hard_link() { return make("first") && ::link("first", "second") == 0 && is("second", "text"); }
bool symbolic_link() {
  return make("target") && ::symlink("target", "link") == 0 && is("link", "text") &&
         make("link", "through") && is("target", "through");
}
bool fifo() {
  if (::mkfifo("fifo", 0644) != 0) return false;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(make("fifo", "piped") ? 0 : 1);
  return is("fifo", "piped") && ends_well(child);
}
bool lock_file() {
  const int fd = ::open("lock", O_CREAT | O_RDWR, 0644);
  return ::flock(fd, LOCK_EX) == 0 && ::lockf(fd, F_LOCK, 0) == 0;
}
bool watch_file() {
  const int watcher = ::inotify_init1(0);
  char event[256];
  return make("watched") && ::inotify_add_watch(watcher, "watched", IN_MODIFY) >= 0 &&
         make("watched", "again") && ::read(watcher, event, sizeof event) > 0;
}
bool temporary_file() {
  std::string name = told("TMPDIR") + "/XXXXXX";
  return ::mkstemp(name.data()) >= 0 && ::unlink(name.c_str()) == 0;
}
bool many_writers() {
  std::atomic<int> good = 0;
  const auto write_some = [&](int who) {
    for (int i = 0; i < 50; ++i) {
      const std::string name = "w" + std::to_string(who) + "-" + std::to_string(i);
      if (make(name.c_str()) && ::rename(name.c_str(), "shared-target") == 0) ++good;
    }
  };
  std::thread other([&] { write_some(1); });
  write_some(2);
  other.join();
  return good == 100;
}
bool shared_lock_file() {  // both may make it, neither may fail
  std::atomic<int> good = 0;
  const auto take = [&] {
    for (int i = 0; i < 50; ++i) {
      const std::string name = "both" + std::to_string(i);
      const int fd = ::open(name.c_str(), O_CREAT | O_RDWR, 0644);
      if (fd >= 0) ++good;
      ::close(fd);
    }
  };
  std::thread other(take);
  take();
  other.join();
  return good == 100;
}
bool make_with_slash() {
  return ::mkdir("slashed//", 0755) == 0 && ::rename("slashed/", "unslashed/") == 0 &&
         ::symlink("x", "slashed/") != 0 && errno == ENOENT;
}
bool make_at_handle() {
  ::mkdir("at", 0755);
  const int folder = ::open("at", O_PATH | O_DIRECTORY);
  return ::mkdirat(folder, "in", 0755) == 0 &&
         ::openat(folder, "in/file", O_CREAT | O_EXCL | O_WRONLY, 0644) >= 0 &&
         ::renameat(folder, "in/file", folder, "out") == 0 && ::access("at/out", F_OK) == 0;
}
bool make_in_descriptor() {
  ::mkdir("within", 0755);
  const int folder = ::open("within", O_PATH | O_DIRECTORY);
  const std::string name = "/proc/self/fd/" + std::to_string(folder) + "/made";
  return make(name.c_str()) && is("within/made", "text");
}
bool make_through_link() {
  return ::symlink("not-there-yet", "to-nothing") == 0 && make("to-nothing") &&
         is("not-there-yet", "text") &&
         ::open("to-nothing", O_CREAT | O_EXCL | O_WRONLY, 0644) < 0 && errno == EEXIST;
}
// As programs with keys in their memory do.
bool make_unseen() {
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_DUMPABLE, 0);
    ::_exit(::mkdir((told("TMPDIR") + "/unseen").c_str(), 0700) == 0 ? 0 : 1);
  }
  return ends_well(child);
}
// A call must not be made twice because a signal came in between.
bool make_amid_signals() {
  ::signal(SIGALRM, [](int) {});
  const itimerval often{{0, 150}, {0, 150}};
  ::setitimer(ITIMER_REAL, &often, nullptr);
  int good = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string name = "amid" + std::to_string(i);
    good += ::mkdir(name.c_str(), 0755) == 0 && ::rmdir(name.c_str()) == 0 ? 1 : 0;
  }
  const itimerval never{};
  ::setitimer(ITIMER_REAL, &never, nullptr);
  return good == 200;
}
bool wait_no_longer() {  // than until the alarm, for a pipe that nobody reads
  struct sigaction action {};
  action.sa_handler = [](int) {};
  ::sigaction(SIGALRM, &action, nullptr);
  ::mkfifo("unread", 0644);
  const itimerval soon{{0, 0}, {0, 50'000}};
  ::setitimer(ITIMER_REAL, &soon, nullptr);
  return ::open("unread", O_CREAT | O_WRONLY, 0644) < 0 && errno == EINTR;
}
bool write_kernel_streams() {
  return runs("echo x > /dev/null && echo x >> /dev/null && : 2> /dev/stderr") &&
         (::open("/proc/self/status", O_RDONLY) < 0 ||  // which Landlock boxes do not have
          runs("echo 300 > /proc/self/oom_score_adj"));
}
bool errors_are_the_same() {
  const auto fails = [](const char* path, int flags, int error) {
    return ::open(path, flags | O_CREAT, 0644) < 0 && errno == error;
  };
  const std::string long_name(300, 'x');
  make("a-file");
  return fails(".", O_WRONLY, EISDIR) && fails("no/where", O_WRONLY, ENOENT) &&
         fails("a-file/x", O_WRONLY, ENOTDIR) && fails("a-file", O_WRONLY | O_EXCL, EEXIST) &&
         fails(long_name.c_str(), O_WRONLY, ENAMETOOLONG) && ::mkdir(".", 0755) != 0 &&
         errno == EEXIST && ::mkdir("a-file", 0755) != 0 && errno == EEXIST &&
         ::mkdir("", 0755) != 0 && errno == ENOENT && ::rename("absent", "b-file") != 0 &&
         errno == ENOENT && ::link("absent", "b-file") != 0 && errno == ENOENT &&
         ::mkdir(nullptr, 0755) != 0 && errno == EFAULT;
}
bool no_name() {  // is never the folder itself
  return ::chmod("", 0) != 0 && errno == ENOENT && ::open("", O_WRONLY) < 0 && errno == ENOENT;
}
bool read_git() { return is(".git/config", "[core]\n"); }
bool read_ci() { return is(".github/workflows/ci.yml", "on: push\n"); }
bool list_ci() { return runs("ls .github/workflows > /dev/null"); }
// Names that only look like those of CI configuration and hooks, or lie elsewhere than at the root.
bool named_like_ci() {
  ::mkdir("github", 0755);
  ::mkdir("template", 0755);
  return make("github/ci.yml") && make(".githubx") && make("travis.yml") &&
         ::mkdir("template/.github", 0755) == 0 && make("template/.github/ci.yml") &&
         make("template/.gitlab-ci.yml") && make("template/Jenkinsfile");
}
bool rename_like_ci() { return make("plan.yml") && ::rename("plan.yml", "circleci.yml") == 0; }
bool link_like_ci() { return make("hooks.yaml") && ::link("hooks.yaml", "pre-commit.yaml") == 0; }
bool list_git() {
  DIR* folder = ::opendir(".git");
  return folder != nullptr && ::readdir(folder) != nullptr;
}
bool git_repository() {
  return runs(
      "git init -q repo && cd repo && git config user.email a@b.c && git config user.name n "
      "&& echo 1 > f && git add f && git commit -qm one && git checkout -qb two");
}
bool compile() { return runs("echo 'int main() { return 0; }' > m.c && cc m.c -o m && ./m"); }
bool test_in_python() {
  return runs(
      "python3 -c 'import unittest, tempfile, subprocess, ssl, sqlite3, ctypes\n"
      "assert subprocess.run([\"true\"]).returncode == 0\n"
      "with tempfile.TemporaryDirectory() as d: open(d + \"/x\", \"w\").write(\"1\")\n"
      "c = sqlite3.connect(\"d.sqlite\"); c.execute(\"create table t(x)\"); c.commit()'");
}
bool build_in_parallel() {
  return make("Makefile", "all: ma mb\nma mb:\n\techo $@ > $@\n") &&
         runs("make -sj2 && cat ma mb >/dev/null");
}
bool unpack() {
  return runs(
      "mkdir -p pack/in && echo x > pack/in/f && tar cf p.tar pack && mkdir out && "
      "tar xf p.tar -C out && cmp out/pack/in/f pack/in/f && cp -a pack copy && "
      "sed -i s/x/y/ copy/in/f && grep -q y copy/in/f && rm -rf pack out copy");
}

constexpr Probe kWork[] = {
    PROBE(tcp_loopback),
    PROBE(udp_loopback),
    PROBE(tcp6_loopback),
    PROBE(udp6_loopback),
    PROBE(list_interfaces),
    PROBE(look_up_localhost),
    PROBE(socket_pair),
    PROBE(message_pair),
    PROBE(socket_in_tree),
    PROBE(socket_not_waiting),
    PROBE(socket_in_temporary),
    PROBE(pass_descriptor),
    PROBE(run_child),
    PROBE(kill_child),
    PROBE(kill_group),
    PROBE(kill_by_handle),
    PROBE(raise_signal),
    PROBE(signal_thread),
    PROBE(alarm_rings),
    PROBE(core_limit),
    PROBE(be_nice),
    PROBE(pin_thread),
    PROBE(threads),
    PROBE(own_name),
    PROBE(who_am_i),
    PROBE(own_group),
    PROBE(run_program),
    PROBE(shell_jobs),
    PROBE(map_file),
    PROBE(memory_file),
    PROBE(executable_memory),
    PROBE(clock_and_random),
    PROBE(count_processors),
    PROBE(memory_information),
    PROBE(write_null),
    PROBE(window_size),
    PROBE(read_kernel_version),
    PROBE(create_file),
    PROBE(create_exclusive),
    PROBE(mask_counts),
    PROBE(append_file),
    PROBE(unnamed_file),
    PROBE(write_stream_by_name),
    PROBE(executable_file),
    PROBE(chmod_handle),
    PROBE(own_file_again),
    PROBE(set_times),
    PROBE(set_length),
    PROBE(truncate_handle),
    PROBE(remove_file),
    PROBE(make_folders),
    PROBE(rename_file),
    PROBE(rename_folder),
    PROBE(exchange_files),
    PROBE(move_from_temporary),
    PROBE(hard_link),
    PROBE(symbolic_link),
    PROBE(fifo),
    PROBE(lock_file),
    PROBE(watch_file),
    PROBE(temporary_file),
    PROBE(many_writers),
    PROBE(shared_lock_file),
    PROBE(make_with_slash),
    PROBE(make_at_handle),
    PROBE(make_in_descriptor),
    PROBE(make_through_link),
    PROBE(make_unseen),
    PROBE(make_amid_signals),
    PROBE(wait_no_longer),
    PROBE(write_kernel_streams),
    PROBE(errors_are_the_same),
    PROBE(no_name),
    PROBE(read_git),
    PROBE(list_git),
    PROBE(read_ci),
    PROBE(list_ci),
    PROBE(named_like_ci),
    PROBE(rename_like_ci),
    PROBE(link_like_ci),
    PROBE(git_repository),
    PROBE(compile),
    PROBE(test_in_python),
    PROBE(build_in_parallel),
    PROBE(unpack),
};

}  // namespace

std::span<const Probe> ordinary_work() { return kWork; }
