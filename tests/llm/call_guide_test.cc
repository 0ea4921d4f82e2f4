#include "llm/call_guide.h"

#include <string>

#include "tests/catch.h"

using dsv4::llm::CallGuide;
using Json = nlohmann::ordered_json;

namespace {

std::vector<Json> tools() {
  return {Json::parse(R"({"name":"read","parameters":{"type":"object","properties":{
            "path":{"type":"string"},"symbol":{"type":"string"},"first":{"type":"integer"}},
            "required":[]}})"),
          Json::parse(R"({"name":"edit","parameters":{"type":"object","properties":{
            "symbol":{"type":"string"},"old":{"type":"string"},"new":{"type":"string"}},
            "required":["new"]}})"),
          Json::parse(R"({"name":"test","parameters":{"type":"object","properties":{},
            "required":[]}})")};
}

std::optional<std::vector<std::string>> choices(const std::vector<std::string>&,
                                                const std::string& tool, const std::string& name,
                                                const Json& arguments) {
  using Values = std::vector<std::string>;
  if (name == "symbol") return Values{"clamp", "clamp_low"};
  if (tool == "edit" && name == "old" && arguments.value("symbol", "") == "clamp") {
    return Values{"return low", "if x < low:\n        return low"};
  }
  return std::nullopt;
}

const std::string kOpen = "\n\n<｜DSML｜tool_calls>\n";
const std::string kEdit = "<｜DSML｜invoke name=\"edit\">\n";
const std::string kSymbol = "<｜DSML｜parameter name=\"symbol\" string=\"true\">";
const std::string kOld = "<｜DSML｜parameter name=\"old\" string=\"true\">";
const std::string kNew = "<｜DSML｜parameter name=\"new\" string=\"true\">";
const std::string kEnd = "</｜DSML｜parameter>\n";

}  // namespace

TEST_CASE("text outside calls is free, and the turn may end there") {
  CallGuide guide(tools(), choices);
  guide.accept("Let me look. <｜DSML");
  REQUIRE_FALSE(guide.restricts());
  REQUIRE(guide.may_end());
  REQUIRE(guide.allows("anything"));
}

TEST_CASE("only known tools, parameters in order, and required ones can be written") {
  CallGuide guide(tools(), choices);
  guide.accept(kOpen);
  REQUIRE(guide.restricts());
  REQUIRE_FALSE(guide.may_end());
  REQUIRE(guide.allows("<｜DSML｜invoke name=\"re"));
  REQUIRE_FALSE(guide.allows("<｜DSML｜invoke name=\"rm"));
  REQUIRE_FALSE(guide.allows("</｜DSML｜tool_calls>"));  // no call yet
  guide.accept(kEdit);
  REQUIRE_FALSE(guide.allows("</｜DSML｜invoke>"));  // new is required
  guide.accept(kNew);
  REQUIRE_FALSE(guide.restricts());
  REQUIRE_FALSE(guide.may_end());
  guide.accept("return high" + kEnd);
  REQUIRE_FALSE(guide.allows(kOld));  // comes before new
  REQUIRE(guide.allows("</｜DSML｜invoke>\n</｜DSML｜tool_calls>"));
  guide.accept("</｜DSML｜invoke>\n");
  REQUIRE(guide.allows(kEdit));
  guide.accept("</｜DSML｜tool_calls>");
  REQUIRE(guide.may_end());
  REQUIRE_FALSE(guide.allows("more"));
}

TEST_CASE("a value with choices is one of them, whatever tokens spell it") {
  CallGuide guide(tools(), choices);
  guide.accept(kOpen + kEdit + kSymbol);
  REQUIRE(guide.allows("cl"));
  REQUIRE(guide.allows("clamp_low" + kEnd + kOld));
  REQUIRE_FALSE(guide.allows("clump"));
  REQUIRE_FALSE(guide.allows("clamp" + kEnd + kOld + "return high"));
  for (const char byte : std::string("clamp")) {
    REQUIRE(guide.allows(std::string(1, byte)));
    guide.accept(std::string(1, byte));
  }
  REQUIRE(guide.allows("_"));
  const auto first = guide.first_bytes();
  REQUIRE(first['<']);
  REQUIRE(first['_']);
  REQUIRE_FALSE(first['x']);
  guide.accept(kEnd + kOld + "if x < low:\n");
  REQUIRE(guide.allows("        return low" + kEnd + kNew + "whatever follows"));
  REQUIRE_FALSE(guide.allows("        return high"));
}

TEST_CASE("values without choices are free until their end marker") {
  CallGuide guide(tools(), {});
  guide.accept(kOpen + kEdit + kSymbol + "any_name" + kEnd + kOld);
  REQUIRE(guide.allows("</div> < > text"));
  guide.accept("x</｜DSML｜para");
  REQUIRE_FALSE(guide.restricts());
  guide.accept("meter>\n");
  REQUIRE(guide.restricts());
  REQUIRE(guide.allows(kNew));
}

TEST_CASE("a turn that was written against the grammar is left to the parser") {
  CallGuide guide(tools(), choices);
  guide.accept(kOpen + "nonsense");
  REQUIRE_FALSE(guide.restricts());
  guide.begin_turn();
  guide.accept(kOpen);
  REQUIRE(guide.restricts());
}
