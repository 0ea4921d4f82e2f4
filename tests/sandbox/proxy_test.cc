// Reaching allowed servers, and only those.

#include <mutex>

#include "sandbox/sandbox.h"
#include "tests/catch.h"
#include "tests/sandbox/boxes.h"
#include "tests/sandbox/web_server.h"
#include "tests/sandbox/work_dir.h"

using namespace dsv4::sandbox;

namespace {

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
    if (kind.machine.landlock.own_network && kind.make(policy).own_network()) kinds.push_back(kind);
  }
  return kinds;
}

}  // namespace

TEST_CASE("commands reach allowed servers through the proxy, no others, and it is logged") {
  const WorkDir work;
  const WebServer server;
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
    Result last;
    const auto ask = [&](const std::string& host, const std::string& at) {
      log.clear();
      last = box.run({{"python3", "-c", kAsk, host, at}, ".", {}, {}});
      return last.output;
    };
    CHECK(ask("127.0.0.1", port) == "200 hello from outside\nhello from outside\nTrue\n");
    CHECK(log == std::vector<std::string>(2, "allowed 127.0.0.1:" + port));
    CHECK(last.denied.empty());
    const std::string refused = ask("127.0.0.1", "9");
    CHECK(refused.rfind("403 the sandbox does not allow 127.0.0.1:9\n", 0) == 0);
    CHECK(log == std::vector<std::string>(2, "refused 127.0.0.1:9"));
    CHECK(describe_denied(last) == "The sandbox denied: reaching 127.0.0.1:9.");
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
