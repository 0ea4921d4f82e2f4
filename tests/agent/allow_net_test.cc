// --allow-net from the command line to a real server, in both kinds of box.

#include "agent/box_options.h"
#include "agent/hook.h"
#include "tests/agent/toy.h"
#include "tests/catch.h"
#include "tests/sandbox/web_server.h"

using namespace dsv4::agent;
using dsv4::sandbox::BackendKind;
namespace llm = dsv4::llm;
using nlohmann::ordered_json;

namespace {

const llm::Reply kRepair = calls(
    {{"write", {{"path", "calc.py"}, {"content", Toy::kFixed}}}, {"test", ordered_json::object()}});
const llm::Reply kFinish = calls({{"finish", {{"summary", "done"}}}});

// Reads from the first address, through the proxy that the environment names, and is refused by the
// proxy at the second.
constexpr const char* kFetch = R"(
import sys, urllib.error, urllib.request
allowed, other = (f'http://{place}/' for place in sys.argv[1:])
assert urllib.request.urlopen(allowed, timeout=60).read() == b'hello from outside'
try:
    urllib.request.urlopen(other, timeout=60)
    sys.exit('reached ' + other)
except urllib.error.HTTPError as error:
    assert error.code == 403, error
)";

// On an address that no_proxy does not name.
struct Servers {
  WebServer allowed{"127.0.0.2"};
  WebServer other{"127.0.0.2"};
  static std::string place(const WebServer& server) {
    return "127.0.0.2:" + std::to_string(server.port());
  }
  std::string fetch() const { return "python3 fetch.py " + place(allowed) + " " + place(other); }
};

}  // namespace

TEST_CASE("tests, commands and hooks of a run reach the allowed server and no other") {
  const Servers servers;
  Toy toy;
  toy.scratch.write("repo/fetch.py", kFetch);
  toy.options.test = servers.fetch() + " && python3 test_calc.py";
  toy.options.box = GENERATE(BackendKind::kBubblewrap, BackendKind::kLandlock);
  toy.options.allow_net = dsv4::sandbox::parse_allowed_hosts(Servers::place(servers.allowed));
  Hook hook;
  hook.on = Hook::On::kBeforeTool;
  hook.tools = {"bash"};
  hook.command = servers.fetch() + " && touch hook-was-here";
  toy.options.hooks = {hook};
  const llm::Reply bash = calls({{"bash", {{"command", servers.fetch() + " && ls hook*"}}}});
  const FixReport report = toy.fix({{bash, kRepair, kFinish}});
  INFO(report.error);
  REQUIRE(report.status == FixStatus::kPassed);
  std::string told;
  for (const llm::RecordedSegment& segment : toy.segments) told += segment.text;
  REQUIRE(told.find("hook-was-here\n(exit status 0)") != std::string::npos);
  const std::string log = toy.scratch.read("run/network.log");
  REQUIRE(log.find("allowed " + Servers::place(servers.allowed)) != std::string::npos);
  REQUIRE(log.find("refused " + Servers::place(servers.other)) != std::string::npos);
  REQUIRE(servers.allowed.requests() >= 4);
  REQUIRE(servers.other.requests() == 0);
}

TEST_CASE("without --allow-net nothing is reached") {
  const Servers servers;
  Toy toy;
  toy.scratch.write("repo/fetch.py", kFetch);
  toy.options.box = GENERATE(BackendKind::kBubblewrap, BackendKind::kLandlock);
  const llm::Reply bash = calls({{"bash", {{"command", servers.fetch()}}}});
  REQUIRE(toy.fix({{bash, kRepair, kFinish}}).status == FixStatus::kPassed);
  REQUIRE(servers.allowed.requests() == 0);
}

TEST_CASE("a model that asks for a terminal where no box has one is told so") {
  Toy toy;
  toy.options.box = BackendKind::kLandlock;
  const llm::Reply bash = calls({{"bash", {{"command", "tty"}, {"terminal", true}}}});
  REQUIRE(toy.fix({{bash, kRepair, kFinish}}).status == FixStatus::kPassed);
  std::string told;
  for (const llm::RecordedSegment& segment : toy.segments) told += segment.text;
  REQUIRE(told.find("has no terminals") != std::string::npos);
}

TEST_CASE("what was typed for the sandbox now comes before what a run was begun with") {
  BoxOptions saved;
  saved.box = BackendKind::kLandlock;
  saved.allow_net = dsv4::sandbox::parse_allowed_hosts("a.org:1");
  saved.sandboxed = false;  // has to be typed each time
  BoxOptions same = BoxFlags{}.over(saved);
  REQUIRE(same.sandboxed);
  REQUIRE(same.box == BackendKind::kLandlock);
  REQUIRE(shown(same.allow_net) == "a.org:1");
  REQUIRE_FALSE(same.allow_ci_changes);
  BoxFlags typed;
  typed.box = BackendKind::kBubblewrap;
  typed.allow_net = dsv4::sandbox::parse_allowed_hosts("b.org:2");
  typed.allow_ci_changes = true;
  const BoxOptions other = box_options_from(box_json(typed.over(saved)));
  REQUIRE(other.box == BackendKind::kBubblewrap);
  REQUIRE(shown(other.allow_net) == "b.org:2");
  REQUIRE(other.allow_ci_changes);
  REQUIRE(words_of(typed) == std::vector<std::string>{"--sandbox", "bubblewrap", "--allow-net",
                                                      "b.org:2", "--allow-ci-changes"});
  BoxFlags bare;
  bare.no_sandbox = true;
  REQUIRE(bare.over(saved).allow_net.empty());
  REQUIRE_FALSE(bare.over(saved).sandboxed);
}
