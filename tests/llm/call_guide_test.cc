#include "llm/call_guide.h"

#include <algorithm>
#include <fstream>
#include <random>
#include <set>
#include <sstream>
#include <string>

#include "llm/encoding.h"
#include "tests/catch.h"

using dsv4::llm::CallGuide;
using dsv4::llm::Segment;
using dsv4::llm::Tokenizer;
using dsv4::llm::TokenMask;
using dsv4::llm::TokenTable;
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
            "required":[]}})"),
          Json::parse(R"({"name":"plan","parameters":{"type":"object","properties":{
            "items":{"type":"array","items":{"type":"string"}}},"required":["items"]}})")};
}

const Tokenizer& nano_tokenizer() {
  static const Tokenizer kTokenizer = Tokenizer::load(DSV4_SOURCE_DIR "/llm/nano/model");
  return kTokenizer;
}

// What is forced, as text, one token between bars.
std::string shown(const CallGuide& guide) {
  std::string text;
  for (const int32_t id : forced_ids(nano_tokenizer(), guide.forced())) {
    text += std::string(nano_tokenizer().bytes(id)) + "|";
  }
  return text;
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
  REQUIRE(guide.allows("<"));
  REQUIRE_FALSE(guide.allows("x"));
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
  // A reader takes the tag for the end even when no line ends after it.
  REQUIRE_FALSE(guide.allows("meter>x"));
  guide.accept("meter>");
  REQUIRE_FALSE(guide.allows(" "));
  guide.accept("\n");
  REQUIRE(guide.restricts());
  REQUIRE(guide.allows(kNew));
}

TEST_CASE("a value that spells the tag after it is not among those to choose from") {
  const std::vector<std::string> values{"a</｜DSML｜parameter>b", "plain"};
  CallGuide guide(tools(), [&](const auto&, const auto&, const auto&, const auto&) {
    return std::optional(values);
  });
  guide.accept(kOpen + kEdit + kSymbol);
  REQUIRE_FALSE(guide.allows("a"));
  REQUIRE(guide.allows("plain" + kEnd));
}

TEST_CASE("tags of calls cannot stand in text") {
  CallGuide guide(tools(), choices);
  REQUIRE_FALSE(guide.allows(kEdit));
  REQUIRE_FALSE(guide.allows("</｜DSML｜invoke>"));
  REQUIRE(guide.allows("if a < b"));
  guide.accept("<｜DSML");
  REQUIRE_FALSE(guide.allows("｜invoke"));
  REQUIRE(guide.allows("｜tool"));
  guide.accept("｜");
  REQUIRE(guide.restricts());
  REQUIRE_FALSE(guide.may_end());
}

TEST_CASE("a turn that thinks may hold anything until it answers") {
  CallGuide guide(tools(), choices);
  guide.begin_turn(true);
  REQUIRE_FALSE(guide.may_end());
  REQUIRE(guide.allows(kEdit + "nonsense</｜DSML｜"));
  guide.accept("</think>");
  REQUIRE(guide.may_end());
  REQUIRE_FALSE(guide.allows(kEdit));
}

TEST_CASE("arguments that are no text are JSON of their type") {
  const std::string first = "<｜DSML｜parameter name=\"first\" string=\"false\">";
  CallGuide guide(tools(), {});
  guide.accept(kOpen + "<｜DSML｜invoke name=\"read\">\n" + first);
  for (const char* wrong : {" ", "x", "1.5", "01", "\"1\"", "[", "-", "true"}) {
    INFO(wrong);
    REQUIRE_FALSE(guide.allows(wrong + kEnd));
  }
  REQUIRE(guide.allows("-120" + kEnd));
  REQUIRE(guide.allows("0" + kEnd + "</｜DSML｜invoke>\n"));
  guide.begin_turn();
  guide.accept(kOpen +
               "<｜DSML｜invoke name=\"plan\">\n"
               "<｜DSML｜parameter name=\"items\" string=\"false\">");
  for (const char* wrong : {"[1]", "[\"a\"", "[\"\\x\"]", "[\"\\ud800\"]", "[\"a\",]", "{}",
                            "[\"a</｜DSML｜parameter>\"]", "[\"a\nb\"]"}) {
    INFO(wrong);
    REQUIRE_FALSE(guide.allows(wrong + kEnd));
  }
  REQUIRE(guide.allows("[]" + kEnd));
  REQUIRE(guide.allows("[\"a < </b>\", \"\\u00e4\\n\"]" + kEnd));
}

