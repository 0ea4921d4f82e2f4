#include "tools/toolbox.h"

#include <fstream>

#include "tests/catch.h"
#include "tests/tools/fixture.h"

using dsv4::tools::testing::Bench;
using Json = nlohmann::ordered_json;

TEST_CASE("a repair goes from read to a passing test, and its patch applies") {
  Bench bench;
  bench.track("calc.py test_calc.py");
  CHECK(bench.done("read", {{"symbol", "clamp"}}) ==
        "calc.py: clamp, lines 1-6 of 14\n"
        "1\tdef clamp(x, low, high):\n"
        "2\t    if x < low:\n"
        "3\t        return low\n"
        "4\t    if x < high:\n"
        "5\t        return high\n"
        "6\t    return x");
  CHECK(bench.done("test", Json::object()) ==
        "The tests fail: exit status 1.\n"
        "FAIL test_calc.py: test_clamp_high\n"
        "  self.assertEqual(clamp(5, 0, 3), 3)\n"
        "  AssertionError: 5 != 3\n"
        "  see calc.py: clamp\n"
        "FAIL test_calc.py: test_clamp_inside\n"
        "  self.assertEqual(clamp(2, 0, 3), 2)\n"
        "  AssertionError: 3 != 2\n"
        "  see calc.py: clamp");
  CHECK(bench.done("edit", {{"path", "calc.py"},
                            {"symbol", "clamp"},
                            {"old", "if x < high:"},
                            {"new", "if x >= high:"}}) == "Edited calc.py.\n4\t    if x >= high:");
  CHECK(bench.done("undo", Json::object()) == "Undid the last change to calc.py.");
  CHECK(bench.refused("undo", Json::object()) == "Error: There is nothing to undo.");
  bench.done("edit", {{"symbol", "clamp"}, {"old", "if x < high:"}, {"new", "if x > high:"}});
  const auto outcome = bench.call("test", Json::object());
  CHECK(outcome.text == "The tests pass.");
  CHECK(outcome.test->passed);
  const std::string patch = bench.toolbox().diff();
  CHECK(patch.find("-    if x < high:\n+    if x > high:\n") != std::string::npos);
  std::ofstream(bench.outside() / "patch") << patch;
  dsv4::tools::testing::run_command("cd '" + bench.root().string() +
                                    "' && git apply -R --check ../patch");
  CHECK(bench.done("finish", {{"summary", "wrong comparison"}}) == "Finished.");
  CHECK(bench.call("finish", {{"summary", "wrong comparison"}}).finished);
}

TEST_CASE("the model is told of the tools in exactly these words") {
  Bench bench;
  const Json golden =
      Json::parse(std::ifstream(DSV4_SOURCE_DIR "/tests/tools/schemas.golden.json"));
  const auto& schemas = bench.toolbox().schemas();
  REQUIRE(schemas.size() == golden.size());
  for (size_t k = 0; k < golden.size(); ++k) CHECK(schemas[k].dump() == golden[k].dump());
}

TEST_CASE("models that were not trained without them are told of every parameter") {
  const auto described = [](bool every, const std::string& tool) {
    Bench bench;
    bench.every_parameter = every;
    for (const Json& schema : bench.toolbox().schemas()) {
      if (schema.at("name") == tool) return schema.at("parameters");
    }
    return Json();
  };
  CHECK(described(true, "edit").at("required") == Json::array());
  CHECK(described(false, "edit").at("required") == Json::array({"new"}));
  CHECK(described(true, "edit").at("properties").at("edits").at("items").at("required") ==
        Json::array({"new"}));
  for (const auto& [tool, name] : {std::pair("symbols", "symbol"), std::pair("test", "failed"),
                                   std::pair("bash", "terminal"), std::pair("edit", "edits")}) {
    INFO(tool);
    CHECK(described(true, tool).at("properties").contains(name));
    CHECK_FALSE(described(false, tool).at("properties").contains(name));
  }
}

TEST_CASE("list and search show what is there") {
  Bench bench;
  bench.put("src/deep/a.py", "x = 1\n");
  bench.put(".gitignore", "build/\n");
  bench.put("build/out.py", "x = 1\n");
  CHECK(bench.done("list", Json::object()) == ".gitignore\ncalc.py\nsrc/\ntest_calc.py");
  CHECK(bench.done("list", {{"path", "src/"}}) == "src/deep/");
  CHECK(bench.done("search", {{"pattern", "x = \\d"}}) == "src/deep/a.py:1:x = 1");
  CHECK(bench.done("search", {{"pattern", "zebra"}}) == "No match for zebra.");
}

TEST_CASE("every bash call has a home and a temporary folder, and what was exported before") {
  namespace sandbox = dsv4::sandbox;
  const auto kind = GENERATE(sandbox::BackendKind::kBubblewrap, sandbox::BackendKind::kLandlock);
  const dsv4::tools::testing::TemporaryDirectory root;
  const dsv4::tools::testing::TemporaryDirectory state;
  sandbox::Policy policy = sandbox::task_policy(root.path());
  policy.backend = kind;
  const sandbox::Sandbox box(policy);
  dsv4::tools::WorkspaceOptions options;
  options.root = root.path();
  options.state_dir = state.path();
  options.box = &box;
  dsv4::tools::Toolbox toolbox(std::move(options));
  std::string text;
  for (int i = 0; i < 2; ++i) {
    text = toolbox
               .call("bash", {{"command",
                               "cd ~ && f=$(mktemp) && echo 1 > $f && export KEPT=$KEPT+ && "
                               "echo kept $KEPT; cd $OLDPWD"}})
               .text;
  }
  CAPTURE(sandbox::name_of(kind), text);
  CHECK(text.find("kept ++") != std::string::npos);
}
