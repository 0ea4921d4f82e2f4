#include "llm/call_guide.h"
#include "llm/serve/chat_request.h"
#include "llm/serve/refused.h"
#include "tests/catch.h"

namespace dsv4::llm::serve {
namespace {

using nlohmann::ordered_json;

ordered_json minimal() {
  return {{"model", "nano"}, {"messages", {{{"role", "user"}, {"content", "Hello"}}}}};
}

// The field that the refusal names, or "-" when nothing was refused.
std::string refused(const std::string& body) {
  try {
    parse_chat_request(body);
    return "-";
  } catch (const Refused& error) {
    CHECK(error.status() == 400);
    CHECK(std::string(error.what()).size() > 10);
    return error.param();
  }
}

std::string refused_with(const std::string& field, const std::string& value) {
  ordered_json json = minimal();
  json[field] = ordered_json::parse(value);
  return refused(json.dump());
}

std::string refused_messages(const std::string& messages) {
  return refused(R"({"model": "nano", "messages": )" + messages + "}");
}

ordered_json tools(const std::string& function) {
  return ordered_json::parse(R"([{"type": "function", "function": )" + function + "}]");
}

}  // namespace

TEST_CASE("a chat request is read with everything it may say") {
  const ChatRequest request = parse_chat_request(R"({
    "model": "nano", "temperature": 0.5, "top_p": 0.9, "top_k": 40, "min_p": 0.1, "seed": 7,
    "max_tokens": 10, "max_completion_tokens": 20, "stop": ["a", "b"], "stream": true,
    "stream_options": {"include_usage": true}, "n": 1, "user": "me", "logit_bias": null,
    "frequency_penalty": 0, "response_format": {"type": "text"}, "parallel_tool_calls": false,
    "tools": [{"type": "function", "function": {"name": "read", "parameters": {"type": "object",
      "properties": {"path": {"type": "string"}}, "required": ["path"]}}}],
    "messages": [
      {"role": "system", "content": "Be brief."},
      {"role": "developer", "content": [{"type": "text", "text": "Now."}]},
      {"role": "user", "content": [{"type": "text", "text": "Read "},
                                   {"type": "text", "text": "it"}]},
      {"role": "assistant", "content": null, "reasoning_content": "Hm.", "tool_calls": [
        {"id": "c1", "type": "function", "function":
          {"name": "read", "arguments": "{\"path\": \"x\"}"}}]},
      {"role": "tool", "tool_call_id": "c1", "content": "text of x"}]})");
  const Generation& generation = request.generation;
  CHECK(generation.sampling.temperature == 0.5);
  CHECK(generation.sampling.top_p == 0.9);
  CHECK(generation.sampling.top_k == 40);
  CHECK(generation.sampling.min_p == 0.1);
  CHECK(generation.seeded);
  CHECK(generation.sampling.seed == 7);
  CHECK(generation.max_tokens == 20);
  CHECK(generation.stop == std::vector<std::string>{"a", "b"});
  CHECK(generation.stream);
  CHECK(generation.include_usage);
  CHECK(request.one_call);
  CHECK(request.may_call);
  REQUIRE(request.messages.size() == 5);
  CHECK(request.messages[1].role == ChatMessage::Role::kSystem);
  CHECK(request.messages[2].parts == std::vector<std::string>{"Read ", "it"});
  CHECK(request.messages[3].reasoning == "Hm.");
  REQUIRE(request.messages[3].calls.size() == 1);
  CHECK(request.messages[3].calls[0].arguments == ordered_json{{"path", "x"}});
  CHECK(request.messages[4].call_id == "c1");
}

TEST_CASE("what is not supported is refused, and the field is named") {
  CHECK(refused(minimal().dump()) == "-");
  CHECK(refused_with("n", "2") == "n");
  CHECK(refused_with("n", "1") == "-");
  CHECK(refused_with("logprobs", "true") == "-");
  CHECK(refused_with("logprobs", "5") == "logprobs");
  CHECK(refused_with("top_logprobs", "21") == "top_logprobs");
  CHECK(refused_with("top_logprobs", "2") == "top_logprobs");  // without logprobs
  CHECK(refused_with("prefix_token_ids", R"("x")") == "prefix_token_ids");
  CHECK(refused_with("prefix_token_ids", "[1.5]") == "prefix_token_ids");
  CHECK(refused_with("prefix_token_ids", "[-1]") == "prefix_token_ids");
  CHECK(refused_with("argument_choices", "{}") == "argument_choices");
  CHECK(refused_with("argument_choices", R"([{"tool": "x"}])") == "argument_choices");
  CHECK(refused_with("argument_choices", R"([{"tool": "x", "parameter": "y", "values": [3]}])") ==
        "argument_choices");
  CHECK(refused_with("argument_choices", R"([{"tool": "x", "parameter": "y", "earlier": "z"}])") ==
        "argument_choices");
  CHECK(refused_with("argument_choices", R"([{"tool": "x", "parameter": "y", "arguments": 3}])") ==
        "argument_choices");
  CHECK(refused_with("argument_choices", R"([{"tool": "x", "parameter": "y"}])") == "-");
  CHECK(refused_with("response_format", R"({"type": "json_object"})") == "response_format");
  CHECK(refused_with("frequency_penalty", "0.5") == "frequency_penalty");
  CHECK(refused_with("logit_bias", R"({"5": 1})") == "logit_bias");
  CHECK(refused_with("tool_choice", R"("required")") == "tool_choice");  // of no tools
  CHECK(refused_with("tool_choice", R"({"type": "function", "function": {"name": "x"}})") ==
        "tool_choice");
  CHECK(refused_with("tool_choice", R"("sometimes")") == "tool_choice");
  CHECK(refused_with("tool_choice", R"("none")") == "-");
  CHECK(refused_with("functions", "[]") == "functions");
  CHECK(refused_with("anything_else", "1") == "anything_else");
  CHECK(refused_with("anything_else", "null") == "-");
  CHECK(refused_with("stream_options", R"({"include_usage": true})") == "stream_options");
}

