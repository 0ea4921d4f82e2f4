#include "llm/serve/turn_text.h"

#include <random>

#include "llm/encoding.h"
#include "tests/catch.h"

namespace dsv4::llm::serve {
namespace {

constexpr const char* kCalls =
    "<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"read\">\n<｜DSML｜parameter name=\"path\" "
    "string=\"true\">a.py</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>";

// The sum of what is shown when the turn comes in pieces of a few bytes.
Delta shown(TurnText text, const std::string& turn, std::mt19937& random, bool ended = true,
            bool markup = true) {
  Delta all;
  std::vector<CallPiece> pieces;
  const auto add = [&](Delta delta) {
    all.reasoning += delta.reasoning;
    all.content += delta.content;
    for (CallPiece& piece : delta.pieces) add_piece(std::move(piece), pieces);
    for (ToolCall& call : delta.calls) all.calls.push_back(std::move(call));
  };
  for (size_t at = 0; at < turn.size();) {
    size_t count = std::min<size_t>(1 + random() % 7, turn.size() - at);
    while (at + count < turn.size() && (turn[at + count] & 0xC0) == 0x80) ++count;
    Delta delta;
    const bool stop = text.push(turn.substr(at, count), markup, delta);
    add(std::move(delta));
    at += count;
    if (stop) break;
  }
  Delta delta;
  text.finish(ended, delta);
  add(std::move(delta));
  CHECK(all.content == text.shown().content);
  CHECK(all.reasoning == text.shown().reasoning);
  for (size_t i = 0; i < all.calls.size(); ++i) {
    REQUIRE(i < pieces.size());
    CHECK(pieces[i].call == i);
    CHECK(pieces[i].name == all.calls[i].name);
    CHECK(pieces[i].arguments == all.calls[i].arguments.dump());
  }
  if (ended) CHECK(pieces.size() == all.calls.size());
  all.pieces = std::move(pieces);
  return all;
}

}  // namespace

TEST_CASE("what a stream shows adds up to what the whole turn says") {
  std::mt19937 random(1);
  const std::vector<std::string> turns = {"",
                                          "Hello.",
                                          "Hello.\n\n",
                                          "a < b </ c",
                                          std::string("Let me look.\n\n") + kCalls,
                                          kCalls,
                                          std::string("\n\n") + kCalls,
                                          "one\n\ntwo\n"};
  for (const std::string& turn : turns) {
    for (int round = 0; round < 20; ++round) {
      const Reply reply = parse_reply(turn, false);
      const Delta direct = shown(TurnText(false, true, {}), turn, random);
      CHECK(direct.content == reply.content);
      CHECK(direct.calls.size() == reply.calls.size());
      const Delta thought = shown(TurnText(true, true, {}), "I think.</think>" + turn, random);
      CHECK(thought.reasoning == "I think.");
      CHECK(thought.content == reply.content);
      CHECK(thought.calls.size() == reply.calls.size());
    }
  }
}

TEST_CASE("pieces of calls add up to the calls, as soon as they are written") {
  std::mt19937 random(7);
  const std::string turn =
      "\n\n<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"write\">\n<｜DSML｜parameter name=\"text\" "
      "string=\"true\">say(\"ä\\n\")\n</｜DSML｜ </p\t\n</｜DSML｜parameter>\n<｜DSML｜parameter "
      "name=\"lines\" string=\"false\">[1, 2.5, {\"a\": null}]</｜DSML｜parameter>\n"
      "</｜DSML｜invoke>\n<｜DSML｜invoke name=\"test\">\n</｜DSML｜invoke>\n<｜DSML｜invoke "
      "name=\"read\">\n<｜DSML｜parameter name=\"path\" string=\"true\"></｜DSML｜parameter>\n"
      "</｜DSML｜invoke>\n</｜DSML｜tool_calls>";
  for (int round = 0; round < 100; ++round) {
    CHECK(shown(TurnText(false, true, {}), turn, random).calls.size() == 3);
  }
  // Half of a text is told, half of a number is not.
  const size_t in_text = turn.find("ä");
  const Delta text = shown(TurnText(false, true, {}), turn.substr(0, in_text), random, false);
  REQUIRE(text.pieces.size() == 1);
  CHECK(text.pieces[0].name == "write");
  CHECK(text.pieces[0].arguments == "{\"text\":\"say(\\\"");
  const size_t in_json = turn.find("2.5");
  const Delta json = shown(TurnText(false, true, {}), turn.substr(0, in_json), random, false);
  REQUIRE(json.pieces.size() == 1);
  CHECK(json.pieces[0].arguments.ends_with("\"lines\":"));
}

TEST_CASE("markers that are only spelled are text") {
  std::mt19937 random(2);
  const Delta delta = shown(TurnText(false, true, {}), kCalls, random, true, false);
  CHECK(delta.content == kCalls);
  CHECK(delta.calls.empty());
}

TEST_CASE("without tools a block of calls is text") {
  std::mt19937 random(3);
  CHECK(shown(TurnText(false, false, {}), kCalls, random).content == kCalls);
}

TEST_CASE("a block that cannot be read is shown as text, and one that was cut is left out") {
  std::mt19937 random(4);
  const std::string broken = "Well.\n\n<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"re";
  CHECK(shown(TurnText(false, true, {}), broken, random).content == broken);
  CHECK(shown(TurnText(false, true, {}), broken, random, false).content == "Well.");
}

TEST_CASE("thoughts that do not end are thoughts") {
  std::mt19937 random(5);
  const Delta delta = shown(TurnText(true, true, {}), "Hm. </thin", random, false);
  CHECK(delta.reasoning == "Hm. </thin");
  CHECK(delta.content.empty());
}

TEST_CASE("nothing of a text to stop at is shown, nor what follows") {
  std::mt19937 random(6);
  for (int round = 0; round < 50; ++round) {
    CHECK(shown(TurnText(false, true, {"STOP", "\n\nUser:"}), "abc STO STOP def", random).content ==
          "abc STO ");
    CHECK(shown(TurnText(false, false, {"\n\nUser:"}), "abc\n\nUs\n\nUser: x", random).content ==
          "abc\n\nUs");
    CHECK(shown(TurnText(false, false, {"zz"}), "abc z", random).content == "abc z");
    // Thoughts are not looked at.
    CHECK(shown(TurnText(true, false, {"b"}), "abc</think>xbx", random).content == "x");
  }
}

}  // namespace dsv4::llm::serve
