#include "agent/commands.h"

#include "tests/catch.h"

TEST_CASE("a command that does not exist ends with the usage code") {
  REQUIRE(dsv4::agent::run_program({"no-such-command"}) == dsv4::agent::kUsage);
}
