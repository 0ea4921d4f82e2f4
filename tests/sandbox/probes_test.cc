// Each abuse must be denied in the box; each twin is ordinary work and must pass in it.

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "sandbox/descriptor.h"
#include "sandbox/sandbox.h"
#include "tests/catch.h"
#include "tests/sandbox/work_dir.h"

using namespace dsv4::sandbox;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

Result shell(const Sandbox& box, const std::string& script) {
  return box.run(Command{{"bash", "-c", script}, ".", {}, {}});
}

void write_file(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

std::string read_file(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

void add_probe(const WorkDir& work) {
  fs::copy_file(DSV4_PROBE_PROGRAM, work.path() / "probe");
  write_file(work.path() / ".git/config", "[core]\n");
}

// A server on the loopback of this machine, outside any box.
class HostServer {
 public:
  HostServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    REQUIRE(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&at), size) == 0);
    REQUIRE(::listen(socket_.get(), 4) == 0);
    REQUIRE(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&at), &size) == 0);
    port_ = ntohs(at.sin_port);
  }
  std::string port() const { return std::to_string(port_); }

 private:
  Descriptor socket_;
  int port_ = 0;
};

}  // namespace

TEST_CASE("every attempt to reach out of the box is denied") {
  const WorkDir work;
  add_probe(work);
  const Sandbox box(task_policy(work.path()));
  const char* name = GENERATE(
      "network_out", "raw_socket", "raw6_socket", "packet_socket", "vsock", "crypto_socket",
      "netlink_audit", "netlink_generic", "trace_child", "trace_me", "read_child_memory",
      "init_memory", "init_environment", "init_root", "init_descriptors", "steal_descriptor",
      "mount_tmpfs", "remount_writable", "unmount_git", "new_mount_call", "clone_mount",
      "change_root", "pivot", "unshare_user", "unshare_mounts", "clone_user", "clone3_user",
      "join_namespace", "set_hostname", "key_session", "key_add", "uring", "fault_handler",
      "kernel_program", "perf_events", "load_module", "kernel_log", "secret_memory", "file_handle",
      "become_root", "change_groups", "run_setuid_program", "setuid_chmod", "setgid_fchmod",
      "setuid_create", "setuid_node", "setuid_chmod2", "device_node", "dev_kmsg", "dev_mem",
      "proc_kcore", "proc_kmsg", "proc_keys", "core_pattern", "sysrq", "type_into_terminal",
      "type_with_high_bits", "kill_init", "write_path /usr/x", "write_path /etc/x", "write_path /x",
      "write_path /dev/x", "write_path /proc/sys/vm/drop_caches", "write_path /work/.git/config",
      "write_path /work/.git/hooks-x", "read_path /root", "read_path /home",
      "read_path /etc/shadow", "read_path /run", "read_path /sys", "read_path /etc/resolv.conf",
      "read_path /etc/ssh", "read_path /var/lib");
  CAPTURE(name);
  const Result result = shell(box, std::string("./probe ") + name);
  CAPTURE(result.output);
  CHECK(describe(result) == "exit status 0");
}

// Without this, a probe that is broken would look like a box that holds.
TEST_CASE("the probes do work where nothing denies them") {
  const WorkDir work;
  add_probe(work);
  Policy policy = task_policy(work.path());
  policy.enforce = false;
  const HostServer server;
  const char* name =
      GENERATE("trace_child", "trace_me", "read_child_memory", "setuid_chmod", "setgid_fchmod",
               "setuid_create", "setuid_node", "write_path .git/config", "read_path /etc",
               "host_loopback", "fork_bomb 8", "thread_bomb 8", "big_file");
  CAPTURE(name);
  const std::string more = std::string(name) == "host_loopback" ? " " + server.port() : "";
  const Result result = shell(Sandbox(policy), std::string("./probe ") + name + more);
  CAPTURE(result.output);
  CHECK(describe(result) == "exit status 1");
}

TEST_CASE("the host's own loopback cannot be reached from the box") {
  const WorkDir work;
  add_probe(work);
  const HostServer server;
  CHECK(shell(Sandbox(task_policy(work.path())), "./probe host_loopback " + server.port()).ok());
}

