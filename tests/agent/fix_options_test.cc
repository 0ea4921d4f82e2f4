#include "agent/fix_options.h"

#include "agent/error.h"
#include "tests/catch.h"

using namespace dsv4::agent;
using namespace std::chrono_literals;

TEST_CASE("the options of fix are read") {
  const FixArguments all =
      parse_fix_arguments({"issue.md",     "--repo",  "dir",          "--test=make test",
                           "--model",      "m",       "--attempts",   "3",
                           "--max-turns",  "5",       "--max-tokens", "100",
                           "--time-limit", "90s",     "--seed",       "7",
                           "--apply",      "--patch", "out.diff",     "--run-dir",
                           "run",          "--json",  "--quiet"});
  REQUIRE(all.options.issue == "issue.md");
  REQUIRE(all.options.repo == "dir");
  REQUIRE(all.options.test == "make test");
  REQUIRE(all.model == "m");
  REQUIRE(all.options.attempts == 3);
  REQUIRE(all.options.limits.turns == 5);
  REQUIRE(all.options.limits.tokens == 100);
  REQUIRE(all.options.time_limit == 90s);
  REQUIRE(all.options.seed == 7);
  REQUIRE(all.options.apply);
  REQUIRE(all.options.patch_file == "out.diff");
  REQUIRE(all.options.run_dir == "run");
  REQUIRE(all.json);
  REQUIRE(all.quiet);
  REQUIRE(all.options.sandboxed);
}

TEST_CASE("without options the defaults hold, and - is an issue") {
  const FixArguments bare = parse_fix_arguments({"-"});
  REQUIRE(bare.options.issue == "-");
  REQUIRE(bare.options.attempts == 8);
  REQUIRE(bare.options.limits.turns == 64);
  REQUIRE(bare.options.time_limit == 30min);
  REQUIRE_FALSE(bare.options.apply);
  REQUIRE_FALSE(parse_fix_arguments({"-", "--no-sandbox"}).options.sandboxed);
  REQUIRE(bare.options.box == dsv4::sandbox::BackendKind::kAuto);
  REQUIRE(bare.options.allow_net.empty());
  REQUIRE_FALSE(bare.options.allow_ci_changes);
  REQUIRE(parse_fix_arguments({"-", "--allow-ci-changes"}).options.allow_ci_changes);
  REQUIRE(shown(parse_fix_arguments({"-", "--allow-net", "a.org:1,b.org:2"}).options.allow_net) ==
          "a.org:1,b.org:2");
  REQUIRE(parse_fix_arguments({"-", "--sandbox", "landlock"}).options.box ==
          dsv4::sandbox::BackendKind::kLandlock);
}

TEST_CASE("a command line that says something else is refused") {
  const std::vector<std::vector<std::string>> bad = {
      {"-", "--sandbox", "chroot"},
      {"-", "--allow-net", "pypi.org"},
      {"-", "--allow-net", "pypi.org:443", "--no-sandbox"},
      {"-", "--sandbox", "landlock", "--no-sandbox"},
      {},
      {"a", "b"},
      {"a", "--no-such-option"},
      {"a", "--att", "3"},
      {"a", "--attempts"},
      {"a", "--attempts", "0"},
      {"a", "--attempts", "1.5"},
      {"a", "--attempts", "-1"},
      {"a", "--attempts", "99999999999999999999"},
      {"a", "--time-limit", "soon"},
      {"a", "--seed", "x"},
      {"a", "--apply", "--branch", "b"},
      {"a", "--repo", ""},
      {"a", "--seed", "1", "--seed", "2"},
  };
  for (const auto& arguments : bad) {
    INFO(arguments.size() << " arguments, the last "
                          << (arguments.empty() ? "" : arguments.back()));
    REQUIRE_THROWS_AS(parse_fix_arguments(arguments), UsageError);
  }
}
