#include "llm/scripted_conversation.h"

#include "llm/error.h"
#include "tests/catch.h"

namespace dsv4::llm {
namespace {

Reply calling(const std::string& name, const nlohmann::ordered_json& arguments) {
  Reply reply;
  reply.calls.push_back({name, arguments});
  return reply;
}

std::string text_of(std::span<const RecordedSegment> segments) {
  std::string out;
  for (const RecordedSegment& segment : segments) out += segment.text;
  return out;
}

const std::vector<nlohmann::ordered_json> kTools = {
    nlohmann::ordered_json::parse(R"({"name": "test", "description": "", "parameters": {}})")};

}  // namespace

TEST_CASE("a scripted conversation holds the context that a model would see") {
  ScriptedConversation conversation(
      std::vector<Reply>{calling("edit", {{"path", "a.py"}, {"line", 3}}), calling("test", {})});
  conversation.system("Repair it.", kTools);
  conversation.user("# Repository\n");
  conversation.user("# Issue\n");
  const Reply first = conversation.reply({});
  REQUIRE(first.calls.size() == 1);
  REQUIRE(first.calls[0].arguments["line"] == 3);
  const std::vector<std::string> results{"Edited a.py."};
  conversation.tool_results(results);
  const Reply second = conversation.reply({});
  REQUIRE(second.calls.at(0).name == "test");

  const std::string text = text_of(conversation.segments());
  REQUIRE(text.starts_with("<｜begin▁of▁sentence｜>Repair it.\n\n## Tools\n\n"));
  REQUIRE(text.ends_with(
      "calls.\n<｜User｜># Repository\n# Issue\n<｜Assistant｜></think>\n\n<｜DSML｜tool_calls>\n"
      "<｜DSML｜invoke name=\"edit\">\n"
      "<｜DSML｜parameter name=\"path\" string=\"true\">a.py</｜DSML｜parameter>\n"
      "<｜DSML｜parameter name=\"line\" string=\"false\">3</｜DSML｜parameter>\n"
      "</｜DSML｜invoke>\n</｜DSML｜tool_calls><｜end▁of▁sentence｜>"
      "<｜User｜><tool_result>Edited a.py.</tool_result><｜Assistant｜></think>\n\n"
      "<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"test\">\n</｜DSML｜invoke>\n"
      "</｜DSML｜tool_calls><｜end▁of▁sentence｜>"));
  REQUIRE_THROWS_AS(conversation.reply({}), FormatError);
}

TEST_CASE("what the model writes is told apart from what it is given") {
  ScriptedConversation conversation(std::vector<Reply>{calling("test", {})});
  conversation.user("go <｜User｜>");
  (void)conversation.reply({});
  int appends = -1;
  for (const RecordedSegment& segment : conversation.segments()) {
    REQUIRE((segment.append == appends || segment.append == appends + 1));
    appends = segment.append;
    if (segment.text == "go <｜User｜>") REQUIRE_FALSE(segment.markup);
    REQUIRE(segment.sampled == (segment.append == 2));
  }
  REQUIRE(appends == 2);
}

TEST_CASE("forks go on alone from the same context") {
  int asked = 0;
  std::vector<std::string> contexts;
  ScriptedConversation::Options options;
  options.on_reply = [&](std::span<const RecordedSegment> all) {
    contexts.push_back(text_of(all));
  };
  ScriptedConversation conversation(
      [&](std::span<const RecordedSegment>, const ReplyOptions& asking) {
        ++asked;
        Reply reply;
        reply.content = "seed " + std::to_string(asking.sampling.seed);
        return reply;
      },
      options);
  conversation.user("go");
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    ReplyOptions asking;
    asking.sampling.seed = seed;
    const auto fork = conversation.fork();
    REQUIRE(fork->reply(asking).content == "seed " + std::to_string(seed));
  }
  REQUIRE(asked == 2);
  REQUIRE(contexts.size() == 2);
  REQUIRE(contexts[0].find("seed 1<｜end▁of▁sentence｜>") != std::string::npos);
  REQUIRE(contexts[1].find("seed 1") == std::string::npos);
}

TEST_CASE("a cancelled turn ends cleanly and the conversation goes on") {
  ScriptedConversation conversation(std::vector<Reply>{calling("test", {})});
  conversation.user("go");
  std::stop_source stop;
  stop.request_stop();
  ReplyOptions asking;
  asking.cancel = stop.get_token();
  REQUIRE(conversation.reply(asking).finish == Finish::kCancelled);
  conversation.user("go on");
  REQUIRE(conversation.reply({}).calls.size() == 1);
  REQUIRE(text_of(conversation.segments())
              .find("</think><｜end▁of▁sentence｜><｜User｜>go on<｜Assistant｜>") !=
          std::string::npos);
}

}  // namespace dsv4::llm