TEST_CASE("nothing of ours is inherited: descriptors, variables, input") {
  const WorkDir work;
  ::setenv("DSV4_TEST_SECRET", "do-not-tell", 1);
  const int leaked = ::open("/etc/passwd", O_RDONLY);  // not close-on-exec, as a library might
  const bool enforce = GENERATE(true, false);
  Policy policy = task_policy(work.path());
  policy.enforce = enforce;
  const Sandbox box(policy);
  CHECK(shell(box, "ls /proc/self/fd | tr '\\n' ' '").output == "0 1 2 3 ");  // 3: ls's own
  CHECK(shell(box, "env").output.find("do-not-tell") == std::string::npos);
  if (enforce) CHECK_FALSE(shell(box, "grep -q do-not-tell /proc/*/environ").ok());
  CHECK(shell(box, "cat | wc -c").output == "0\n");
  ::unsetenv("DSV4_TEST_SECRET");
  ::close(leaked);
}

TEST_CASE("links in the working copy lead nowhere outside") {
  const WorkDir outside;
  const WorkDir work;
  write_file(outside.path() / "secret", "keep");
  const Sandbox box(task_policy(work.path()));
  const std::string secret = (outside.path() / "secret").string();
  CHECK_FALSE(shell(box, "ln -s " + secret + " link && cat link").ok());
  CHECK_FALSE(shell(box, "echo lost > link").ok());
  CHECK(read_file(secret) == "keep");
  CHECK_FALSE(shell(box, "ln -s " + outside.path().string() + " folder && touch folder/x").ok());
  CHECK_FALSE(fs::exists(outside.path() / "x"));
  CHECK_FALSE(shell(box, "ln /usr/bin/env env").ok());
  CHECK_FALSE(shell(box, "ls /proc/1/cwd/ /proc/1/root/").ok());
}

TEST_CASE("protected paths stay as they were, whatever is done around them") {
  const WorkDir work;
  write_file(work.path() / ".git/config", "[core]\n");
  write_file(work.path() / ".github/workflows/ci.yml", "on: push\n");
  Policy policy = task_policy(work.path());
  policy.read_only = {".git", ".github/workflows", "absent/hooks"};
  const Sandbox box(policy);
  const char* script =
      GENERATE("echo x >> .git/config", "rm -rf .git", "mv .git away", "ln .git/config away",
               "mv .github away", "mv .github/workflows away", "chmod -R 777 .git",
               "rm -rf .github", "ln -sfn /tmp .git", "touch .git",
               "touch absent/hooks/post-commit", "mv absent away", "rmdir absent/hooks",
               "echo x | tee .github/workflows/ci.yml", "mkdir w && mv .github/workflows w");
  CAPTURE(script);
  CHECK_FALSE(shell(box, script).ok());
  CHECK(read_file(work.path() / ".git/config") == "[core]\n");
  CHECK(read_file(work.path() / ".github/workflows/ci.yml") == "on: push\n");
  CHECK(fs::is_empty(work.path() / "absent/hooks"));
}

TEST_CASE("a protected path that is a link is refused, not followed") {
  const WorkDir work;
  fs::remove(work.path() / ".git");
  fs::create_directory_symlink("/root", work.path() / ".git");
  REQUIRE_THROWS_WITH(Sandbox(task_policy(work.path())),
                      "The sandbox cannot protect '.git' in the working copy: it is a symbolic "
                      "link, or lies behind one.");
}

TEST_CASE("bombs, balloons and floods end within their limits") {
  struct Abuse {
    const char* script;
    const char* ends;
  };
  const Abuse abuse = GENERATE(values<Abuse>({
      {"./probe balloon", "killed: it used more memory than it may"},
      {"./probe shared_balloon", "killed: it used more memory than it may"},
      {"./probe fill_disk", "killed: it wrote more to disk than it may"},
      {"./probe big_file", "killed by signal SIGXFSZ"},
      {"head -c 200M /dev/zero > /tmp/full", "exit status 1"},
      {"head -c 400M /dev/zero > /dev/shm/full", "exit status 1"},
  }));
  CAPTURE(abuse.script);
  const WorkDir work;
  add_probe(work);
  Policy policy = task_policy(work.path());
  policy.limits.memory_bytes = 512 << 20;
  policy.limits.disk_bytes = 128 << 20;
  policy.limits.temporary_bytes = 64 << 20;
  policy.limits.file_bytes = 48 << 20;
  policy.limits.wall_time = 60s;
  const bool in_memory = abuse.script[0] == 'h';
  if (in_memory) policy.limits.file_bytes = 1ull << 30;
  const Result result = shell(Sandbox(policy), std::string("exec ") + abuse.script);
  CAPTURE(result.output);
  CHECK(describe(result) == abuse.ends);
}