TEST_CASE("values that change nothing are taken, whoever's fields they are") {
  const std::pair<const char*, const char*> neutral[] = {
      {"n", "1"},
      {"user", R"("me")"},
      {"frequency_penalty", "0"},
      {"presence_penalty", "0.0"},
      {"repetition_penalty", "1.0"},
      {"length_penalty", "1.0"},
      {"logprobs", "false"},
      {"top_logprobs", "0"},
      {"logit_bias", "{}"},
      {"stream_options", "null"},
      {"stream_options", "{}"},
      {"stream_options", R"({"include_usage": false})"},
      {"store", "false"},
      {"metadata", "{}"},
      {"response_format", R"({"type": "text"})"},
      {"seed", "null"},
      {"stop", "null"},
      {"stop", "[]"},
      {"tools", "[]"},
      {"tool_choice", R"("none")"},
      {"verbosity", R"("medium")"},
      {"modalities", R"(["text"])"},
      {"best_of", "1"},
      {"echo", "false"},
      {"min_tokens", "0"},
      {"skip_special_tokens", "true"},
      {"stop_token_ids", "[]"},
      {"suffix", R"("")"},
      {"use_beam_search", "false"},
      {"top_k", "0"},
      {"min_p", "0"},
      {"ignore_eos", "false"}};
  for (const auto& [field, value] : neutral) {
    INFO(field);
    CHECK(refused_with(field, value) == "-");
  }
  for (const char* field : {"best_of", "length_penalty", "min_tokens", "skip_special_tokens",
                            "stop_token_ids", "use_beam_search", "echo", "suffix", "verbosity"}) {
    INFO(field);
    CHECK(refused_with(field, "5") == field);
  }
}

TEST_CASE("calls with arguments that are no object are a model's mistake, not their client's") {
  const auto arguments = [](const std::string& text) {
    return parse_chat_request(
               R"({"model": "m", "messages": [{"role": "user", "content": "x"}, {"role":
               "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": ")" +
               text + R"("}}]}, {"role": "user", "content": "y"}]})")
        .messages[1]
        .calls[0]
        .arguments;
  };
  CHECK(arguments("") == ordered_json::object());
  CHECK(arguments("null") == ordered_json::object());
  CHECK(arguments("[1]") == ordered_json{{"arguments", "[1]"}});
  CHECK(arguments("5") == ordered_json{{"arguments", "5"}});
  CHECK(arguments("{") == ordered_json{{"arguments", "{"}});
}

TEST_CASE("values of the wrong type or out of range are refused") {
  CHECK(refused_with("temperature", "2.5") == "temperature");
  CHECK(refused_with("temperature", "-0.1") == "temperature");
  CHECK(refused_with("temperature", R"("hot")") == "temperature");
  CHECK(refused_with("top_p", "1.5") == "top_p");
  CHECK(refused_with("top_p", "0") == "-");
  CHECK(refused_with("top_k", "1.5") == "top_k");
  CHECK(refused_with("top_k", "-1") == "-");
  CHECK(refused_with("max_tokens", "0") == "max_tokens");
  CHECK(refused_with("max_tokens", "18446744073709551615") == "max_tokens");
  CHECK(refused_with("max_tokens", "1e300") == "max_tokens");
  CHECK(refused_with("seed", "-5") == "-");
  CHECK(refused_with("seed", "1e99") == "seed");
  CHECK(refused_with("stop", R"([""])") == "stop");
  CHECK(refused_with("stop", "[5]") == "stop");
  CHECK(refused_with("stream", "1") == "stream");
  CHECK(refused_with("model", "5") == "model");
  CHECK(refused_with("model", "null") == "model");
}

