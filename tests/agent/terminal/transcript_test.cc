#include "agent/terminal/transcript.h"

#include "agent/loop.h"
#include "tests/catch.h"

using namespace dsv4::agent;
using namespace dsv4::agent::terminal;
namespace llm = dsv4::llm;

namespace {

// What a person has seen, and what is below it now.
class Seen : public Display {
 public:
  void add(Lines lines) override {
    for (const Line& line : lines) text += line.text() + "\n";
  }
  void begun(Lines lines) override {
    below.clear();
    for (const Line& line : lines) below += line.text() + "\n";
  }
  void activity(Line line) override {
    now = line.text();
    if (!now.empty()) all_activity += now + "\n";
  }
  void meter(const Meter& meter) override { last = meter; }

  std::string text;
  std::string below;
  std::string now;
  std::string all_activity;
  Meter last;
};

dsv4::tools::Outcome outcome(const std::string& text) {
  dsv4::tools::Outcome out;
  out.text = text;
  return out;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a turn streams, and its calls are one line each that can be expanded") {
  Seen seen;
  Transcript transcript(seen);
  transcript.on_turn(1);
  transcript.on_text("\n\nI will **re");
  REQUIRE(seen.below == "I will **re\n");
  transcript.on_text("ad** it.\nThen ");
  REQUIRE(seen.text == "I will read it.\n");
  REQUIRE(seen.below == "Then \n");
  transcript.on_text("<｜DSML｜tool_calls>");
  llm::Reply reply;
  llm::Usage usage;
  usage.context = 12;
  usage.bytes = 3 << 20;
  transcript.on_reply(reply, usage, 4096);
  REQUIRE(seen.text == "I will read it.\nThen \n");
  REQUIRE(seen.below.empty());
  REQUIRE(seen.last.tokens == 12);
  REQUIRE(seen.last.window == 4096);
  REQUIRE(seen.last.bytes == 3 << 20);
  const llm::ToolCall call{"write", {{"path", "a.py"}, {"content", "def f():\n    pass\n"}}};
  transcript.on_call(call);
  REQUIRE(seen.now == "write a.py def f():     pass");
  transcript.on_outcome(call, outcome("Wrote a.py, 2 lines.\nmore\x1b[2J"));
  REQUIRE(seen.now.empty());
  REQUIRE(has(seen.text, "[1] write a.py def f():     pass -> Wrote a.py, 2 lines.\n"));
  REQUIRE_FALSE(has(seen.text, "more"));
  std::string whole;
  for (const Line& line : transcript.expand(0)) whole += line.text() + "\n";
  REQUIRE(whole ==
          "[1] write\npath: a.py\ncontent:\ndef f():\n    pass\nresult:\nWrote a.py, 2 lines.\n"
          "more\\x1b[2J\n");
  REQUIRE(transcript.expand(1).size() == transcript.expand(0).size());
  REQUIRE(has(transcript.expand(2).at(0).text(), "there is no call 2: there are 1 to 1"));
}

TEST_CASE("of an edit the lines that it changes are shown, some of them") {
  Seen seen;
  Transcript transcript(seen);
  using Json = nlohmann::ordered_json;
  transcript.on_outcome({"edit",
                         {{"path", "a.py"},
                          {"old", "def f():\n    return 1\n\x1b[2J\n"},
                          {"new", "def f():\n    return 2\n    # two\n\x1b[2J\n"}}},
                        outcome("Edited a.py.\n1\tdef f():"));
  REQUIRE(seen.text ==
          "[1] edit a.py -> Edited a.py.\n      -     return 1\n      +     return 2\n"
          "      +     # two\n");
  seen.text.clear();
  Json edits = Json::array();
  for (int i = 0; i < 40; ++i) {
    edits.push_back({{"old", "x" + std::to_string(i)}, {"new", "y\ny\ny\ny\ny\ny\ny\ny"}});
  }
  transcript.on_outcome({"edit", {{"path", "a.py"}, {"edits", edits}}}, outcome("Edited."));
  REQUIRE(has(seen.text, "      - x0\n      + y\n"));
  REQUIRE(has(seen.text, "      + ... 3 more lines\n      - x1\n"));
  REQUIRE(std::count(seen.text.begin(), seen.text.end(), '\n') < 40);
  seen.text.clear();
  auto failed = outcome("Error: old is not there.");
  failed.error = true;
  transcript.on_outcome({"edit", {{"path", "a.py"}, {"old", "p"}, {"new", "q"}}}, failed);
  REQUIRE(seen.text == "[3] edit a.py p q -> Error: old is not there.\n");
  // A model may give anything.
  transcript.on_outcome({"edit", Json::array({1})}, outcome("ok"));
  transcript.on_outcome({"edit", {{"old", 1}, {"new", Json::array()}, {"edits", {1, "x"}}}},
                        outcome("ok"));
}

TEST_CASE("reading shows a bar, the pace and the time that is left") {
  Seen seen;
  Transcript transcript(seen);
  transcript.on_prefill(0, 4000);
  REQUIRE(seen.now == "reading [....................] 0/4,000 tokens");
  // The pace is known once some time has gone by.
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(60)) continue;
  transcript.on_prefill(1000, 4000);
  INFO(seen.now);
  REQUIRE(has(seen.now, "reading [#####...............] 1,000/4,000 tokens, "));
  REQUIRE(has(seen.now, " tokens/s, "));
  REQUIRE(has(seen.now, " s left"));
  transcript.on_prefill(4000, 4000);
  REQUIRE(seen.now.empty());
  REQUIRE(has(seen.text, "read 4,000/4,000 tokens, "));
  REQUIRE_FALSE(has(seen.text, "left"));
  seen.text.clear();
  transcript.on_prefill(0, 10);
  transcript.on_prefill(10, 10);
  REQUIRE(seen.text.empty());  // too short to be worth a line
}

