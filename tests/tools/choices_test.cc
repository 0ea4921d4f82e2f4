#include <algorithm>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/tools/fixture.h"

namespace dsv4::tools {
namespace {

using Json = nlohmann::ordered_json;
using testing::Bench;

constexpr std::string_view kGauge =
    "int hold(int x, int low, int high) {\n"
    "  if (x < low) {\n"
    "    return x;\n"
    "  }\n"
    "  if (x > high) {\n"
    "    return high;\n"
    "  }\n"
    "  return x;\n"
    "}\n";

std::vector<std::string> offered(Bench& bench, const std::string& symbol) {
  const Json arguments{{"symbol", symbol}};
  return bench.toolbox().choices({}, "edit", "old", arguments).value_or(std::vector<std::string>());
}

bool has(const std::vector<std::string>& values, const std::string& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

TEST_CASE("the lines offered for an edit stand once and are written from the margin") {
  Bench bench;
  bench.put("gauge.cc", kGauge);
  const auto values = offered(bench, "hold");
  CHECK(has(values, "if (x < low) {"));
  CHECK(has(values, "if (x < low) {\n  return x;"));
  CHECK(has(values, "if (x < low) {\n  return x;\n}"));
  CHECK_FALSE(has(values, "return x;"));       // stands twice
  CHECK_FALSE(has(values, "return x;\n  }"));  // ends before a line that is indented less
  CHECK_FALSE(has(values, "if (x < low) {\n    return x;"));
}

TEST_CASE("every text offered for an edit can be edited") {
  Bench bench;
  bench.put("gauge.cc", kGauge);
  bench.put("calc.py",
            "class Box:\n"
            "    def area(self):\n"
            "        side = self.side\n"
            "        if side < 0:\n"
            "            return 0\n"
            "\n"
            "        return side * self.side\n");
  for (const std::string symbol : {"hold", "Box.area"}) {
    const auto values = offered(bench, symbol);
    REQUIRE(values.size() > 5);
    const std::string file = symbol == "hold" ? "gauge.cc" : "calc.py";
    const std::string before = bench.bytes(file);
    for (const std::string& old : values) {
      INFO(old);
      bench.done("edit", Json{{"symbol", symbol}, {"old", old}, {"new", old + " "}});
      bench.done("undo", Json::object());
      CHECK(bench.bytes(file) == before);
    }
  }
}

}  // namespace
}  // namespace dsv4::tools
