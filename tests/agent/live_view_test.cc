#include "agent/live_view.h"

#include <sstream>

#include "agent/gate.h"
#include "agent/loop.h"
#include "tests/catch.h"

using namespace dsv4::agent;
namespace llm = dsv4::llm;

namespace {

// A short run with text that tries to steer the terminal.
std::string shown(LiveViewOptions options) {
  std::ostringstream out;
  LiveView view(out, options);
  view.on_note("note\x1b[2J");
  view.on_attempt(1, llm::Sampling{});
  view.on_prefill(0, 1024);
  view.on_prefill(512, 1024);
  view.on_prefill(1024, 1024);
  view.on_turn(1);
  for (const char* piece :
       {"\n\nI wi", "ll read it.\x1b]0;title\x07", "<｜DS", "ML｜tool_calls>\nhidden"}) {
    view.on_text(piece);
  }
  llm::Reply reply;
  reply.content = "I will read it.\x1b]0;title\x07";
  reply.tokens = 12;
  llm::Usage usage;
  usage.context = 1234;
  view.on_reply(reply, usage, 4096);
  const llm::ToolCall call{"read", {{"path", "a.py\x1b[31m"}}};
  view.on_call(call);
  dsv4::tools::Outcome outcome;
  outcome.text = "a.py, 3 lines\nmore";
  view.on_outcome(call, outcome);
  GateResult gate;
  gate.passed = true;
  gate.reason = "the tests pass";
  view.on_gate(gate);
  return out.str();
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("in a pipe the live view is whole lines without control characters") {
  const std::string text = shown({});
  REQUIRE_FALSE(has(text, "\x1b"));
  REQUIRE_FALSE(has(text, "\r"));
  REQUIRE_FALSE(has(text, "hidden"));
  REQUIRE(has(text, "I will read it."));
  REQUIRE(has(text, "context 1,234/4,096 (30.1%)"));
  REQUIRE(has(text, "  read a.py\\x1b[31m\n"));
  REQUIRE(has(text, "gate: the tests pass\n"));
}

TEST_CASE("on a terminal progress is drawn, text streams, and calls are not shown as text") {
  LiveViewOptions options;
  options.terminal = true;
  const std::string text = shown(options);
  REQUIRE(has(text, "reading ["));
  REQUIRE(has(text, "1,024/1,024 tokens"));
  REQUIRE(has(text, "I will read it.\\x1b]0;title\\x07"));
  REQUIRE_FALSE(has(text, "DSML"));
  REQUIRE_FALSE(has(text, "hidden"));
  REQUIRE_FALSE(has(text, "\x1b[2J"));
  REQUIRE_FALSE(has(text, "\x1b[32m"));
}

TEST_CASE("turns that were taken back are counted in one line") {
  std::ostringstream out;
  LiveViewOptions options;
  options.terminal = GENERATE(true, false);
  LiveView view(out, options);
  view.on_turn(1);
  view.on_text("A first thought.");
  view.on_taken_back({}, "the edit changes nothing");
  view.on_text("A second one.");
  view.on_taken_back({}, "these tests\x1b[2J failed before");
  llm::Reply last;
  last.content = "The last.";
  view.on_text(last.content);
  view.on_reply(last, {}, 4096);
  const std::string counted =
      "\n  took back 2 turns, the last because these tests\\x1b[2J failed before\n";
  REQUIRE(has(
      out.str(),
      (options.terminal ? "A first thought.\nA second one.\nThe last." : "The last.") + counted));
  REQUIRE(has(out.str(), "thought") == options.terminal);
}

TEST_CASE("colour is used where it is wanted") {
  LiveViewOptions options;
  options.terminal = true;
  options.colour = true;
  REQUIRE(has(shown(options), "\x1b[32mgate: the tests pass\x1b[0m"));
}
