#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/endpoint.h"
#include "llm/encoding_parts.h"
#include "llm/remote_conversation.h"
#include "llm/scripted_conversation.h"
#include "tests/agent/chat_socket.h"

// A model that says what a script says, in one of the forms that an agent meets: in this process;
// or behind the protocol of chat completions, without a socket or with one. Which one, says
// DSV4_TEST_ENGINE (scripted, server or socket), so that the same tests run on each.
namespace test_engine {

namespace llm = dsv4::llm;

inline std::string_view name() {
  const char* value = std::getenv("DSV4_TEST_ENGINE");
  return value == nullptr ? "scripted" : value;
}

// The messages of a request as the context that a script looks at.
inline std::vector<llm::RecordedSegment> segments_of(const nlohmann::ordered_json& request) {
  std::vector<llm::RecordedSegment> out;
  for (const auto& json : request.at("messages")) {
    const llm::WireMessage message = llm::message_from_wire(json);
    std::vector<llm::ToolCall> calls;
    for (const llm::WireCall& call : message.calls) {
      calls.push_back({call.name, nlohmann::ordered_json::parse(call.arguments)});
    }
    std::vector<llm::Segment> text;
    llm::append_data(text, message.content);
    if (!calls.empty()) llm::append_calls(text, calls, llm::NoArguments::kNothing);
    const bool sampled = message.role == "assistant";
    out.push_back(
        {message.role, llm::join_text(text), false, sampled, static_cast<int>(out.size())});
  }
  return out;
}

struct Script {
  llm::ScriptedConversation::Script script;
  llm::ScriptedConversation::Options options;
};

// The options of the turn that this thread waits for.
inline const llm::ReplyOptions*& asked() {
  thread_local const llm::ReplyOptions* options = nullptr;
  return options;
}

inline int64_t tokens_of(const llm::RecordedSegment& segment) {
  return static_cast<int64_t>((segment.text.size() + 3) / 4);
}

// What a server does with a request: the turn that the script says, counted as by a server that
// computes nothing twice. `how` of a turn does not go over the wire.
inline chat_server::Act act(const Script& script, const nlohmann::ordered_json& request,
                            const llm::ReplyOptions& how) {
  std::vector<llm::RecordedSegment> context = segments_of(request);
  chat_server::Counts counts;
  for (const auto& segment : context) {
    counts.prompt += tokens_of(segment);
    if (segment.sampled) counts.cached = counts.prompt;
  }
  const auto end = static_cast<int>(context.size());
  const llm::Reply reply = script.script(context, how);
  std::vector<llm::Segment> text;
  llm::append_data(text, reply.raw.empty() ? reply.content : reply.raw);
  if (!reply.calls.empty()) llm::append_calls(text, reply.calls, llm::NoArguments::kNothing);
  context.push_back({"assistant", llm::join_text(text), false, true, end});
  counts.completion = tokens_of(context.back());
  if (script.options.on_reply) script.options.on_reply(context);
  return {200, chat_server::stream_of(reply, counts, end), false};
}

class Conversation : public llm::RemoteConversation {
 public:
  Conversation(std::shared_ptr<llm::ChatTransport> transport, llm::RemoteOptions options,
               std::shared_ptr<const llm::ReplyOptions*> shared, std::shared_ptr<void> server)
      : RemoteConversation(std::move(transport), std::move(options)),
        shared_(std::move(shared)),
        server_(std::move(server)) {}

  llm::Reply reply(const llm::ReplyOptions& options) override {
    asked() = &options;
    if (shared_) *shared_ = &options;
    return RemoteConversation::reply(options);
  }

  std::unique_ptr<llm::Conversation> fork() const override {
    return std::make_unique<Conversation>(*this);
  }

 private:
  std::shared_ptr<const llm::ReplyOptions*> shared_;  // with the server's thread
  std::shared_ptr<void> server_;
};

inline std::unique_ptr<llm::Conversation> open(llm::ScriptedConversation::Script script,
                                               llm::ScriptedConversation::Options options = {}) {
  if (name() == "scripted") {
    return std::make_unique<llm::ScriptedConversation>(std::move(script), std::move(options));
  }
  llm::RemoteOptions remote;
  remote.model = options.model_name;
  remote.window = options.window;
  const Script whole{std::move(script), std::move(options)};
  if (name() == "server") {
    auto transport = std::make_shared<chat_server::Transport>(
        [whole](const auto& request) { return act(whole, request, *asked()); });
    return std::make_unique<Conversation>(transport, remote, nullptr, nullptr);
  }
  const auto shared = std::make_shared<const llm::ReplyOptions*>(nullptr);
  const auto server = std::make_shared<ChatSocket>(
      [whole, shared](const auto& request) { return act(whole, request, **shared); });
  dsv4::agent::Endpoint endpoint;
  endpoint.url = server->url();
  return std::make_unique<Conversation>(dsv4::agent::http_transport(endpoint, {}), remote, shared,
                                        server);
}

}  // namespace test_engine
