#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "llm/chat_transport.h"
#include "llm/chat_wire.h"
#include "llm/conversation.h"
#include "llm/remote_conversation.h"

// A server of chat completions without a socket: what a scripted model says, as a server would send
// it. For tests of what is on the other side.
namespace chat_server {

namespace llm = dsv4::llm;
using nlohmann::ordered_json;

inline std::string event(const ordered_json& json) {
  return "data: " + llm::text_for_wire(json) + "\n\n";
}

inline std::string chunk(const ordered_json& delta, const char* finish = nullptr) {
  ordered_json choice = {{"index", 0}, {"delta", delta}, {"finish_reason", nullptr}};
  if (finish != nullptr) choice["finish_reason"] = finish;
  return event({{"id", "x"}, {"object", "chat.completion.chunk"}, {"choices", {choice}}});
}

inline std::string usage_event(int64_t prompt, int64_t completion, int64_t cached = -1) {
  llm::WireUsage usage{prompt, completion, std::nullopt};
  if (cached >= 0) usage.cached = cached;
  return event({{"object", "chat.completion.chunk"},
                {"choices", ordered_json::array()},
                {"usage", llm::to_wire(usage)}});
}

// A call in pieces of a few bytes, as servers stream it.
inline std::string call_chunks(size_t index, const llm::WireCall& call) {
  const auto piece = [&](ordered_json function, bool first) {
    ordered_json out = {{"index", index}, {"function", std::move(function)}};
    if (first) {
      out["id"] = call.id;
      out["type"] = "function";
    }
    return chunk({{"tool_calls", ordered_json::array({out})}});
  };
  std::string out = piece({{"name", call.name}, {"arguments", ""}}, true);
  for (size_t at = 0; at < call.arguments.size(); at += 7) {
    out += piece({{"arguments", call.arguments.substr(at, 7)}}, false);
  }
  return out;
}

// Tokens of one request.
struct Counts {
  int64_t prompt = 0;
  int64_t completion = 0;
  int64_t cached = 0;
};

// The stream of one turn.
inline std::string stream_of(const llm::Reply& reply, const Counts& counts, int turn) {
  std::string out = chunk({{"role", "assistant"}, {"content", ""}});
  if (!reply.reasoning.empty()) out += chunk({{"reasoning_content", reply.reasoning}});
  const std::string content = reply.raw.empty() ? reply.content : reply.raw;
  if (!content.empty()) out += chunk({{"content", content}});
  for (size_t i = 0; i < reply.calls.size(); ++i) {
    // ASCII, so that pieces may be cut anywhere.
    const std::string arguments = reply.calls[i].arguments.dump(-1, ' ', true);
    const std::string id = "id" + std::to_string(turn) + "-" + std::to_string(i);
    out += call_chunks(i, {id, reply.calls[i].name, arguments});
  }
  const char* finish = reply.finish == llm::Finish::kLength ? "length"
                       : reply.calls.empty()                ? "stop"
                                                            : "tool_calls";
  out += chunk(ordered_json::object(), finish);
  out += usage_event(counts.prompt, counts.completion, counts.cached);
  return out + "data: [DONE]\n\n";
}

// What a server does with one request.
struct Act {
  int status = 200;
  std::string body;
  bool breaks = false;  // the connection is cut after the body
};

class Transport : public llm::ChatTransport {
 public:
  using OnPost = std::function<Act(const ordered_json& request)>;

  explicit Transport(OnPost on_post) : on_post_(std::move(on_post)) {}

  Answer get(const std::string& path, std::stop_token) override {
    const auto found = pages.find(path);
    return found == pages.end() ? Answer{404, "{}"} : Answer{200, found->second};
  }

  Answer post(const std::string& path, const std::string& body,
              const std::function<void(std::string_view)>& on_bytes, std::stop_token) override {
    if (path != "chat/completions") throw llm::Error("asked for " + path);
    requests.push_back(ordered_json::parse(body));
    const Act act = on_post_(requests.back());
    if (act.status != 200) return {act.status, act.body};
    for (size_t at = 0; at < act.body.size(); at += piece) {
      on_bytes(std::string_view(act.body).substr(at, piece));
    }
    if (act.breaks) throw llm::StreamBroken("the connection to test:80 broke");
    return {200, ""};
  }

  bool pause(int n, std::stop_token cancel) override {
    pauses.push_back(n);
    return !cancel.stop_requested();
  }

  std::string place() const override { return "test:80"; }

  std::map<std::string, std::string> pages;
  std::vector<ordered_json> requests;
  std::vector<int> pauses;
  size_t piece = 11;  // bytes that come at once

 private:
  OnPost on_post_;
};

// All that is said in a request, one message after the other.
inline std::string text_of(const ordered_json& request) {
  std::string out;
  for (const ordered_json& json : request.at("messages")) {
    const llm::WireMessage message = llm::message_from_wire(json);
    out += message.reasoning + message.content;
    for (const llm::WireCall& call : message.calls) out += call.name + call.arguments;
    out += '\n';
  }
  return out;
}

}  // namespace chat_server
