#include "llm/serve/chat_response.h"

#include <utility>

#include "llm/utf8.h"

namespace dsv4::llm::serve {
namespace {

using Json = nlohmann::ordered_json;

// What is written came out of parsers and decoders that let nothing pass but UTF-8; an error's
// message may cite anything.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

const char* finish_reason(TurnEnd end) {
  switch (end) {
    case TurnEnd::kStop:
      return "stop";
    case TurnEnd::kCalls:
      return "tool_calls";
    case TurnEnd::kAsks:
      return "argument_choices";
    default:
      return "length";
  }
}

Json usage_json(const TurnUsage& usage) {
  return {{"prompt_tokens", usage.prompt},
          {"completion_tokens", usage.generated},
          {"total_tokens", usage.prompt + usage.generated},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached}}},
          {"completion_tokens_details", {{"reasoning_tokens", usage.reasoning}}}};
}

void add_places(const std::vector<ArgumentPlace>& places, Json& choice) {
  for (const ArgumentPlace& place : places) choice["argument_choices"].push_back(to_wire(place));
}

const char* type_of(int status) {
  if (status == 401) return "authentication_error";
  if (status == 403) return "permission_error";
  if (status == 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

}  // namespace

std::string error_body(int status, const std::string& message, const std::string& param,
                       const std::string& code) {
  return dump({{"error",
                {{"message", message},
                 {"type", type_of(status)},
                 {"param", or_null(param)},
                 {"code", or_null(code)}}}});
}

std::string error_body(const Refused& refused) {
  return error_body(refused.status(), refused.what(), refused.param(), refused.code());
}

std::string models_body(const std::string& model, int64_t window, int64_t created) {
  const Json entry = {{"id", model},
                      {"object", "model"},
                      {"created", created},
                      {"owned_by", "dsv4-agent"},
                      {"max_model_len", window},
                      {"extensions", {"prefix_token_ids", "argument_choices"}}};
  return dump({{"object", "list"}, {"data", Json::array({entry})}});
}

ResponseWriter::ResponseWriter(Kind kind, std::string id, int64_t created, std::string model,
                               bool stream_usage, bool tokens_as_ids)
    : chat_(kind == Kind::kChat),
      id_(std::move(id)),
      created_(created),
      model_(std::move(model)),
      stream_usage_(stream_usage),
      tokens_as_ids_(tokens_as_ids) {}

Json ResponseWriter::head(const char* object) const {
  return {{"id", (chat_ ? "chatcmpl-" : "cmpl-") + id_},
          {"object", object},
          {"created", created_},
          {"model", model_}};
}

Json ResponseWriter::token_json(const SaidToken& token) const {
  Json bytes = Json::array();
  for (const char byte : token.bytes) bytes.push_back(static_cast<unsigned char>(byte));
  return {{"token", tokens_as_ids_ ? "token_id:" + std::to_string(token.id)
                                   : utf8_replace_broken(token.bytes)},
          {"logprob", token.log_probability},
          {"bytes", std::move(bytes)}};
}

// null where no tokens were asked for.
Json ResponseWriter::logprobs(const std::vector<SaidToken>& tokens) const {
  if (tokens.empty()) return nullptr;
  Json content = Json::array();
  for (const SaidToken& token : tokens) {
    Json json = token_json(token);
    json["top_logprobs"] = Json::array();
    for (const SaidToken& other : token.best) json["top_logprobs"].push_back(token_json(other));
    content.push_back(std::move(json));
  }
  return {{"content", std::move(content)}};
}

Json ResponseWriter::calls_json(const std::vector<ToolCall>& calls) const {
  Json out = Json::array();
  for (size_t i = 0; i < calls.size(); ++i) {
    out.push_back(
        {{"id", call_id(i)},
         {"type", "function"},
         {"function", {{"name", calls[i].name}, {"arguments", dump(calls[i].arguments)}}}});
  }
  return out;
}

Json ResponseWriter::pieces_json(const std::vector<CallPiece>& pieces) const {
  Json out = Json::array();
  for (const CallPiece& piece : pieces) {
    Json json = {{"index", piece.call}};
    Json function = Json::object();
    if (!piece.name.empty()) {
      json["id"] = call_id(piece.call);
      json["type"] = "function";
      function["name"] = piece.name;
    }
    function["arguments"] = piece.arguments;
    json["function"] = std::move(function);
    out.push_back(std::move(json));
  }
  return out;
}

std::string ResponseWriter::whole(const Delta& all, TurnEnd end, const TurnUsage& usage,
                                  const std::vector<ArgumentPlace>& places) {
  Json json = head(chat_ ? "chat.completion" : "text_completion");
  Json choice = {{"index", 0}};
  if (chat_) {
    Json message = {{"role", "assistant"}};
    message["content"] = all.content.empty() && !all.calls.empty() ? Json() : Json(all.content);
    message["refusal"] = nullptr;
    if (!all.reasoning.empty()) message["reasoning_content"] = all.reasoning;
    if (!all.calls.empty()) message["tool_calls"] = calls_json(all.calls);
    choice["message"] = std::move(message);
  } else {
    choice["text"] = all.content;
  }
  choice["logprobs"] = logprobs(all.tokens);
  choice["finish_reason"] = finish_reason(end);
  add_places(places, choice);
  json["choices"] = Json::array({choice});
  json["usage"] = usage_json(usage);
  return dump(json);
}

Json ResponseWriter::chunk(Json choice) const {
  Json json = head(chat_ ? "chat.completion.chunk" : "text_completion");
  json["choices"] = Json::array({std::move(choice)});
  if (stream_usage_) json["usage"] = nullptr;
  return json;
}

std::string ResponseWriter::first() {
  if (!chat_) return "";
  return dump(chunk({{"index", 0},
                     {"delta", {{"role", "assistant"}, {"content", ""}}},
                     {"logprobs", nullptr},
                     {"finish_reason", nullptr}}));
}

std::string ResponseWriter::more(const Delta& delta) {
  Json choice = {{"index", 0}};
  if (chat_) {
    Json json = Json::object();
    if (!delta.reasoning.empty()) json["reasoning_content"] = delta.reasoning;
    if (!delta.content.empty()) json["content"] = delta.content;
    if (!delta.pieces.empty()) json["tool_calls"] = pieces_json(delta.pieces);
    choice["delta"] = std::move(json);
  } else {
    choice["text"] = delta.content;
  }
  choice["logprobs"] = logprobs(delta.tokens);
  choice["finish_reason"] = nullptr;
  return dump(chunk(std::move(choice)));
}

std::string ResponseWriter::last(TurnEnd end, const std::vector<ArgumentPlace>& places) {
  Json choice = {{"index", 0}};
  if (chat_) {
    choice["delta"] = Json::object();
  } else {
    choice["text"] = "";
  }
  choice["logprobs"] = nullptr;
  choice["finish_reason"] = finish_reason(end);
  add_places(places, choice);
  return dump(chunk(std::move(choice)));
}

std::string ResponseWriter::usage(const TurnUsage& usage) {
  Json json = head(chat_ ? "chat.completion.chunk" : "text_completion");
  json["choices"] = Json::array();
  json["usage"] = usage_json(usage);
  return dump(json);
}

}  // namespace dsv4::llm::serve