TEST_CASE("failing tests show their report, passing ones one line") {
  Seen seen;
  Transcript transcript(seen);
  dsv4::tools::Outcome failed = outcome("The tests fail: exit status 1.");
  for (int i = 0; i < 20; ++i) failed.text += "\nfailure " + std::to_string(i);
  failed.test.emplace();
  transcript.on_outcome({"test", nlohmann::ordered_json::object()}, failed);
  REQUIRE(has(seen.text, "[1] test -> The tests fail: exit status 1.\n      failure 0\n"));
  REQUIRE(has(seen.text, "failure 11\n      ...\n"));
  REQUIRE_FALSE(has(seen.text, "failure 12"));
  dsv4::tools::Outcome passed = outcome("The tests pass.");
  passed.test.emplace();
  passed.test->passed = true;
  seen.text.clear();
  transcript.on_outcome({"test", nlohmann::ordered_json::object()}, passed);
  REQUIRE(seen.text == "[2] test -> The tests pass.\n");
}

TEST_CASE("turns that were taken back are told in one line") {
  Seen seen;
  Transcript transcript(seen);
  transcript.on_turn(1);
  transcript.on_text("A thought");
  transcript.on_taken_back({}, "the edit changes nothing");
  transcript.on_text("Another");
  transcript.on_taken_back({}, "it was shown");
  transcript.on_text("The last");
  transcript.on_reply({}, {}, 4096);
  REQUIRE(seen.text ==
          "A thought\nAnother\nThe last\n  took back 2 turns, the last because it was shown\n");
}

TEST_CASE("of a long message the beginning stays") {
  const auto text = [](const std::string& message) {
    std::string all;
    for (const Line& line : Transcript::sent(message)) all += line.text() + "\n";
    return all;
  };
  REQUIRE(text("one\ntwo") == "\n> one\n  two\n");
  std::string many;
  for (int i = 0; i < 20; ++i) many += (i > 0 ? "\nx" : "x") + std::to_string(i);
  REQUIRE(has(text(many), "  x19\n"));
  REQUIRE(has(text(many + "\nx20"), "  x9\n  ... 11 more lines\n"));
  REQUIRE(text(std::string(1 << 20, 'x')).size() < 2100);
}

TEST_CASE("what is kept of calls is bounded") {
  Seen seen;
  Transcript transcript(seen);
  const std::string large(10 << 20, 'x');
  for (int i = 0; i < 6; ++i) {
    transcript.on_outcome({"bash", nlohmann::ordered_json::object()}, outcome(large));
  }
  REQUIRE(has(transcript.expand(1).at(0).text(), "there is no call 1: there are 4 to 6"));
  REQUIRE(transcript.expand(6).size() == 3);
}
