#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stop_token>
#include <string>

#include "agent/http/retry.h"
#include "llm/chat_transport.h"
#include "llm/conversation.h"

namespace dsv4::agent {

// A server that speaks OpenAI's chat completions, and how it is used. Holds no key.
struct Endpoint {
  std::string url;                   // "https://host/v1"; without a path /v1 is meant
  std::optional<std::string> model;  // else the one that the server has
  std::optional<int64_t> context;    // tokens the model reads; else what the server says
  // Silence that is taken for the server's end: it is silent while it reads a long prompt.
  std::chrono::milliseconds timeout = std::chrono::minutes(10);
  bool keys_in_the_clear = false;  // the key goes over http:// to another machine, too
};

nlohmann::ordered_json to_json(const Endpoint& endpoint);
// Throws nlohmann::json::exception.
Endpoint endpoint_from(const nlohmann::ordered_json& json);

// Where the key comes from that an endpoint wants to see. Never from the command line, where every
// process of the machine could read it.
struct KeySource {
  std::string variable = "DSV4_API_KEY";
  std::optional<std::string> command;  // of sh; its output is the key. Comes before the variable.
};

// The key; empty where there is none. Takes the variable out of this process's environment, so that
// no process it starts gets to see it, and is therefore called before there is a second thread. The
// command is only run for an endpoint. Throws UsageError when it fails, and for what is no key: the
// message holds nothing of it.
std::string take_key(const KeySource& source, bool for_endpoint);

struct EndpointRun {
  std::string key;
  std::function<void(const std::string&)> on_note;  // told of retries; may be empty
  http::RetryHooks retry;                           // clock and sleep; on_retry is not asked
};

// Requests to an endpoint over HTTP. Throws llm::Error for a URL that cannot be used.
std::shared_ptr<llm::ChatTransport> http_transport(const Endpoint& endpoint, EndpointRun run);

// Asks the server for its model and opens a conversation with it. Where nobody says how much the
// model reads, it is taken to be 65,536 tokens. Throws llm::Error when the server cannot be reached
// or refuses.
std::unique_ptr<llm::Conversation> open_endpoint(const Endpoint& endpoint, EndpointRun run,
                                                 std::stop_token cancel);

}  // namespace dsv4::agent
