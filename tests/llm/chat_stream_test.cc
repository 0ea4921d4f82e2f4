#include "llm/chat_stream.h"

#include "llm/error.h"
#include "tests/catch.h"
#include "tests/llm/chat_server.h"

namespace dsv4::llm {
namespace {

using chat_server::chunk;
using chat_server::event;
using nlohmann::ordered_json;

const std::string kDone = "data: [DONE]\n\n";

struct Heard {
  explicit Heard(const std::string& text) {
    stream.push(text);
    stream.finish();
  }

  std::string reasoning;
  std::string content;
  ChatStream stream{{[this](std::string_view piece) { reasoning += piece; },
                     [this](std::string_view piece) { content += piece; }}};
};

// What a server may send for one call in one chunk.
std::string call_chunk(const std::string& call) {
  return chunk({{"tool_calls", ordered_json::array({ordered_json::parse(call)})}});
}

}  // namespace

TEST_CASE("a turn is put together from its pieces") {
  const Heard heard(chunk({{"role", "assistant"}, {"content", nullptr}}) +
                    chunk({{"reasoning_content", "Let me "}, {"content", nullptr}}) +
                    chunk({{"reasoning_content", "see."}}) + chunk({{"content", "I "}}) +
                    chunk({{"content", "read."}}) +
                    chat_server::call_chunks(0, {"a", "read", R"({"path": "x"})"}) +
                    chat_server::call_chunks(1, {"b", "list", "{}"}) +
                    chunk(ordered_json::object(), "tool_calls") +
                    chat_server::usage_event(100, 20, 64) + kDone);
  REQUIRE(heard.stream.whole());
  REQUIRE(heard.reasoning == "Let me see.");
  REQUIRE(heard.content == "I read.");
  const WireMessage& message = heard.stream.message();
  REQUIRE(message.reasoning == "Let me see.");
  REQUIRE(message.reasoning_field == "reasoning_content");
  REQUIRE(message.calls.size() == 2);
  REQUIRE(message.calls[0].id == "a");
  REQUIRE(message.calls[0].arguments == R"({"path": "x"})");
  REQUIRE(message.calls[1].name == "list");
  REQUIRE(heard.stream.finish_reason() == "tool_calls");
  REQUIRE(heard.stream.usage()->prompt == 100);
  REQUIRE(heard.stream.usage()->completion == 20);
  REQUIRE(heard.stream.usage()->cached == 64);
}

TEST_CASE("what servers do differently is understood") {
  SECTION("reasoning under its other name, or both") {
    REQUIRE(Heard(chunk({{"reasoning", "hm"}}) + kDone).reasoning == "hm");
    const Heard both(chunk({{"reasoning", "hm"}, {"reasoning_content", "hm"}}) + kDone);
    REQUIRE(both.reasoning == "hm");
  }
  SECTION("pieces of two calls that come by turns") {
    const Heard heard(
        call_chunk(R"({"index":0,"id":"a","function":{"name":"x","arguments":"{"}})") +
        call_chunk(R"({"index":1,"id":"b","function":{"name":"y","arguments":"["}})") +
        call_chunk(R"({"index":0,"function":{"arguments":"}"}})") +
        call_chunk(R"({"index":1,"function":{"name":null,"arguments":"]"}})") + kDone);
    REQUIRE(heard.stream.message().calls.at(0).arguments == "{}");
    REQUIRE(heard.stream.message().calls.at(1).arguments == "[]");
  }
  SECTION("the name in every piece") {
    const Heard heard(
        call_chunk(R"({"index":0,"id":"a","function":{"name":"x","arguments":"{"}})") +
        call_chunk(R"({"index":0,"id":"a","function":{"name":"x","arguments":"}"}})") + kDone);
    REQUIRE(heard.stream.message().calls.at(0).name == "x");
    REQUIRE(heard.stream.message().calls.size() == 1);
  }
  SECTION("whole calls without an index") {
    const Heard heard(call_chunk(R"({"id":"a","function":{"name":"x","arguments":{"k":1}}})") +
                      call_chunk(R"({"id":"b","function":{"name":"x","arguments":"{}"}})") + kDone);
    REQUIRE(heard.stream.message().calls.size() == 2);
    REQUIRE(heard.stream.message().calls[0].arguments == R"({"k":1})");
  }
  SECTION("a reply that is not streamed") {
    const Heard heard(
        R"( {"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant",)"
        R"("content":"hi","tool_calls":[{"id":"a","type":"function","function":{"name":"x",)"
        R"("arguments":"{}"}}]},"finish_reason":"tool_calls"}],)"
        R"("usage":{"prompt_tokens":5,"completion_tokens":2,"prompt_cache_hit_tokens":3}})");
    REQUIRE(heard.stream.whole());
    REQUIRE(heard.content == "hi");
    REQUIRE(heard.stream.message().calls.at(0).name == "x");
    REQUIRE(heard.stream.usage()->cached == 3);
  }
  SECTION("[DONE] that never comes") {
    REQUIRE(
        Heard(chunk({{"content", "x"}}) + chunk(ordered_json::object(), "stop")).stream.whole());
  }
  SECTION("no finish_reason, but [DONE]") {
    REQUIRE(Heard(chunk({{"content", "x"}}) + kDone).stream.whole());
  }
  SECTION("bytes that are no UTF-8") {
    REQUIRE(Heard("data: {\"choices\":[{\"delta\":{\"content\":\"a\xff\"}}]}\n\n").content ==
            "a\xef\xbf\xbd");
  }
}

TEST_CASE("a turn that did not come to its end is not whole") {
  const std::string begun = chunk({{"content", "half"}});
  REQUIRE_FALSE(Heard(begun).stream.whole());
  REQUIRE_FALSE(Heard("").stream.whole());
  REQUIRE_FALSE(Heard("{\"choices\":[{\"message\":{\"content\":\"x\"").stream.whole());
  SECTION("an error in the middle, in each form") {
    for (const char* error :
         {R"({"error":{"message":"out of memory","code":500}})",
          R"({"object":"error","message":"out of memory","code":500})",
          R"({"error":{"message":"out of memory","type":"x","code":"internal"}})",
          R"({"error":"out of memory"})"}) {
      const Heard heard(begun + "data: " + error + "\n\n" + chunk({{"content", "more"}}) + kDone);
      REQUIRE_FALSE(heard.stream.whole());
      REQUIRE(heard.stream.error()->message == "out of memory");
      REQUIRE(heard.content == "half");
    }
  }
  SECTION("an event that cannot be read") {
    const Heard heard(begun + "data: {\"choices\":[{\n\n" + chunk(ordered_json::object(), "stop") +
                      kDone);
    REQUIRE_FALSE(heard.stream.whole());
  }
  SECTION("more calls than anybody means") {
    std::string calls;
    for (size_t i = 0; i < 300; ++i) calls += chat_server::call_chunks(i, {"a", "x", ""});
    REQUIRE_FALSE(Heard(calls + kDone).stream.whole());
  }
}

TEST_CASE("JSON of any other shape is passed over") {
  for (const char* odd :
       {"null", "[]", "3", "\"x\"", "{}", R"({"choices":null})", R"({"choices":[3,null,[]]})",
        R"({"choices":[{"delta":3}]})", R"({"choices":[{"delta":{"content":3}}]})",
        R"({"choices":[{"delta":{"tool_calls":[3,null,{"function":3},{"index":"x"}]}}]})",
        R"({"usage":{"prompt_tokens":-1}})", R"({"usage":{"prompt_tokens":"many"}})",
        R"({"choices":[{"index":1,"delta":{"content":"another"}}]})"}) {
    CAPTURE(odd);
    const Heard heard("data: " + std::string(odd) + "\n\n" + kDone);
    REQUIRE(heard.content.empty());
    REQUIRE(heard.stream.message().calls.empty());
    REQUIRE_FALSE(heard.stream.usage());
  }
}

TEST_CASE("messages go over the wire and back") {
  WireMessage message;
  message.role = "assistant";
  message.reasoning = "hm";
  message.reasoning_field = "reasoning";
  message.calls = {{"a", "x", "{\"k\": 1}"}};
  const ordered_json json = to_wire(message);
  REQUIRE(json.at("content") == "");  // null is refused by llama-cpp-python
  REQUIRE(json.at("reasoning") == "hm");
  const WireMessage back = message_from_wire(json);
  REQUIRE(to_wire(back) == json);
  const auto parts = ordered_json::parse(
      R"({"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]})");
  REQUIRE(message_from_wire(parts).content == "ab");
  for (const char* bad :
       {"3", "{}", R"({"role":3})", R"({"role":"user","content":3})",
        R"({"role":"user","content":[{"type":"image_url"}]})",
        R"({"role":"assistant","tool_calls":3})", R"({"role":"assistant","tool_calls":[{}]})"}) {
    CAPTURE(bad);
    REQUIRE_THROWS_AS(message_from_wire(ordered_json::parse(bad)), FormatError);
  }
  const auto schema = ordered_json::parse(R"({"name":"x","description":"","parameters":{}})");
  REQUIRE(tool_from_wire(tool_to_wire(schema)) == schema);
  REQUIRE_THROWS_AS(tool_from_wire(schema), FormatError);
}

}  // namespace dsv4::llm
