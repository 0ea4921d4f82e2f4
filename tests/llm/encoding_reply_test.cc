#include "llm/encoding.h"
#include "tests/catch.h"

namespace dsv4::llm {
namespace {

const std::string kOpen = "\n\n<｜DSML｜tool_calls>\n";
const std::string kClose = "</｜DSML｜tool_calls>";

std::string parameter(const std::string& name, const std::string& kind, const std::string& value) {
  return "<｜DSML｜parameter name=\"" + name + "\" string=\"" + kind + "\">" + value +
         "</｜DSML｜parameter>\n";
}

std::string call(const std::string& name, const std::string& parameters) {
  return "<｜DSML｜invoke name=\"" + name + "\">\n" + parameters + "</｜DSML｜invoke>\n";
}

// The sentence about a turn that cannot be read.
std::string complaint(const std::string& turn) {
  const Reply reply = parse_reply(turn, false);
  REQUIRE(reply.malformed);
  REQUIRE(reply.calls.empty());
  return *reply.malformed;
}

bool contains(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a turn falls into reasoning, content and calls with typed arguments") {
  const Reply reply = parse_reply(
      "Let me look.</think>I read it." + kOpen +
          call("read", parameter("path", "true", " a \"b\".py\n") +
                           parameter("first", "false", "3") +
                           parameter("deep", "false", R"({"z": [1.5, null], "a": "x"})")) +
          call("test", "") + kClose + "<｜end▁of▁sentence｜>",
      true);
  REQUIRE_FALSE(reply.malformed);
  REQUIRE(reply.reasoning == "Let me look.");
  REQUIRE(reply.content == "I read it.");
  REQUIRE(reply.calls.size() == 2);
  REQUIRE(reply.calls[0].name == "read");
  REQUIRE(reply.calls[0].arguments.dump() ==
          R"({"path":" a \"b\".py\n","first":3,"deep":{"z":[1.5,null],"a":"x"}})");
  REQUIRE(reply.calls[1].arguments.empty());
}

TEST_CASE("a turn without calls is an answer") {
  const Reply reply = parse_reply("Done.\n\n<b>not a tag</b><｜end▁of▁sentence｜>", false);
  REQUIRE(reply.content == "Done.\n\n<b>not a tag</b>");
  REQUIRE_FALSE(reply.malformed);
  REQUIRE(parse_reply("", false).content.empty());
}

TEST_CASE("blanks between tags do not matter, blanks in values do") {
  const Reply reply =
      parse_reply("<｜DSML｜tool_calls><｜DSML｜invoke  name=\"f\" >\n\n" +
                      parameter("a", "true", "\n x ") + "  </｜DSML｜invoke>\n\n" + kClose + "\n",
                  false);
  // A blank before '>' is one too many.
  REQUIRE(reply.malformed);
  const Reply tidy =
      parse_reply("<｜DSML｜tool_calls><｜DSML｜invoke name=\"f\">\n\n" +
                      parameter("a", "true", "\n x ") + "  </｜DSML｜invoke>\n\n" + kClose + "\n",
                  false);
  REQUIRE(tidy.calls.at(0).arguments["a"] == "\n x ");
}

TEST_CASE("a block that cannot be read gives a sentence and no calls") {
  REQUIRE(contains(complaint(kOpen), "but the turn ended"));
  REQUIRE(contains(complaint(kOpen + kClose), "no call"));
  REQUIRE(contains(complaint(kOpen + call("f", "") + kClose + "and so"), "nothing may follow"));
  REQUIRE(contains(complaint(call("f", "")), "must begin with <｜DSML｜tool_calls>"));
  REQUIRE(contains(complaint(kOpen + call("f", parameter("a", "false", "{oops")) + kClose),
                   "'a' is not JSON"));
  REQUIRE(contains(complaint(kOpen + call("f", parameter("a", "maybe", "1")) + kClose),
                   "\"true\" or \"false\""));
  REQUIRE(contains(
      complaint(kOpen + call("f", parameter("a", "true", "1") + parameter("a", "true", "2")) +
                kClose),
      "given twice"));
  REQUIRE(contains(complaint(kOpen + "<｜DSML｜invoke name=\"f\">\n<｜DSML｜parameter name=\"a\" "
                                     "string=\"true\">cut"),
                   "does not end"));
  REQUIRE(contains(complaint(kOpen + "<｜DSML｜invoke name=\"f>\n" + kClose), "closing quote"));
  REQUIRE(contains(
      complaint(kOpen + call("f", parameter("a", "false", std::string(5000, '['))) + kClose),
      "not JSON"));
  REQUIRE(contains(*parse_reply("thinking on and on", true).malformed, "</think>"));
}

TEST_CASE("markers that are only spelled can be quoted in a value") {
  const std::string quoted = "print('" + parameter("x", "true", "y") + kClose + "')";
  const std::vector<Segment> turn = {
      {kOpen +
           "<｜DSML｜invoke name=\"write\">\n<｜DSML｜parameter name=\"content\" string=\"true\">",
       true},
      {quoted, false},
      {"</｜DSML｜parameter>\n</｜DSML｜invoke>\n" + kClose, true}};
  const Reply reply = parse_reply(turn, false);
  REQUIRE_FALSE(reply.malformed);
  REQUIRE(reply.calls.at(0).arguments["content"] == quoted);
  REQUIRE(parse_reply(join_text(turn), false).malformed);

  const std::vector<Segment> answer = {
      {"The file says " + kOpen + call("bash", "") + kClose, false}};
  REQUIRE(parse_reply(answer, false).calls.empty());
  REQUIRE_FALSE(parse_reply(answer, false).malformed);
}

TEST_CASE("a turn of broken bytes is text") {
  const Reply reply = parse_reply("a\xFF\xE4\xB8", false);
  REQUIRE(reply.raw == "a\xEF\xBF\xBD\xEF\xBF\xBD");
  REQUIRE(reply.content == reply.raw);
}

}  // namespace dsv4::llm
