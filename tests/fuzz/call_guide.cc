// Any choice among the tokens that the guide allows: always a turn that can be read, with calls of
// the tools' names and types.

#include "llm/call_guide.h"

#include <algorithm>
#include <array>
#include <string>

#include "llm/encoding.h"
#include "tests/fuzz/target.h"

namespace {

using dsv4::fuzz::require;
using dsv4::llm::CallGuide;
using dsv4::llm::Reply;
using dsv4::llm::Tokenizer;
using dsv4::llm::TokenMask;
using dsv4::llm::TokenTable;
using Json = nlohmann::ordered_json;

const std::vector<Json>& tools() {
  static const std::vector<Json> kTools{
      Json::parse(R"({"name":"edit","parameters":{"properties":{
        "symbol":{"type":"string"},"old":{"type":"string"},"new":{"type":"string"}},
        "required":["new"]}})"),
      Json::parse(R"({"name":"plan","parameters":{"properties":{
        "items":{"type":"array","items":{"type":"string"}},"deep":{"type":"object"},
        "any":{"type":["number","null","boolean","array"]}},"required":["items"]}})"),
      Json::parse(R"({"name":"read","parameters":{"properties":{
        "kind":{"type":"string","enum":["a","ab","b</｜DSML｜parameter>"]},
        "first":{"type":"integer"},"share":{"type":"number"}},"required":[]}})"),
      Json::parse(R"({"name":"test","parameters":{"properties":{},"required":[]}})")};
  return kTools;
}

std::optional<std::vector<std::string>> choices(const std::vector<std::string>& earlier,
                                                const std::string&, const std::string& parameter,
                                                const Json& arguments) {
  using Values = std::vector<std::string>;
  if (parameter == "symbol") return Values{"clamp", "clamp_low", "größe", "x</｜DSML｜parameter>"};
  if (parameter == "old" && arguments.contains("symbol")) {
    return Values{"return low", "if x < low:\n    return " + std::to_string(earlier.size())};
  }
  return std::nullopt;
}

// Texts that lead into every part of the grammar, and some that do not belong there.
constexpr std::array<std::string_view, 26> kTexts = {
    "\n\n<｜DSML｜tool_calls>\n",
    "<｜DSML｜invoke name=\"edit\">\n",
    "<｜DSML｜invoke name=\"plan\">\n",
    "<｜DSML｜invoke name=\"read\">\n",
    "<｜DSML｜invoke name=\"test\">\n",
    "</｜DSML｜invoke>\n",
    "<｜DSML｜parameter name=\"symbol\" string=\"true\">",
    "</think>",
    "<｜DSML｜parameter name=\"new\" string=\"true\">",
    "</｜DSML｜parameter>\n",
    "<",
    "</｜DSML｜",
    "<｜DSML｜parameter name=\"items\" string=\"false\">",
    "[",
    "\"",
    ", ",
    "{",
    ":",
    "-1",
    ".5e",
    "<｜DSML｜parameter name=\"any\" string=\"false\">",
    "\\u",
    "d800",
    "clamp",
    "<｜DSML｜parameter name=\"first\" string=\"false\">",
    "</｜DSML｜tool_calls>"};

// What brings a turn to its end from wherever it stands: the first of these that is allowed.
constexpr std::array<std::string_view, 17> kWayOut = {
    "</｜DSML｜parameter>\n",
    "\"",
    "</｜DSML｜tool_calls>",
    "</｜DSML｜invoke>\n",
    "}",
    "]",
    ":",
    "<｜DSML｜parameter name=\"new\" string=\"true\">",
    "[",
    "0",
    "<｜DSML｜invoke name=\"test\">\n",
    "<｜DSML｜parameter name=\"items\" string=\"false\">",
    "n",
    "u",
    "l",
    "e",
    "r"};

class Turn {
 public:
  Turn(const Tokenizer& tokenizer, const TokenTable& table, bool thinking)
      : tokenizer_(tokenizer), table_(table), thinking_(thinking), guide_(tools(), choices) {
    guide_.begin_turn(thinking);
  }