TEST_CASE("messages that make no conversation are refused where they are wrong") {
  CHECK(refused_messages("[]") == "messages");
  CHECK(refused_messages("{}") == "messages");
  CHECK(refused_messages("[5]") == "messages[0]");
  CHECK(refused_messages(R"([{"role": "wizard", "content": "x"}])") == "messages[0].role");
  CHECK(refused_messages(R"([{"role": "user"}])") == "messages[0].content");
  CHECK(refused_messages(R"([{"role": "user", "content": 5}])") == "messages[0].content");
  CHECK(
      refused_messages(
          R"([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}])") ==
      "messages[0].content[0]");
  CHECK(refused_messages(R"([{"role": "system", "content": "x"}])") == "messages");
  CHECK(refused_messages(
            R"([{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}])") ==
        "messages");
  const std::string after = R"([{"role": "user", "content": "x"}, )";
  CHECK(refused_messages(after + R"({"role": "tool", "tool_call_id": "c", "content": "y"}])") ==
        "messages[1].tool_call_id");
  CHECK(refused_messages(after + R"({"role": "assistant", "tool_calls": [{"id": "c"}]}])") ==
        "messages[1].tool_calls[0]");
}

TEST_CASE("tools that no call could be made of are refused") {
  const auto with = [](const std::string& function) {
    ordered_json json = minimal();
    json["tools"] = tools(function);
    return refused(json.dump());
  };
  CHECK(with(R"({"name": "read"})") == "-");
  CHECK(with(R"({"name": "read \"it\""})") == "tools[0].function.name");
  CHECK(with(R"({"name": ""})") == "tools[0].function.name");
  CHECK(with(R"({"name": "a", "parameters": []})") == "tools[0]");
  CHECK(with(R"({"name": "a", "parameters": {"properties": []}})") == "tools[0]");
  CHECK(with(R"({"name": "a", "parameters": {"properties": {"x\"y": {}}}})") == "tools[0]");
  CHECK(with(R"({"name": "a", "parameters": {"properties": {}, "required": [1]}})") == "tools[0]");
}

TEST_CASE("bodies that are meant to hurt are refused before they are read") {
  CHECK(refused("") == "");
  CHECK(refused("[1]") == "");
  CHECK(refused("{\"model\": \"a\xff\"}") == "");
  CHECK(refused(std::string(5000, '[')) == "");
  CHECK(refused("{\"a\":" + std::string(200, '[') + std::string(200, ']') + "}") == "");
  std::string many = "{\"messages\": {";
  for (int i = 0; i < 5000; ++i) many += "\"k" + std::to_string(i) + "\":0,";
  CHECK(refused(many + "\"z\":0}}") == "");
  std::string list = "{\"messages\": [0";
  for (int64_t i = 0; i <= kMostValues; ++i) list += ",0";
  CHECK(refused(list + "]}") == "");
  // The arguments of a call are JSON inside of JSON.
  const std::string deep = std::string(300, '[') + std::string(300, ']');
  const ChatRequest request = parse_chat_request(
      R"({"model": "m", "messages": [{"role": "user", "content": "x"}, {"role": "assistant",
      "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": ")" +
      deep + R"("}}]}, {"role": "user", "content": "y"}]})");
  CHECK(request.messages[1].calls[0].arguments == ordered_json{{"arguments", deep}});
}

TEST_CASE("a completion's prompt is text or ids") {
  CHECK(parse_completion_request(R"({"model": "m", "prompt": "once"})").text == "once");
  CHECK(parse_completion_request(R"({"model": "m", "prompt": ["once"]})").text == "once");
  CHECK(parse_completion_request(R"({"model": "m", "prompt": [1, 2]})").ids ==
        std::vector<int32_t>{1, 2});
  CHECK(parse_completion_request(R"({"model": "m", "prompt": [[1, 2]]})").ids ==
        std::vector<int32_t>{1, 2});
  for (const char* prompt : {R"(["a", "b"])", "[-1]", "[1.5]", "[99999999999]", "[]", "{}"}) {
    CHECK_THROWS_AS(
        parse_completion_request(std::string(R"({"model": "m", "prompt": )") + prompt + "}"),
        Refused);
  }
}

TEST_CASE("schemas of every kind can guide a call") {
  ordered_json json = minimal();
  json["tools"] = tools(R"({"name": "a", "parameters": {"type": "object", "properties": {
      "optional": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
      "anything": true, "reference": {"$ref": "#/x"}, "object": {"properties": {}}}}})");
  json["tools"].push_back(tools(R"({"name": "b"})")[0]);
  const ChatRequest request = parse_chat_request(json.dump());
  const auto schemas = guide_schemas(request.tools);
  CHECK(schemas[0]["parameters"]["properties"]["optional"]["type"] == "integer");
  CHECK(schemas[0]["parameters"]["properties"]["object"]["type"] == "object");
  CallGuide guide(schemas, {});
  guide.begin_turn();
  CHECK(guide.allows("<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"b\">\n</｜DSML｜invoke>\n"));
}

}  // namespace dsv4::llm::serve
