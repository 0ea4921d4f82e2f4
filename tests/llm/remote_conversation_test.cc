#include "llm/remote_conversation.h"

#include "llm/error.h"
#include "tests/catch.h"
#include "tests/llm/chat_server.h"

namespace dsv4::llm {
namespace {

using chat_server::Act;
using chat_server::Transport;
using nlohmann::ordered_json;

const std::vector<ordered_json> kTools = {ordered_json::parse(
    R"({"name": "read", "description": "", "parameters": {"type": "object"}})")};

const std::string kDone = "data: [DONE]\n\n";

Reply says(const std::string& text) {
  Reply reply;
  reply.content = text;
  return reply;
}

Reply calls(const std::vector<std::string>& paths) {
  Reply reply;
  for (const std::string& path : paths) reply.calls.push_back({"read", {{"path", path}}});
  return reply;
}

// A conversation with a server that does one act after the other.
struct Talk {
  explicit Talk(std::vector<Act> acts, int64_t window = 100000)
      : transport(
            std::make_shared<Transport>([acts = std::move(acts), n = size_t{0}](
                                            const ordered_json&) mutable { return acts.at(n++); })),
        conversation(transport, {"tiny", window, 4}) {}

  void begin() {
    conversation.system("Be good.", kTools);
    conversation.user("# Repository\n");
    conversation.user("# Issue\n");
  }

  const ordered_json& request(size_t n) const { return transport->requests.at(n); }