  bool say(std::string_view text) {
    if (!guide_.allows(text)) return false;
    guide_.accept(text);
    text_ += text;
    return true;
  }

  // One of the tokens that the mask lets pass, whichever the number says.
  void sample(size_t number) {
    guide_.mask(table_, mask_);
    if (mask_.all_but) {
      const auto& token = table_[number % table_.all().end];
      const bool listed =
          std::find(mask_.ids.begin(), mask_.ids.end(), token.id) != mask_.ids.end();
      require(say(token.bytes) != listed, "the mask of a free place says what the guide does");
    } else if (!mask_.ids.empty()) {
      require(say(tokenizer_.bytes(mask_.ids[number % mask_.ids.size()])),
              "what the mask lets pass is allowed");
    }
  }

  void force() {
    const CallGuide::Forced forced = guide_.forced();
    for (const int32_t id : forced_ids(tokenizer_, forced)) {
      if (tokenizer_.bytes(id) == dsv4::llm::marker::kEnd) {
        require(guide_.may_end(), "a forced end is allowed");
        return;
      }
      require(say(tokenizer_.bytes(id)), "what is forced is allowed");
    }
  }

  void end() {
    if (thinking_ && text_.find("</think>") == std::string::npos) say("</think>");
    for (int steps = 0; !guide_.may_end(); ++steps) {
      require(steps < 2000, "every turn can be ended");
      bool moved = false;
      for (size_t i = 0; i < kWayOut.size() && !moved; ++i) moved = say(kWayOut[i]);
      for (int byte = 0; byte < 256 && !moved; ++byte) {
        const char c = static_cast<char>(byte);
        moved = guide_.restricts() && say({&c, 1});
      }
      require(moved, "there is always a way on");
    }
    const Reply reply = dsv4::llm::parse_reply(text_, thinking_);
    require(!reply.malformed, "what was allowed can be read: " + reply.malformed.value_or(""));
    for (const auto& call : reply.calls) check(call);
  }

 private:
  static void check(const dsv4::llm::ToolCall& call) {
    const auto tool = std::find_if(tools().begin(), tools().end(),
                                   [&](const Json& t) { return t["name"] == call.name; });
    require(tool != tools().end(), "only known tools are called");
    for (const auto& name : (*tool)["parameters"]["required"]) {
      require(call.arguments.contains(name.get<std::string>()), "what is required is there");
    }
    const auto& a = call.arguments;
    if (a.contains("first")) require(a["first"].is_number_integer(), "an integer is one");
    if (a.contains("share")) require(a["share"].is_number(), "a number is one");
    if (a.contains("deep")) require(a["deep"].is_object(), "an object is one");
    if (a.contains("kind")) require(a["kind"] == "a" || a["kind"] == "ab", "of the enum");
    if (!a.contains("items")) return;
    require(a["items"].is_array(), "a list is one");
    for (const auto& item : a["items"]) require(item.is_string(), "its items are texts");
  }

  const Tokenizer& tokenizer_;
  const TokenTable& table_;
  bool thinking_;
  CallGuide guide_;
  TokenMask mask_;
  std::string text_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Tokenizer kTokenizer = Tokenizer::load(DSV4_SOURCE_DIR "/llm/nano/model");
  static const TokenTable kTable(kTokenizer);
  if (size == 0 || size > 4096) return 0;
  Turn turn(kTokenizer, kTable, data[0] % 4 == 1);
  for (size_t i = 1; i < size; ++i) {
    const uint8_t byte = data[i];
    if (byte < 0x80) {
      turn.say(kTexts[byte % kTexts.size()]);
    } else if (byte < 0xA0) {
      turn.force();
    } else if (i + 2 < size) {
      turn.sample(size_t{data[i + 1]} << 8 | data[i + 2]);
      i += 2;
    }
  }
  turn.end();
  return 0;
}