TEST_CASE("the mask holds the tokens that may come, and no others") {
  const Tokenizer& tokenizer = nano_tokenizer();
  const TokenTable table(tokenizer);
  CallGuide guide(tools(), choices);
  TokenMask mask;
  const std::string turn =
      "Now <b>: <｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"plan\">\n<｜DSML｜parameter "
      "name=\"items\" string=\"false\">[\"a\\n </b>\", \"\\u00e4\"]" +
      kEnd + "</｜DSML｜invoke>\n<｜DSML｜invoke name=\"read\">\n" + kSymbol + "clamp_low" + kEnd +
      "<｜DSML｜parameter name=\"first\" string=\"false\">12" + kEnd + "</｜DSML｜invoke>\n" +
      kEdit + kSymbol + "clamp" + kEnd + kOld + "if x < low:\n        return low" + kEnd + kNew +
      "x <y></｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>";
  for (const char byte : turn) {
    guide.mask(table, mask);
    const std::set<int32_t> listed(mask.ids.begin(), mask.ids.end());
    for (int32_t id = 0; id < tokenizer.size(); ++id) {
      if (tokenizer.bytes(id).empty()) continue;
      const bool allowed = listed.contains(id) != mask.all_but;
      INFO("before '" << byte << "': " << tokenizer.bytes(id));
      if (allowed != guide.allows(tokenizer.bytes(id))) FAIL("the mask is wrong");
    }
    REQUIRE(guide.allows(std::string(1, byte)));
    guide.accept(std::string(1, byte));
  }
  guide.mask(table, mask);
  REQUIRE(!mask.all_but);
  REQUIRE(mask.ids.empty());
}

TEST_CASE("what has to come next is known without asking the model") {
  CallGuide guide(tools(), choices);
  REQUIRE(shown(guide).empty());
  guide.accept(kOpen);
  REQUIRE(shown(guide).empty());  // four tools
  guide.accept("<｜DSML｜invoke name=\"plan\">\n");
  REQUIRE(shown(guide) == "<｜DSML｜parameter name=\"items\" string=\"false\">|");
  guide.begin_turn();
  guide.accept(kOpen + kEdit + kSymbol + "clamp_");
  // Whether `new` or `old` comes next decides the token that ends the value.
  REQUIRE(shown(guide) == "low|");
  guide.begin_turn();
  guide.accept(kOpen + kEdit + kSymbol + "clamp" + kEnd + kOld + "return ");
  REQUIRE(shown(guide) ==
          "low|</｜DSML｜parameter>\n<｜DSML｜parameter name=\"new\" string=\"true\">|");
  guide.begin_turn();
  guide.accept(kOpen + "<｜DSML｜invoke name=\"test\">\n");
  REQUIRE(shown(guide) == "</｜DSML｜invoke>\n|");
  guide.accept("</｜DSML｜invoke>\n</｜DSML｜tool_calls>");
  REQUIRE(shown(guide) == "<｜end▁of▁sentence｜>|");
}

TEST_CASE("forced ids are the ones with which every continuation is spelled") {
  const Tokenizer& tokenizer = nano_tokenizer();
  const auto forced_after = [&](const std::string& turn) {
    CallGuide guide(tools(), choices);
    guide.accept(turn);
    return forced_ids(tokenizer, guide.forced());
  };
  // The scaffold of a whole transcript, as it is trained: scaffolds and values apart.
  const std::string scaffold = kOpen + kEdit + kSymbol;
  const std::string middle = kEnd + kOld;
  const std::vector<Segment> turn{
      {"clamp", false}, {middle, true}, {"return low", false}, {kEnd + kNew, true}};
  const std::vector<int32_t> whole = tokenizer.encode(turn);
  // From each of its tokens on, what is forced is what the transcript has next.
  std::string text = scaffold;
  for (size_t at = 0; at < whole.size(); ++at) {
    const std::vector<int32_t> ids = forced_after(text);
    INFO("after " << text << " at " << at);
    if (text != scaffold + "clamp" && text != scaffold + "clamp" + middle) {
      REQUIRE(ids.size() <= whole.size() - at);
      REQUIRE(std::equal(ids.begin(), ids.end(), whole.begin() + static_cast<std::ptrdiff_t>(at)));
    }
    text += tokenizer.bytes(whole[at]);
  }
}

TEST_CASE("a turn that was written against the grammar is left to the parser") {
  CallGuide guide(tools(), choices);
  guide.accept(kOpen + "nonsense");
  REQUIRE_FALSE(guide.restricts());
  guide.begin_turn();
  guide.accept(kOpen);
  REQUIRE(guide.restricts());
}
