#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "llm/serve/engine.h"
#include "llm/serve/refused.h"

namespace dsv4::llm::serve {

// {"error": {"message", "type", "param", "code"}}. The type follows from the status.
std::string error_body(int status, const std::string& message, const std::string& param = "",
                       const std::string& code = "");
std::string error_body(const Refused& refused);

// The list of models, which has one.
std::string models_body(const std::string& model, int64_t window, int64_t created);

// Writes the answer to one request: whole, or as the data of server-sent events. All of it is JSON
// in one line.
class ResponseWriter {
 public:
  enum class Kind { kChat, kCompletion };

  // id: unique; the ids of tool calls are made from it. created: seconds since 1970. stream_usage:
  // whether a stream says its usage in the end, as stream_options asks for. tokens_as_ids: of
  // logprobs, "token_id:N" in place of the token's text.
  ResponseWriter(Kind kind, std::string id, int64_t created, std::string model, bool stream_usage,
                 bool tokens_as_ids = false);

  // places: of a turn that ends as kAsks.
  std::string whole(const Delta& all, TurnEnd end, const TurnUsage& usage,
                    const std::vector<ArgumentPlace>& places = {});

  // A stream: first(), more() for what comes, last().
  std::string first();
  std::string more(const Delta& delta);
  std::string last(TurnEnd end, const std::vector<ArgumentPlace>& places = {});
  std::string usage(const TurnUsage& usage);  // after last(), where stream_usage says so

 private:
  nlohmann::ordered_json head(const char* object) const;
  nlohmann::ordered_json chunk(nlohmann::ordered_json choice) const;
  nlohmann::ordered_json token_json(const SaidToken& token) const;
  nlohmann::ordered_json logprobs(const std::vector<SaidToken>& tokens) const;
  nlohmann::ordered_json calls_json(const std::vector<ToolCall>& calls) const;
  nlohmann::ordered_json pieces_json(const std::vector<CallPiece>& pieces) const;
  std::string call_id(size_t call) const { return "call_" + id_ + "_" + std::to_string(call); }

  bool chat_;
  std::string id_;
  int64_t created_;
  std::string model_;
  bool stream_usage_;
  bool tokens_as_ids_;
};

}  // namespace dsv4::llm::serve
