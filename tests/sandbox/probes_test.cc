// Each attempt must be denied in every kind of box, for the reason that is expected; each twin is
// ordinary work and must pass. tests/probes/ has both.

#include <map>
#include <sstream>

#include "sandbox/sandbox.h"
#include "tests/catch.h"
#include "tests/sandbox/boxes.h"
#include "tests/sandbox/outside.h"
#include "tests/sandbox/probe_table.h"
#include "tests/sandbox/work_dir.h"

using namespace dsv4::sandbox;
namespace fs = std::filesystem;

namespace {

void add_probes(const WorkDir& work) {
  fs::copy_file(DSV4_PROBE_PROGRAM, work.path() / "probe");
  write_file(work.path() / ".git/config", "[core]\n");
  fs::create_directory(work.path() / ".git/empty");
  write_file(work.path() / ".github/workflows/ci.yml", "on: push\n");
  write_file(work.path() / ".githooks/pre-push", "#!/bin/sh\n");
}

using Said = std::map<std::string, std::string>;

// What the probe program says of each probe: NAME RESULT.
Said results(const Sandbox& box, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "./probe");
  const Result result = box.run(Command{std::move(arguments), ".", {}, {}});
  CAPTURE(result.output);
  REQUIRE(describe(result) == "exit status 0");
  Said all;
  std::istringstream lines(result.output);
  for (std::string name, said; lines >> name && std::getline(lines >> std::ws, said);) {
    all[name] = said;
  }
  return all;
}

// `expected` may be several, as "EACCES|ENOENT".
bool is_one_of(const std::string& said, std::string_view expected) {
  return ("|" + std::string(expected) + "|").find("|" + said + "|") != std::string::npos;
}

}  // namespace

TEST_CASE("every attempt is denied for its own reason, and nothing outside is touched") {
  const WorkDir work;
  add_probes(work);
  const Outside outside;
  const BoxKind kind = GENERATE(from_range(box_kinds()));
  Policy policy = guarding_git(work.path());
  outside.tell(policy);
  const Sandbox box = kind.make(policy);
  const size_t which = kind.is_bubblewrap() ? 0 : box.own_network() ? 1 : 2;
  const Said said = results(box, {"attempts"});
  for (const ProbeRow& row : kProbeTable) {
    REQUIRE(said.count(row.attempt) == 1);
    CAPTURE(kind, row.attempt, said.at(row.attempt), row.reasons[which]);
    CHECK(is_one_of(said.at(row.attempt), row.reasons[which]));
  }
  CHECK(said.size() == std::size(kProbeTable));
  CHECK(outside.untouched());
  CHECK(read_file(work.path() / ".git/config") == "[core]\n");
  CHECK(std::distance(fs::directory_iterator(work.path() / ".git"), {}) == 2);
  CHECK(read_file(work.path() / ".github/workflows/ci.yml") == "on: push\n");
  CHECK(std::distance(fs::directory_iterator(work.path() / ".github/workflows"), {}) == 1);
  CHECK(std::distance(fs::directory_iterator(work.path() / ".githooks"), {}) == 1);
}

// Without this, a probe that is broken would look like a box that holds.
TEST_CASE("the attempts do work where nothing denies them") {
  const WorkDir work;
  add_probes(work);
  const Outside outside;
  Policy policy = guarding_git(work.path());
  policy.enforce = false;
  policy.environment.emplace_back("OUTSIDE", "1");
  outside.tell(policy);
  std::vector<std::string> names = {"attempts"};
  for (const ProbeRow& row : kProbeTable) {
    if (row.works_outside) names.emplace_back(row.attempt);
  }
  const Said said = results(Sandbox(policy), names);
  CHECK(said.size() == names.size() - 1);
  for (const auto& [name, result] : said) {
    CAPTURE(name);
    CHECK(result == "WORKED");
  }
}

TEST_CASE("ordinary work passes in every kind of box") {
  const WorkDir work;
  add_probes(work);
  const BoxKind kind = GENERATE(from_range(box_kinds()));
  const Sandbox box = kind.make(guarding_git(work.path()));
  const Said said = results(box, {"ordinary"});
  for (const auto& [name, result] : said) {
    // Where no network can be had there is none at all.
    const bool networked = name.find("loopback") != std::string::npos || name == "list_interfaces";
    CAPTURE(kind, name);
    CHECK(result == (networked && !box.own_network() ? "EACCES" : "WORKED"));
  }
  for (const ProbeRow& row : kProbeTable) {
    CAPTURE(row.attempt, row.twin);
    CHECK(said.count(row.twin) == 1);
  }
}
