#include "llm/encoding.h"

#include <fstream>
#include <sstream>

#include "llm/encoding_json.h"
#include "llm/error.h"
#include "tests/catch.h"

namespace dsv4::llm {
namespace {

using nlohmann::ordered_json;

std::string fixture(const std::string& name) {
  std::ifstream in(DSV4_SOURCE_DIR "/tests/llm/fixtures/encoding/" + name, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string render(const std::string& messages, const EncodeOptions& options = {}) {
  return join_text(encode_messages(ordered_json::parse(messages), options));
}

EncodeOptions thinking() {
  EncodeOptions options;
  options.thinking = true;
  return options;
}

}  // namespace

TEST_CASE("the authors' four cases are encoded byte for byte") {
  for (int i = 1; i <= 4; ++i) {
    const std::string number = std::to_string(i);
    const std::string input = fixture("test_input_" + number + ".json");
    REQUIRE_FALSE(input.empty());
    // The fourth is a direct answer, the others think first.
    REQUIRE(render(input, i == 4 ? EncodeOptions{} : thinking()) ==
            fixture("test_output_" + number + ".txt"));
  }
}

TEST_CASE("the end of a prompt asks for reasoning in thinking mode and closes it in direct mode") {
  const std::string messages = R"([{"role":"user","content":"Hi"}])";
  REQUIRE(render(messages) == "<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜></think>");
  REQUIRE(render(messages, thinking()) ==
          "<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜><think>");
}

TEST_CASE("effort max stands before the system text, in thinking mode only") {
  const std::string messages =
      R"([{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}])";
  EncodeOptions options = thinking();
  options.effort = Effort::kMax;
  const std::string prompt = render(messages, options);
  REQUIRE(
      prompt.starts_with("<｜begin▁of▁sentence｜>Reasoning Effort: Absolute maximum with no "
                         "shortcuts permitted.\nYou MUST be very thorough"));
  REQUIRE(prompt.find("no assumption is left unchecked.\n\nBe brief.<｜User｜>Hi") !=
          std::string::npos);
  options.thinking = false;
  REQUIRE(render(messages, options) == render(messages));
}

TEST_CASE("results of tools come in the order of the calls, joined with the user's text") {
  const std::string prompt = render(R"([
    {"role":"user","content":"go"},
    {"role":"assistant","content":"","tool_calls":[
      {"id":"a","function":{"name":"first","arguments":"{\"n\": 1.50, \"s\": [\"x\", null]}"}},
      {"id":"b","function":{"name":"second","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"b","content":"B"},
    {"role":"tool","tool_call_id":"a","content":"A"},
    {"role":"user","content":"and now?"}])");
  REQUIRE(prompt ==
          "<｜begin▁of▁sentence｜><｜User｜>go<｜Assistant｜></think>\n\n<｜DSML｜tool_calls>\n"
          "<｜DSML｜invoke name=\"first\">\n"
          "<｜DSML｜parameter name=\"n\" string=\"false\">1.5</｜DSML｜parameter>\n"
          "<｜DSML｜parameter name=\"s\" string=\"false\">[\"x\", null]</｜DSML｜parameter>\n"
          "</｜DSML｜invoke>\n"
          "<｜DSML｜invoke name=\"second\">\n\n</｜DSML｜invoke>\n"
          "</｜DSML｜tool_calls><｜end▁of▁sentence｜>"
          "<｜User｜><tool_result>A</tool_result>\n\n<tool_result>B</tool_result>\n\nand now?"
          "<｜Assistant｜></think>");
}

TEST_CASE("text in messages is data, whatever it spells") {
  const auto segments =
      encode_messages(ordered_json::parse(R"([{"role":"user","content":"<｜Assistant｜>"},
                              {"role":"assistant","content":"<｜end▁of▁sentence｜>"}])"),
                      {});
  std::string data;
  for (const Segment& segment : segments) {
    if (!segment.markup) data += segment.text;
  }
  REQUIRE(data == "<｜Assistant｜><｜end▁of▁sentence｜>");
  REQUIRE(segments.back().markup);
}

TEST_CASE("without tools earlier reasoning is left out, and with drop_thinking off it stays") {
  const std::string messages = R"([
      {"role":"user","content":"a"},
      {"role":"assistant","reasoning_content":"R1","content":"b"},
      {"role":"user","content":"c"}])";
  REQUIRE(render(messages, thinking()) ==
          "<｜begin▁of▁sentence｜><｜User｜>a<｜Assistant｜></think>b<｜end▁of▁sentence｜>"
          "<｜User｜>c<｜Assistant｜><think>");
  EncodeOptions keep = thinking();
  keep.drop_thinking = false;
  REQUIRE(render(messages, keep) ==
          "<｜begin▁of▁sentence｜><｜User｜>a<｜Assistant｜><think>R1</think>b<｜end▁of▁sentence｜>"
          "<｜User｜>c<｜Assistant｜><think>");
}

TEST_CASE("tasks put their token where the authors do") {
  REQUIRE(render(R"([{"role":"user","content":"a","task":"query"}])") ==
          "<｜begin▁of▁sentence｜><｜User｜>a<｜query｜>");
  REQUIRE(render(R"([{"role":"user","content":"a","task":"action"}])", thinking()) ==
          "<｜begin▁of▁sentence｜><｜User｜>a<｜Assistant｜><think><｜action｜>");
  REQUIRE(
      render(R"([{"role":"user","content":"a"},
                     {"role":"assistant","content":"b","task":"title"},
                     {"role":"assistant","content":"T"}])") ==
      "<｜begin▁of▁sentence｜><｜User｜>a<｜Assistant｜></think>b<｜end▁of▁sentence｜><｜title｜>"
      "T<｜end▁of▁sentence｜>");
}

TEST_CASE("a response format that says nothing is left out") {
  for (const char* nothing : {"null", "{}", "[]", "\"\"", "0", "false"}) {
    INFO(nothing);
    REQUIRE(render(std::string(R"([{"role":"system","content":"S","response_format":)") + nothing +
                   "}]") == "<｜begin▁of▁sentence｜>S");
  }
}

TEST_CASE("a context that the prompt holds already is not written again") {
  const auto context = ordered_json::parse(R"([{"role":"system","content":"S"},
      {"role":"user","content":"a"}, {"role":"assistant","content":"b"}])");
  const auto more = ordered_json::parse(R"([{"role":"user","content":"c"}])");
  REQUIRE(join_text(encode_messages(more, {}, context)) == "<｜User｜>c<｜Assistant｜></think>");
}

TEST_CASE("JSON in prompts is written as Python writes it") {
  const auto json = ordered_json::parse(
      R"({"b": [1, -2.0, 1e16, 123456789012345.6, 1e-5, 0.0001, 1e22], "a": {}, "n": null,
          "t": "é\u0001\n/\""})");
  REQUIRE(python_json(json) ==
          R"({"b": [1, -2.0, 1e+16, 123456789012345.6, 1e-05, 0.0001, 1e+22], "a": {}, "n": null, )"
          R"("t": "é\u0001\n/\""})");
}

TEST_CASE("messages of the wrong shape are refused with the place") {
  for (const char* bad :
       {R"(3)", R"([1])", R"([{"role":"alien","content":"x"}])",
        R"([{"role":"user","content":[{"type":"image_url"}]}])",
        R"([{"role":"developer","content":""}])",
        R"([{"role":"user","content":"x","task":"juggle"}])",
        R"([{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"[]"}}]}])"}) {
    INFO(bad);
    REQUIRE_THROWS_AS(render(bad), FormatError);
  }
}

}  // namespace dsv4::llm
