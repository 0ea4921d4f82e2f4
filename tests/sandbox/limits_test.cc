#include "sandbox/limits.h"

#include "tests/catch.h"

TEST_CASE("limits of zero are refused by name") {
  dsv4::sandbox::Limits limits;
  REQUIRE_NOTHROW(check(limits));
  limits.processes = 0;
  REQUIRE_THROWS_WITH(check(limits), "limit processes must be positive");
}