  std::shared_ptr<Transport> transport;
  RemoteConversation conversation;
};

Act good(const Reply& reply, int turn = 1) {
  return {200, chat_server::stream_of(reply, {100, 10, 0}, turn), false};
}

}  // namespace

TEST_CASE("a server is asked with the whole conversation, as it spells one") {
  Reply first = calls({"a.py", "b.py"});
  first.reasoning = "I must look.";
  Talk talk({good(first), good(says("All is well."), 2)});
  talk.begin();
  ReplyOptions options;
  options.sampling.seed = ~uint64_t{0};
  options.max_tokens = 777;
  std::string streamed;
  options.on_text = [&](std::string_view piece) { streamed += piece; };
  const Reply reply = talk.conversation.reply(options);
  REQUIRE(streamed == "I must look.");
  REQUIRE(reply.calls.size() == 2);
  REQUIRE(reply.calls[1].arguments.at("path") == "b.py");
  REQUIRE(reply.reasoning == "I must look.");
  REQUIRE(reply.finish == Finish::kStop);
  const ordered_json& asked = talk.request(0);
  REQUIRE(asked.at("model") == "tiny");
  REQUIRE(asked.at("messages").size() == 2);
  REQUIRE(asked.at("messages")[1].at("content") == "# Repository\n# Issue\n");
  REQUIRE(asked.at("tools")[0].at("function").at("name") == "read");
  REQUIRE(asked.at("max_tokens") == 777);
  REQUIRE(asked.at("seed") == 0x7fffffff);
  REQUIRE(asked.at("stream") == true);
  REQUIRE(asked.at("tool_choice") == "auto");
  REQUIRE(asked.at("stream_options").at("include_usage") == true);

  const std::vector<std::string> results = {"text of a", "text of b"};
  talk.conversation.tool_results(results);
  REQUIRE(talk.conversation.reply({}).content == "All is well.");
  const ordered_json& messages = talk.request(1).at("messages");
  REQUIRE(messages.size() == 5);
  REQUIRE(messages[2].at("reasoning_content") == "I must look.");
  REQUIRE(messages[2].at("tool_calls")[1].at("id") == "id1-1");
  REQUIRE(messages[3].at("tool_call_id") == "id1-0");
  REQUIRE(messages[4].at("content") == "text of b");
}

TEST_CASE("a stream that breaks is asked for again, and no call is made twice") {
  const std::string whole = chat_server::stream_of(calls({"a.py"}), {100, 10, 0}, 1);
  const size_t last_event = whole.find("\"finish_reason\":\"tool_calls\"");
  const size_t end = whole.find("\n\n", last_event);
  // Wherever it is cut the call is made once; after the finish_reason it is as good as whole.
  for (size_t cut = 1; cut < whole.size(); cut += 13) {
    CAPTURE(cut);
    Talk talk({{200, whole.substr(0, cut), true}, good(calls({"a.py"}), 2)});
    talk.begin();
    std::vector<std::string> taken_back;
    ReplyOptions options;
    options.on_taken_back = [&](const Reply&, const std::string& why) {
      taken_back.push_back(why);
    };
    const Reply reply = talk.conversation.reply(options);
    REQUIRE(reply.calls.size() == 1);
    const bool again = cut < end + 2;
    REQUIRE(talk.transport->requests.size() == (again ? 2 : 1));
    REQUIRE(taken_back.size() == (again ? 1 : 0));
    REQUIRE(talk.conversation.messages().size() == 3);
    REQUIRE(talk.conversation.messages()[2].calls.size() == 1);
    if (again) REQUIRE(talk.request(0) == talk.request(1));
  }
}

TEST_CASE("a server that never finishes is an error in the end") {
  const std::string half = chat_server::chunk({{"content", "half"}});
  Talk talk(std::vector<Act>(4, Act{200, half, true}));
  talk.begin();
  REQUIRE_THROWS_WITH(talk.conversation.reply({}), message_with("tried 4 times"));
  REQUIRE(talk.transport->pauses == std::vector<int>{1, 2, 3});
  REQUIRE(talk.conversation.messages().size() == 2);
}

TEST_CASE("a server that says far more than it was asked for is cut short") {
  const std::string piece = chat_server::chunk({{"content", std::string(50'000, 'x')}});
  Talk talk(std::vector<Act>(4, Act{200, piece + piece, false}));
  talk.begin();
  ReplyOptions options;
  options.max_tokens = 10;
  REQUIRE_THROWS_WITH(talk.conversation.reply(options),
                      message_with("far more than the 10 tokens that it was asked for"));
  Talk enough({good(says(std::string(50'000, 'x')))});
  enough.begin();
  REQUIRE(enough.conversation.reply(options).content.size() == 50'000);
}

TEST_CASE("errors in the middle of a stream are tried again where they may pass") {
  const std::string half = chat_server::chunk({{"content", "half"}});
  const auto failing = [&](const std::string& error) {
    return Act{200, half + "data: " + error + "\n\n" + kDone, false};
  };
  Talk passing({failing(R"({"error":{"message":"overloaded","code":503}})"), good(says("well"))});
  passing.begin();
  REQUIRE(passing.conversation.reply({}).content == "well");
  Talk lasting({failing(R"({"error":{"message":"bad tool schema","code":400}})")});
  lasting.begin();
  REQUIRE_THROWS_WITH(lasting.conversation.reply({}), message_with("bad tool schema"));
}

TEST_CASE("what is no chat completion is told for what it is, and not asked for again") {
  const auto heard = [](const std::string& body) {
    Talk talk({Act{200, body, false}});
    talk.begin();
    try {
      talk.conversation.reply({});
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  const std::string page =
      "<!DOCTYPE html>\n<html><head><TITLE>Sign in\n to the network</TITLE></head>";
  CHECK_THAT(heard(page), message_with("a page of HTML: Sign in to the network; is the URL right"));
  CHECK_THAT(heard("<html><body>\n"), message_with("but a page of HTML; "));
  CHECK_THAT(heard("<html><h1 class=x>502 Bad</h1>"), message_with("a page of HTML: 502 Bad;"));
  CHECK_THAT(heard("\x1f\x8b\x08 squeezed"), message_with("compressed with gzip, which nobody"));
  CHECK_THAT(heard("\x28\xb5\x2f\xfd squeezed"), message_with("compressed with zstd"));
  CHECK_THAT(heard("\x8b\x01 squeezed"), message_with("bytes that are no text"));
  CHECK_THAT(heard("no healthy\nupstream\n"), message_with("but a text: no healthy upstream;"));
}

TEST_CASE("a stream that ends before its first event is asked for again") {
  for (const std::string begun :
       {": wait\n\n", "da", "event: message\n", "{\"choices\": [", "{}"}) {
    Talk talk({Act{200, begun, false}, good(says("well"))});
    talk.begin();
    INFO(begun);
    CHECK(talk.conversation.reply({}).content == "well");
  }
}

TEST_CASE("a server that cannot stream a turn with tools is asked for whole ones") {
  const std::string whole =
      R"({"choices":[{"index":0,"message":{"content":null,"tool_calls":[{"id":"a","type":)"
      R"("function","function":{"name":"read","arguments":"{\"path\": \"a.py\"}"}}]},)"
      R"("finish_reason":"tool_calls"}],"usage":{"prompt_tokens":9,"completion_tokens":4}})";
  Act cannot;
  SECTION("and says so") {
    cannot = {500, R"({"error":{"message":"Cannot use tools with stream"}})", false};
  }
  SECTION("and says nothing") { cannot = {200, "", false}; }
  Talk talk({cannot, Act{200, whole, false}, Act{200, whole, false}});
  talk.begin();
  CHECK(talk.conversation.reply({}).calls.size() == 1);
  CHECK(talk.request(0).at("stream") == true);
  CHECK(talk.request(1).at("stream") == false);
  CHECK_FALSE(talk.request(1).contains("stream_options"));
  CHECK(talk.conversation.fork()->reply({}).calls.size() == 1);
  CHECK(talk.request(2).at("stream") == false);
}

TEST_CASE("a server that never says anything is an error in the end") {
  Talk talk(std::vector<Act>(5, Act{200, "", false}));
  talk.begin();
  REQUIRE_THROWS_WITH(talk.conversation.reply({}), message_with("4 times: its reply is empty"));
}

TEST_CASE("a refusal is said in the server's own words") {
  const auto refused = [](int status, const std::string& body) {
    Talk talk({{status, body, false}});
    talk.begin();
    try {
      talk.conversation.reply({});
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  CHECK_THAT(refused(401, R"({"error":{"message":"no such key"}})"),
             message_with("refuses the key (status 401): no such key"));
  CHECK_THAT(refused(404, R"({"error":{"message":"no model x"}})"),
             message_with("(status 404): no model x"));
  CHECK_THAT(refused(422, R"({"detail":[{"msg":"field required"}]})"),
             message_with("field required"));
  CHECK_THAT(refused(500, "<html>\n<b>Bad"), message_with("<html> <b>Bad"));
  CHECK_THAT(refused(500, ""), message_with("it does not say why"));
  CHECK_THAT(refused(404, "<html><title>404 Not\tFound</title><body>nginx"),
             message_with("(status 404): 404 Not Found"));
  CHECK_THAT(refused(400, "\x1f\x8b\x08"),
             message_with("(status 400): bytes compressed with gzip"));
}

TEST_CASE("arguments that are no JSON object are corrected, and never sent back as a call") {
  for (const char* arguments : {"{\"path\": ", "[1]", "\"x\"", "3", "null"}) {
    CAPTURE(arguments);
    Talk talk({{200,
                chat_server::call_chunks(0, {"a", "read", arguments}) +
                    chat_server::chunk(ordered_json::object(), "tool_calls") + kDone,
                false},
               good(says("well"), 2)});
    talk.begin();
    const Reply reply = talk.conversation.reply({});
    REQUIRE(reply.calls.empty());
    REQUIRE_THAT(*reply.malformed, message_with("arguments of read"));
    talk.conversation.user(*reply.malformed);
    talk.conversation.reply({});
    const ordered_json& messages = talk.request(1).at("messages");
    REQUIRE_FALSE(messages[2].contains("tool_calls"));
    REQUIRE_THAT(messages[2].at("content").get<std::string>(), message_with(arguments));
    REQUIRE(messages[3].at("role") == "user");
  }
}

TEST_CASE("no arguments at all are an empty object") {
  Talk talk({{200, chat_server::call_chunks(0, {"a", "read", ""}) + kDone, false}});
  talk.begin();
  REQUIRE(talk.conversation.reply({}).calls.at(0).arguments == ordered_json::object());
}

TEST_CASE("calls that the server left in the text") {
  SECTION("are read where they are DeepSeek's own") {
    const std::string text =
        "I look.\n\n<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"read\">\n<｜DSML｜parameter "
        "name=\"path\" string=\"true\">a.py</｜DSML｜parameter>\n</｜DSML｜invoke>\n"
        "</｜DSML｜tool_calls>";
    Talk talk({good(says(text)), good(says("well"), 2)});
    talk.begin();
    const Reply reply = talk.conversation.reply({});
    REQUIRE(reply.calls.at(0).arguments.at("path") == "a.py");
    const std::vector<std::string> results = {"text of a"};
    talk.conversation.tool_results(results);
    talk.conversation.reply({});
    const ordered_json& messages = talk.request(1).at("messages");
    REQUIRE(messages[2].at("tool_calls")[0].at("function").at("name") == "read");
    REQUIRE(messages[3].at("tool_call_id") == messages[2].at("tool_calls")[0].at("id"));
    REQUIRE(messages[2].at("content") == "I look.");
  }
  SECTION("are explained where they are another's") {
    Talk talk({good(says("<tool_call>\n{\"name\": \"read\"}\n</tool_call>"))});
    talk.begin();
    const Reply reply = talk.conversation.reply({});
    REQUIRE(reply.calls.empty());
    REQUIRE_THAT(*reply.malformed, message_with("--tool-call-parser"));
  }
}

TEST_CASE("a turn that was too long makes no half call") {
  Talk talk({{200,
              chat_server::call_chunks(0, {"a", "read", "{\"path\": \"a"}) +
                  chat_server::chunk(ordered_json::object(), "length") + kDone,
              false}});
  talk.begin();
  const Reply reply = talk.conversation.reply({});
  REQUIRE(reply.finish == Finish::kLength);
  REQUIRE(reply.calls.empty());
  REQUIRE_FALSE(reply.malformed);
}

TEST_CASE("calls that nobody answered are answered before anything else is said") {
  Talk talk({good(calls({"a.py", "b.py"})), good(says("well"), 2)});
  talk.begin();
  talk.conversation.reply({});
  talk.conversation.user("Stop that.");
  talk.conversation.reply({});
  const ordered_json& messages = talk.request(1).at("messages");
  REQUIRE(messages.size() == 6);
  REQUIRE(messages[3].at("role") == "tool");
  REQUIRE(messages[4].at("tool_call_id") == "id1-1");
  REQUIRE(messages[5].at("content") == "Stop that.");
  const std::vector<std::string> one_too_many = {"x"};
  REQUIRE_THROWS_AS(talk.conversation.tool_results(one_too_many), FormatError);
}

TEST_CASE("tokens are the server's, and what it does not say is taken for computed") {
  const auto turn = [](int64_t prompt, int64_t completion, int64_t cached) {
    return Act{200,
               chat_server::chunk({{"content", "x"}}, "stop") +
                   chat_server::usage_event(prompt, completion, cached) + kDone,
               false};
  };
  Talk talk({turn(1000, 50, 600), turn(1200, 10, 1040), turn(1300, 10, -1)});
  talk.begin();
  talk.conversation.reply({});
  Usage usage = talk.conversation.usage();
  REQUIRE(usage.context == 1050);
  REQUIRE(usage.prefilled == 400);
  REQUIRE(usage.restored == 600);  // by an earlier conversation
  REQUIRE(usage.cached == 600);
  REQUIRE(usage.reprefilled == 0);
  talk.conversation.user("more");
  talk.conversation.reply({});
  usage = talk.conversation.usage();
  REQUIRE(usage.context == 1210);
  REQUIRE(usage.prefilled == 400 + 160);
  REQUIRE(usage.restored == 600);
  REQUIRE(usage.reprefilled == 10);  // of the 1050 that were there the server had only 1040
  REQUIRE(usage.generated == 60);
  talk.conversation.user("more");
  talk.conversation.reply({});
  usage = talk.conversation.usage();
  REQUIRE(usage.prefilled == 560 + 1300);
  REQUIRE(usage.reprefilled == 10 + 1210);
  REQUIRE(usage.cached == 1640);
}

TEST_CASE("estimates follow what the server counted") {
  Talk talk(
      {{200,
        chat_server::chunk({{"content", "x"}}, "stop") + chat_server::usage_event(500, 1) + kDone,
        false}});
  talk.conversation.system(std::string(1000, 'a'), {});
  REQUIRE(talk.conversation.usage().context == 339);  // (1000 + 16 for the message) / 3
  talk.conversation.reply({});
  const int64_t before = talk.conversation.usage().context;
  talk.conversation.user(std::string(1000, 'a'));
  REQUIRE(talk.conversation.usage().context - before == 500);
}

TEST_CASE(
    "what does not fit the window is refused, and a server that finds no room ends the turn") {
  Talk small({}, 1000);
  small.conversation.system("Be good.", {});
  REQUIRE_THROWS_AS(small.conversation.user(std::string(4000, 'a')), WindowError);
  REQUIRE(small.conversation.messages().size() == 1);

  const Act no_room{
      400, R"({"error":{"message":"This model's maximum context length is 512 tokens."}})", false};
  Talk wrong(std::vector<Act>(8, no_room));
  wrong.begin();
  ReplyOptions options;
  options.max_tokens = 1024;
  const Reply reply = wrong.conversation.reply(options);
  REQUIRE(reply.finish == Finish::kLength);
  REQUIRE(wrong.conversation.usage().context == wrong.conversation.window());
  REQUIRE_THROWS_AS(wrong.conversation.user("x"), WindowError);
  std::vector<int64_t> asked;
  for (const auto& request : wrong.transport->requests) asked.push_back(request.at("max_tokens"));
  REQUIRE(asked == std::vector<int64_t>{1024, 512, 256});
}

TEST_CASE("a fork goes its own way") {
  Talk talk({good(says("one"), 1), good(says("two"), 2)});
  talk.begin();
  const auto fork = talk.conversation.fork();
  REQUIRE(talk.conversation.reply({}).content == "one");
  fork->user("differently");
  REQUIRE(fork->reply({}).content == "two");
  REQUIRE(talk.request(1).at("messages").size() == 2);
  REQUIRE_THAT(chat_server::text_of(talk.request(1)), message_with("# Issue\ndifferently"));
}

TEST_CASE("a conversation is saved in parts, and resumed as it was") {
  Reply first = calls({"a.py"});
  first.reasoning = "hm";
  Talk talk({good(first), good(says("end"), 2)});
  talk.begin();
  std::vector<ordered_json> saved = {talk.conversation.save("")};
  talk.conversation.reply({});
  const std::vector<std::string> results = {"text of a"};
  talk.conversation.tool_results(results);
  talk.conversation.user("and a note");
  saved.push_back(talk.conversation.save(""));
  REQUIRE(saved[1].at("parts").size() == 3);
  talk.conversation.reply({});

  Talk later({good(says("end"), 2)});
  later.conversation.resume(saved, "");
  later.conversation.reply({});
  REQUIRE(later.request(0) == talk.request(1));

  Talk other({});
  RemoteConversation another(other.transport, {"other", 1000, 4});
  REQUIRE_THROWS_WITH(another.resume(saved, ""), message_with("tiny"));
  saved[1].erase("parts");
  REQUIRE_THROWS_AS(Talk({}).conversation.resume(saved, ""), FormatError);
}

TEST_CASE("a stopped turn keeps what was said and makes no call") {
  std::stop_source stop;
  const auto transport = std::make_shared<Transport>([&](const ordered_json&) {
    stop.request_stop();
    return Act{200,
               chat_server::chunk({{"content", "I was"}}) +
                   chat_server::call_chunks(0, {"a", "read", "{}"}),
               true};
  });
  RemoteConversation conversation(transport, {"tiny", 1000, 4});
  conversation.user("x");
  ReplyOptions options;
  options.cancel = stop.get_token();
  const Reply reply = conversation.reply(options);
  REQUIRE(reply.finish == Finish::kCancelled);
  REQUIRE(reply.content == "I was");
  REQUIRE(reply.calls.empty());
  REQUIRE(conversation.messages().size() == 2);
  REQUIRE(transport->requests.size() == 1);
}

TEST_CASE("the server says which model it has and what that reads") {
  Transport transport([](const ordered_json&) { return Act{}; });
  const auto find = [&](std::optional<std::string> named = {}, std::optional<int64_t> window = {}) {
    return find_served_model(transport, named, window, {});
  };
  REQUIRE_THROWS_WITH(find(), message_with("--endpoint-model"));
  REQUIRE(find("x").name == "x");
  transport.pages["models"] = R"({"data":[{"id":"one","max_model_len":4096}]})";
  REQUIRE(find().name == "one");
  REQUIRE(find().window == 4096);
  REQUIRE(find({}, 100).window == 100);
  transport.pages["models"] = R"({"data":[{"id":"one","meta":{"n_ctx_train":32768}}]})";
  REQUIRE(find().window == 32768);
  transport.pages["/props"] = R"({"default_generation_settings":{"n_ctx":8192}})";
  REQUIRE(find().window == 8192);
  transport.pages["models"] = R"({"data":[{"id":"one"},{"id":"two","context_length":5}, 3, {}]})";
  REQUIRE_THROWS_WITH(find(), message_with("one, two"));
  transport.pages.erase("/props");
  REQUIRE(find("two").window == 5);
  REQUIRE_FALSE(find("one").window);
  transport.pages["models"] = "nonsense";
  REQUIRE_THROWS_WITH(find(), message_with("(it sent a text: nonsense): name it"));
  transport.pages["models"] = "<html><title>Sign in</title>";
  REQUIRE_THROWS_WITH(find(), message_with("(it sent a page of HTML: Sign in): name it"));
  transport.pages["models"] = R"({"object":"list","data":[]})";
  REQUIRE_THROWS_WITH(find(), message_with("(it lists none)"));
  transport.pages.erase("models");
  REQUIRE_THROWS_WITH(find(), message_with("(status 404: {})"));
}

}  // namespace dsv4::llm
