#include "sandbox/probe.h"

#include <stdlib.h>

#include "tests/catch.h"

using namespace dsv4::sandbox;

TEST_CASE("doctor's rows say that every protection holds here") {
  const Capabilities here = probe();
  REQUIRE(here.usable);
  for (const Capability& row : here.rows) {
    CAPTURE(row.name, row.detail, row.fix);
    CHECK(row.works);
    CHECK_FALSE(row.detail.empty());
  }
}

TEST_CASE("a machine without a temporary folder is told so, not thrown at") {
  const char* before = ::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TMPDIR", "/proc", 1);
  const Capabilities here = probe();
  before == nullptr ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", kept.c_str(), 1);
  CHECK_FALSE(here.usable);
  REQUIRE(here.rows.size() == 1);
  CHECK(here.rows[0].detail.find("temporary folder") != std::string::npos);
}
