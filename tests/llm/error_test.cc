#include "llm/error.h"

#include "tests/catch.h"

TEST_CASE("a format error names the place and the fault") {
  const dsv4::llm::FormatError e("messages.json", "role is missing");
  REQUIRE(std::string(e.what()) == "messages.json: role is missing");
}
