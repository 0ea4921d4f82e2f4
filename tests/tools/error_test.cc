#include "tools/error.h"

#include "tests/catch.h"

TEST_CASE("a tool error carries its sentence") {
  REQUIRE(std::string(dsv4::tools::ToolError("read: give a path").what()) == "read: give a path");
}