TEST_CASE("no more processes or threads than allowed are ever alive") {
  if (::geteuid() == 0) {
    // The kernel does not count root's processes: the supervisor samples them, so a short burst
    // may pass the limit before it is ended, and there is no exact bound to check.
    WARN("skipped: run as an ordinary user to check the exact limit");
    return;
  }
  const WorkDir work;
  add_probe(work);
  Policy policy = task_policy(work.path());
  policy.limits.processes = 100;
  const char* bomb = GENERATE("fork_bomb", "thread_bomb");
  CAPTURE(bomb);
  const Result result = shell(Sandbox(policy), std::string("./probe ") + bomb + " 100");
  CAPTURE(result.output);
  CHECK((result.ok() || result.end == End::kTooManyProcesses));
}

TEST_CASE("a flood of output neither stalls nor fills memory") {
  const WorkDir work;
  Policy policy = task_policy(work.path());
  policy.limits.kept_output_bytes = 4096;
  uint64_t seen = 0;
  const Result result =
      Sandbox(policy).run({{"bash", "-c", "echo first; head -c 256M /dev/zero; echo last"},
                           ".",
                           [&](std::string_view bytes) { seen += bytes.size(); },
                           {}});
  CHECK(result.ok());
  CHECK(result.output_cut);
  CHECK(result.output_bytes == (256ull << 20) + 11);
  CHECK(seen == result.output_bytes);
  CHECK(result.output.size() < 4200);
  CHECK(result.output.substr(0, 6) == "first\n");
  CHECK(result.output.substr(result.output.size() - 5) == "last\n");
  CHECK(result.output.find(" bytes cut ...]") != std::string::npos);
}

TEST_CASE("ordinary work passes in the box") {
  const WorkDir work;
  write_file(work.path() / "test_it.py",
             "import unittest\n"
             "class T(unittest.TestCase):\n"
             "  def test_one(self): self.assertEqual(1 + 1, 2)\n"
             "unittest.main()\n");
  write_file(work.path() / "hello.cc",
             "#include <iostream>\n#include <thread>\n"
             "int main() { std::thread t([] { std::cout << \"hello\\n\"; }); t.join(); }\n");
  write_file(work.path() / "Makefile", "all: a b\na b:\n\techo $@ > $@\n");
  write_file(work.path() / "serve.py",
             "import socket, threading\n"
             "for host, family in (('127.0.0.1', socket.AF_INET), ('::1', socket.AF_INET6)):\n"
             "  s = socket.create_server((host, 0), family=family)\n"
             "  threading.Thread(target=lambda: s.accept()[0].sendall(b'hi')).start()\n"
             "  assert socket.create_connection(s.getsockname()[:2]).recv(9) == b'hi'\n"
             "assert socket.gethostbyname('localhost') == '127.0.0.1'\n");
  write_file(work.path() / "pool.py",
             "import multiprocessing, os, pty, getpass\n"
             "if __name__ == '__main__':\n"
             "  with multiprocessing.Pool(2) as pool:\n"
             "    assert pool.map(abs, range(-4, 0)) == [4, 3, 2, 1]\n"
             "  assert pty.spawn(['true']) == 0\n"
             "  assert getpass.getuser() == 'agent'\n");
  const Sandbox box(task_policy(work.path()));
  const char* script = GENERATE(
      "python3 test_it.py", "g++ -O1 -pthread hello.cc -o hello && test $(./hello) = hello",
      "make -j2 && cat a b", "python3 serve.py", "python3 pool.py </dev/null",
      "seq 100000 | sort -rn | head -1 | grep -q 100000", "head -c 200M /dev/zero > big",
      "sleep 100 & kill %1; wait; true", "mkdir -p d/e && touch d/e/f && chmod 750 d/e/f && mv d g",
      "ln -s test_it.py link && cat link >/dev/null && ln test_it.py hard",
      "t=$(mktemp) && echo x > $t && rm $t", "cat .git/config && ls -la .git",
      "python3 -c 'import ssl, sqlite3, ctypes, asyncio; asyncio.run(asyncio.sleep(0))'",
      "mkfifo p && (echo x > p & read y < p)", "perl -e 'print getpwuid($<)' | grep -q agent",
      "test $(id -u) = 1000 && test $(hostname) = sandbox",
      "for i in $(seq 50); do /bin/true; done", "git config --file x.cfg a.b c",
      "ulimit -c | grep -qx 0", "test \"$(nproc)\" -ge 1");
  write_file(work.path() / ".git/config", "[core]\n");
  CAPTURE(script);
  const Result result = shell(box, script);
  CAPTURE(result.output);
  CHECK(describe(result) == "exit status 0");
}
