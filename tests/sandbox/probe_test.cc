#include "sandbox/probe.h"

#include <stdlib.h>

#include "sandbox/machine.h"
#include "sandbox/sandbox.h"
#include "tests/catch.h"
#include "tests/sandbox/work_dir.h"

using namespace dsv4::sandbox;

TEST_CASE("doctor's rows say that every protection holds here") {
  const BackendKind kind =
      GENERATE(BackendKind::kAuto, BackendKind::kBubblewrap, BackendKind::kLandlock);
  const Capabilities here = probe(kind);
  REQUIRE(here.usable);
  CHECK(here.rows[0].detail == (kind == BackendKind::kLandlock ? "landlock" : "bubblewrap"));
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

TEST_CASE("a kernel that cannot hold a policy is refused, not used as far as it goes") {
  const WorkDir work;
  Policy policy = task_policy(work.path());
  policy.backend = BackendKind::kLandlock;
  for (const int version : {0, 1}) {
    REQUIRE_THROWS_WITH(Sandbox(policy, Machine{{version}}), message_with("Linux 5.19"));
  }
}

TEST_CASE("kinds of sandbox have names") {
  CHECK(backend_kind("auto") == BackendKind::kAuto);
  CHECK(backend_kind("landlock") == BackendKind::kLandlock);
  REQUIRE_THROWS_WITH(backend_kind("chroot"),
                      "there is no sandbox 'chroot': choose auto, bubblewrap or landlock");
}
