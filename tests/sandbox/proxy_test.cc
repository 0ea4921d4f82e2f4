// Reaching allowed servers, and only those.

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mutex>
#include <thread>

#include "sandbox/sandbox.h"
#include "tests/catch.h"
#include "tests/sandbox/boxes.h"
#include "tests/sandbox/work_dir.h"

using namespace dsv4::sandbox;

namespace {

// A server outside of any box that answers every request with "hello from outside".
class Server {
 public:
  Server() {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    sockaddr* name = reinterpret_cast<sockaddr*>(&at);
    REQUIRE(::bind(socket_.get(), name, size) == 0);
    REQUIRE(::listen(socket_.get(), 8) == 0);
    REQUIRE(::getsockname(socket_.get(), name, &size) == 0);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Server() {
    ::shutdown(socket_.get(), SHUT_RDWR);
    thread_.join();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  uint16_t port() const { return port_; }

 private:
  void serve() {
    for (;;) {
      const Descriptor client(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client) return;
      char seen[4096];
      if (::recv(client.get(), seen, sizeof seen, 0) <= 0) continue;
      const std::string_view answer =
          "HTTP/1.1 200 OK\r\nContent-Length: 18\r\nConnection: close\r\n\r\nhello from outside";
      ::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }
  Descriptor socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  uint16_t port_ = 0;
  std::thread thread_;
};

// Asks the proxy that the environment names for ARGV[1]:ARGV[2], once plainly and once through a
// tunnel, and prints what comes back; then tries without it.
constexpr const char* kAsk = R"(
import http.client, os, socket, sys
proxy = os.environ['https_proxy'].removeprefix('http://').split(':')
host, port = sys.argv[1], int(sys.argv[2])
c = http.client.HTTPConnection(proxy[0], int(proxy[1]))
c.request('GET', f'http://{host}:{port}/x')
r = c.getresponse()
print(r.status, r.read().decode().strip())
c = http.client.HTTPConnection(proxy[0], int(proxy[1]))
c.set_tunnel(host, port)
try:
  c.request('GET', '/x')
  print(c.getresponse().read().decode())
except OSError as error:
  print(error)
print(socket.socket().connect_ex((host, port)) != 0)
)";

std::vector<BoxKind> networked_kinds(const Policy& policy) {
  std::vector<BoxKind> kinds;
  for (const BoxKind& kind : box_kinds()) {
    if (kind.landlock.own_network && kind.make(policy).own_network()) kinds.push_back(kind);
  }
  return kinds;
}

}  // namespace

TEST_CASE("commands reach allowed servers through the proxy, no others, and it is logged") {
  const WorkDir work;
  const Server server;
  const std::string port = std::to_string(server.port());
  for (const BoxKind& kind : networked_kinds(task_policy(work.path()))) {
    CAPTURE(kind);
    std::mutex mutex;
    std::vector<std::string> log;
    Policy policy = task_policy(work.path());
    policy.network = parse_allowed_hosts("127.0.0.1:" + port + ",localhost:" + port);
    policy.on_network = [&](const std::string& line) {
      const std::lock_guard<std::mutex> lock(mutex);
      log.push_back(line);
    };
    const Sandbox box = kind.make(policy);
    const auto ask = [&](const std::string& host, const std::string& at) {
      log.clear();
      return box.run({{"python3", "-c", kAsk, host, at}, ".", {}, {}}).output;
    };
    CHECK(ask("127.0.0.1", port) == "200 hello from outside\nhello from outside\nTrue\n");
    CHECK(log == std::vector<std::string>(2, "allowed 127.0.0.1:" + port));
    const std::string refused = ask("127.0.0.1", "9");
    CHECK(refused.rfind("403 the sandbox does not allow 127.0.0.1:9\n", 0) == 0);
    CHECK(log == std::vector<std::string>(2, "refused 127.0.0.1:9"));
    // An allowed name must not turn out to mean this machine.
    const std::string inward = ask("localhost", port);
    CHECK(inward.rfind("502 ", 0) == 0);
    CHECK(inward.find("hello") == std::string::npos);
  }
}

TEST_CASE("hosts are not allowed where that cannot be held to") {
  const WorkDir work;
  Policy policy = task_policy(work.path());
  policy.network = parse_allowed_hosts("example.com:443");
  REQUIRE_THROWS_AS(box_kinds().back().make(policy), SetupError);  // no network of its own
  policy.enforce = false;
  REQUIRE_THROWS_AS(Sandbox(policy), SetupError);
}

TEST_CASE("allowed hosts are names with ports") {
  const auto hosts = parse_allowed_hosts("PyPI.org:443,[::1]:80");
  CHECK(is_allowed(hosts, "pypi.ORG.", 443));
  CHECK(is_allowed(hosts, "::1", 80));
  CHECK(shown(parse_allowed_hosts(shown(hosts))) == "pypi.org:443,::1:80");
  CHECK_FALSE(is_allowed(hosts, "pypi.org", 80));
  CHECK_FALSE(is_allowed(hosts, "files.pypi.org", 443));
  for (const char* bad : {"", "pypi.org", "pypi.org:", "pypi.org:0", "pypi.org:70000", ":443",
                          "*.org:443", "a b:1", "a:1x", "http://a:80", "a:1,,b:2"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse_allowed_hosts(bad), std::invalid_argument);
  }
}
