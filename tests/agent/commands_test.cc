#include "agent/commands.h"

#include <set>
#include <string>

#include "tests/catch.h"

using namespace dsv4::agent;

TEST_CASE("a command that does not exist ends with the usage code") {
  REQUIRE(run_program({"no-such-command"}) == kUsage);
  REQUIRE(run_program({""}) == kUsage);
  REQUIRE(run_program({"--no-such-option"}) == kUsage);
}

TEST_CASE("help and version succeed") {
  REQUIRE(run_program({"--help"}) == 0);
  REQUIRE(run_program({"--version"}) == 0);
}

TEST_CASE("every command has its own name and a summary") {
  std::set<std::string> names;
  for (const CommandRow& row : command_table()) {
    REQUIRE(names.insert(std::string(row.name)).second);
    REQUIRE_FALSE(row.summary.empty());
    REQUIRE(row.run != nullptr);
  }
}
