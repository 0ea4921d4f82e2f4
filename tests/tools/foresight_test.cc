#include "tools/foresight.h"

#include <algorithm>

#include "tests/catch.h"
#include "tests/tools/fixture.h"

using namespace dsv4::tools;
using dsv4::tools::testing::Bench;
using Json = nlohmann::ordered_json;

namespace {

Json edit(const std::string& old, const std::string& now) {
  return {{"symbol", "clamp"}, {"old", old}, {"new", now}};
}

const std::pair<std::string, Json> kUndo{"undo", Json::object()};
const std::pair<std::string, Json> kTest{"test", Json::object()};

std::string foreseen(Bench& bench, const Calls& calls) {
  return bench.toolbox().foresee(calls).value_or("");
}

struct Tried : Bench {
  Tried() { track("calc.py test_calc.py"); }
};

}  // namespace

TEST_CASE("an edit that cannot work is known before it is made") {
  Tried bench;
  const std::string before = bench.bytes("calc.py");
  CHECK(foreseen(bench, {{"edit", edit("if x < high:", "if x < high:")}, kTest}) ==
        "the edit changes nothing");
  CHECK(foreseen(bench, {{"edit", edit("if x < high:", "if x < (high:")}, kTest}) ==
        "the file would no longer parse");
  CHECK(foreseen(bench, {{"edit", edit("if x < high:", "if x < hgih:")}, kTest}) ==
        "the name hgih would not be defined");
  CHECK(foreseen(bench, {{"edit", edit("if y:", "if x:")}, kTest})
            .starts_with("the edit cannot be done: "));
  CHECK(foreseen(bench, {kUndo, {"edit", edit("if x < high:", "if x > high:")}, kTest}) ==
        "there is nothing to undo");
  CHECK(foreseen(bench, {{"edit", edit("if x < high:", "if x > high:")}, kTest}).empty());
  CHECK(bench.bytes("calc.py") == before);
}

TEST_CASE("a step of a larger change may leave the file broken until the tests are to run") {
  Tried bench;
  CHECK(foreseen(bench, {{"edit", edit("if x < high:", "if x < (high:")}}).empty());
  CHECK(foreseen(bench, {{"edit", edit("if x < high:", "if x < hgih:")},
                         {"edit", edit("if x < low:", "if x < lwo:")},
                         kTest})
            .empty());
  CHECK(foreseen(bench, {{"bash", {{"command", "true"}}}, kTest}).empty());
}

TEST_CASE("files whose tests failed are not tested again, however they come about") {
  Tried bench;
  CHECK(foreseen(bench, {kTest}).empty());
  bench.done("test", Json::object());
  CHECK(foreseen(bench, {kTest}) == "the tests failed on the same files before");
  const std::string same = "the tests failed on the same files before";
  const auto wrong = edit("if x < high:", "if x <= high:");
  CHECK(foreseen(bench, {{"edit", wrong}, kTest}).empty());
  bench.done("edit", wrong);
  bench.done("test", Json::object());
  CHECK(foreseen(bench, {kTest}) == same);
  CHECK(foreseen(bench, {kUndo, kTest}) == same);
  CHECK(foreseen(bench, {kUndo, {"edit", wrong}, kTest}) == same);
  CHECK(foreseen(bench, {{"edit", edit("if x <= high:", "if x < high:")}, kTest}) == same);
  CHECK(foreseen(bench, {kUndo, {"edit", edit("if x < high:", "if x > high:")}, kTest}).empty());
  bench.done("undo", Json::object());
  bench.done("write", {{"path", "notes.txt"}, {"content", "1\n"}});
  CHECK(foreseen(bench, {{"edit", wrong}, kTest}).empty());
}

TEST_CASE("a definition that was changed in vain again and again makes room for the others") {
  Tried bench;
  bench.leave_spent = true;
  const auto offered = [&](const std::string& tool) {
    const auto names = bench.toolbox().choices({}, tool, "symbol", Json::object());
    return names && std::find(names->begin(), names->end(), "clamp") != names->end();
  };
  for (int i = 0; i < 8; ++i) {
    CHECK(offered("edit"));
    bench.done("edit", edit(i == 0 ? "if x < high:" : "if x < " + std::to_string(i) + ":",
                            "if x < " + std::to_string(i + 1) + ":"));
    bench.done("test", Json::object());
  }
  CHECK_FALSE(offered("edit"));
  CHECK(offered("read"));
}

TEST_CASE("what was shown is not asked for again until something may have changed") {
  Tried bench;
  const std::pair<std::string, Json> read{"read", {{"symbol", "clamp"}}};
  CHECK(foreseen(bench, {read}).empty());
  bench.done("read", read.second);
  CHECK(foreseen(bench, {read}) == "it was shown already and has not changed since");
  CHECK(foreseen(bench, {read, {"read", {{"path", "calc.py"}}}}).empty());
  bench.done("edit", edit("if x < high:", "if x <= high:"));
  CHECK(foreseen(bench, {read}).empty());
}
