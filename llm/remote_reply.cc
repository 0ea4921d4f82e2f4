// What a server is asked for a turn, and what is made of its answer.
#include <algorithm>

#include "llm/encoding.h"
#include "llm/encoding_json.h"
#include "llm/encoding_parts.h"
#include "llm/error.h"
#include "llm/remote_asked.h"
#include "llm/server_words.h"

namespace dsv4::llm {
namespace {

using nlohmann::ordered_json;

// A turn that a server has no room for is asked for with less and less, down to this many tokens.
constexpr int64_t kSmallestTurn = 256;
// No token is so long, and no turn without tokens: a server may send without end.
constexpr int64_t kMostBytesOfToken = 256;
constexpr int64_t kMostBytesBeside = 64 << 10;

constexpr const char* kCallsAsText =
    "Error: the call came as text and was not done: the server does not read this model's tool "
    "calls. Call the tool through the tool interface. (For whoever runs the server: vLLM and "
    "SGLang read them with --tool-call-parser, llama.cpp with --jinja.)";

// How the models that servers are run with most begin a call.
bool looks_like_calls(std::string_view content) {
  constexpr std::string_view kBegins[] = {"<tool_call>",          "<function=", "<|tool_call",
                                          "[TOOL_CALLS]",         "<｜tool",    "<|python_tag|>",
                                          "<|channel|>commentary"};
  return std::any_of(std::begin(kBegins), std::end(kBegins), [&](std::string_view begin) {
    return content.find(begin) != std::string_view::npos;
  });
}

bool has_dsml(std::string_view content) {
  return content.find(std::string("<") + std::string(marker::kDsml)) != std::string_view::npos;
}

// A turn as DeepSeek-V4 writes it, which is how runs are recorded.
std::string as_turn(const std::string& reasoning, const std::string& content,
                    const std::vector<ToolCall>& calls) {
  std::vector<Segment> out;
  if (!reasoning.empty()) {
    append_data(out, reasoning);
    append_markup(out, marker::kEndThink);
  }
  append_data(out, content);
  if (!calls.empty()) append_calls(out, calls, NoArguments::kNothing);
  return join_text(out);
}

// The calls of a turn; `malformed` where one cannot be read.
std::vector<ToolCall> read_calls(const std::vector<WireCall>& calls,
                                 std::optional<std::string>* malformed) {
  std::vector<ToolCall> out;
  for (const WireCall& call : calls) {
    ordered_json arguments = ordered_json::object();
    const bool none = call.arguments.find_first_not_of(" \t\r\n") == std::string::npos;
    try {
      if (!none) arguments = parse_foreign_json(call.arguments, "arguments");
    } catch (const FormatError&) {
      arguments = nullptr;
    }
    if (call.name.empty() || !arguments.is_object()) {
      *malformed = "Error: the arguments of " + (call.name.empty() ? "a call" : call.name) +
                   " are no JSON object, so no call was done. Call again.";
      return {};
    }
    out.push_back({call.name, std::move(arguments)});
  }
  return out;
}

// The calls as text, for a turn that keeps them in the context though they mean nothing.
std::string unreadable_text(const WireMessage& message) {
  std::string out = message.content;
  for (const WireCall& call : message.calls) {
    if (!out.empty()) out += '\n';
    out += call.name + ' ' + call.arguments;
  }
  return out;
}

void check_length(const ChatStream& stream, int64_t tokens) {
  const int64_t most = kMostBytesBeside + kMostBytesOfToken * std::min<int64_t>(tokens, 1 << 20);
  const bool few = static_cast<int64_t>(stream.tokens().size()) <= tokens;
  if (few && static_cast<int64_t>(stream.bytes()) <= most) return;
  throw StreamBroken("it says far more than the " + std::to_string(tokens) +
                     " tokens that it was asked for");
}

// What was thought and said, as a turn without calls.
std::string heard(const ChatStream& stream) {
  return as_turn(stream.message().reasoning, stream.message().content, {});
}

// Why a stream is no whole turn; what came may be passed by when it is asked for again.
std::string trouble(const ChatStream& stream, const std::optional<std::string>& cut) {
  if (stream.error()) return "it says: " + said_in(stream.error()->message);
  if (stream.fault()) return *stream.fault();
  if (cut) return *cut;
  return stream.empty() ? "its reply is empty" : "it ended before the turn did";
}

}  // namespace

std::string RemoteConversation::request(const ReplyOptions& options, int64_t max_tokens,
                                        bool stream, const ordered_json& more) const {
  ordered_json json = {{"model", options_.model}, {"messages", ordered_json::array()}};
  for (const WireMessage& message : messages()) json["messages"].push_back(to_wire(message));
  if (!tools_.empty()) json["tools"] = ordered_json::array();
  for (const ordered_json& tool : tools_) json["tools"].push_back(tool_to_wire(tool));
  // What is meant without it, but llama-cpp-python takes that for "none".
  if (!tools_.empty()) json["tool_choice"] = "auto";
  const Sampling& sampling = options.sampling;
  json["max_tokens"] = max_tokens;
  json["temperature"] = sampling.temperature;
  json["top_p"] = sampling.top_p;
  // Not every server knows these, and some refuse what they do not know.
  if (sampling.top_k > 0) json["top_k"] = sampling.top_k;
  if (sampling.min_p > 0) json["min_p"] = sampling.min_p;
  if (sampling.temperature > 0) json["seed"] = sampling.seed & 0x7fffffff;  // some have 32 bits
  json["stream"] = stream;
  if (stream) json["stream_options"] = {{"include_usage", true}};
  json.update(more);
  return text_for_wire(json);
}

Reply RemoteConversation::reply(const ReplyOptions& options) {
  if (options_.steered && (options.guide != nullptr || options.refuse)) {
    return steered_reply(options);
  }
  Asked asked(options, turn_tokens(options));
  ask(options, ordered_json::object(), asked);
  if (asked.end == Asked::End::kStopped) return stopped(asked);
  if (asked.end == Asked::End::kNoRoom) return too_long();
  WireMessage message;
  Reply reply = read(asked, message);
  accept(asked, reply, std::move(message));
  return reply;
}

int64_t RemoteConversation::turn_tokens(const ReplyOptions& options) const {
  return std::max<int64_t>(1, std::min(options.max_tokens, options_.window - context()));
}

// Asks until there is a whole answer.
void RemoteConversation::ask(const ReplyOptions& options, const ordered_json& more, Asked& asked) {
  bool streams = streams_;
  for (int broken = 0;;) {
    ChatStream& stream = asked.stream.emplace(asked.spoken.begin());
    ChatTransport::Answer answer{200, ""};
    std::optional<std::string> cut;
    try {
      answer = transport_->post(
          "chat/completions", request(options, asked.most, streams, more),
          [&](std::string_view bytes) {
            stream.push(bytes);
            check_length(stream, asked.most);
          },
          options.cancel);
    } catch (const StreamBroken& error) {
      cut = error.what();
    } catch (const Error&) {
      if (!options.cancel.stop_requested()) throw;
    }
    stream.finish();
    asked.end = Asked::End::kStopped;
    if (options.cancel.stop_requested()) return;
    // Some servers stream no turn that may call tools, and some of those say so by hanging up.
    const bool mute = answer.ok() ? stream.empty() && !cut : speaks_of_streaming(answer.body);
    if (mute && streams) {
      streams = false;
      continue;
    }
    const bool no_room =
        (answer.status == 400 || answer.status == 413) && speaks_of_length(answer.body);
    asked.end = Asked::End::kNoRoom;
    if (no_room && asked.most <= kSmallestTurn) return;
    if (no_room) {
      asked.most = std::max(kSmallestTurn, asked.most / 2);
      continue;
    }
    if (!answer.ok()) refuse(answer);
    asked.end = Asked::End::kWhole;
    if (stream.whole()) {
      streams_ = streams;
      return;
    }
    ++broken;
    take_back(options, asked, trouble(stream, cut), broken);
    asked.end = Asked::End::kStopped;
    if (!transport_->pause(broken, options.cancel)) return;
  }
}

// A stream that broke off: its turn can be asked for again, or it is an error.
void RemoteConversation::take_back(const ReplyOptions& options, Asked& asked,
                                   const std::string& why, int broken) {
  const ChatStream& stream = *asked.stream;
  if (stream.foreign()) {
    throw Error("what came from " + transport_->place() + " is no chat completion but " +
                what_came(stream.front()) + "; is the URL right, and no proxy in between?");
  }
  if (broken >= options_.most_broken || (stream.error() && !may_pass(*stream.error()))) {
    throw Error("the server at " + transport_->place() + " does not finish its turn, tried " +
                std::to_string(broken) + (broken == 1 ? " time: " : " times: ") + why);
  }
  Reply lost;
  lost.raw = heard(stream);
  lost.tokens = estimate(stream.bytes());
  usage_.generated += lost.tokens;
  asked.spoken.forget();
  if (options.on_taken_back) options.on_taken_back(lost, why);
}

void RemoteConversation::refuse(const ChatTransport::Answer& answer) const {
  const std::string said = said_in(answer.body);
  const std::string place = transport_->place();
  const std::string status = std::to_string(answer.status);
  if (answer.status == 401 || answer.status == 403) {
    throw Error("the server at " + place + " refuses the key (status " + status + "): " + said);
  }
  throw Error("the server at " + place + " refuses to answer (status " + status + "): " + said);
}

WireUsage RemoteConversation::counted(const ChatStream& stream, int64_t said) const {
  return stream.usage().value_or(WireUsage{context(), said, std::nullopt});
}

// Takes over what the server counted.
void RemoteConversation::count(const WireUsage& counted) {
  const int64_t cached = counted.cached.value_or(0);
  const int64_t computed = counted.prompt - cached;
  const int64_t before = std::min(known_, counted.prompt);  // had been in the prompt or was said
  usage_.prefilled += computed;
  usage_.cached += cached;
  usage_.restored += std::max<int64_t>(0, cached - before);
  usage_.reprefilled += std::max<int64_t>(0, computed - (counted.prompt - before));
  usage_.generated += counted.completion;
  if (counted.prompt > 0 && bytes_ > 0) {
    const double found = static_cast<double>(counted.prompt) / static_cast<double>(bytes_);
    tokens_per_byte_ = std::clamp(found, 1.0 / 16, 1.0);
  }
  known_ = counted.prompt + counted.completion;
  unknown_bytes_ = 0;
}

// What a whole turn says; `message` is how it goes back to the server.
Reply RemoteConversation::read(const Asked& asked, WireMessage& message) const {
  const ChatStream& stream = *asked.stream;
  message = stream.message();
  Reply reply;
  reply.raw = heard(stream);
  reply.reasoning = message.reasoning;
  reply.content = message.content;
  reply.finish = stream.finish_reason() == "length" ? Finish::kLength : Finish::kStop;
  reply.tokens =
      stream.usage() ? stream.usage()->completion : std::min(asked.most, estimate(stream.bytes()));
  if (message.calls.empty() && has_dsml(message.content)) {
    Reply read = parse_reply(message.content, false);
    reply.content = read.content;
    reply.calls = std::move(read.calls);
    reply.malformed = std::move(read.malformed);
    for (const ToolCall& call : reply.calls) {
      message.calls.push_back({"", call.name, text_for_wire(call.arguments)});
    }
    if (!reply.calls.empty()) message.content = reply.content;
  } else if (message.calls.empty() && looks_like_calls(message.content)) {
    reply.malformed = kCallsAsText;
  } else {
    reply.calls = read_calls(message.calls, &reply.malformed);
    if (!reply.calls.empty()) reply.raw = as_turn(reply.reasoning, reply.content, reply.calls);
  }
  // A call that was cut off is no call that went wrong.
  if (reply.malformed && reply.finish == Finish::kLength) reply.malformed.reset();
  if (reply.calls.empty() && !message.calls.empty()) {
    message.content = unreadable_text(message);
    message.calls.clear();
    reply.raw = as_turn(reply.reasoning, message.content, {});
  }
  return reply;
}

// The turn stands.
void RemoteConversation::accept(const Asked& asked, const Reply& reply, WireMessage message) {
  count(counted(*asked.stream, reply.tokens));
  for (WireCall& call : message.calls) {
    if (call.id.empty()) call.id = "call_" + std::to_string(++calls_);
  }
  bytes_ += bytes_of(message);
  open_calls_.clear();
  for (const WireCall& call : message.calls) open_calls_.push_back(call.id);
  parts_.push_back(std::move(message));
}

// What was said so far stays, as it would have been heard; calls are not made of half a turn.
Reply RemoteConversation::stopped(const Asked& asked) {
  const ChatStream& stream = *asked.stream;
  Reply reply;
  reply.finish = Finish::kCancelled;
  reply.raw = heard(stream);
  reply.reasoning = stream.message().reasoning;
  reply.content = stream.message().content;
  reply.tokens = estimate(stream.bytes());
  usage_.generated += reply.tokens;
  if (reply.content.empty()) return reply;
  WireMessage message = stream.message();
  message.calls.clear();
  unknown_bytes_ += bytes_of(message);
  bytes_ += bytes_of(message);
  open_calls_.clear();
  parts_.push_back(std::move(message));
  return reply;
}

Reply RemoteConversation::too_long() {
  full_ = true;
  Reply reply;
  reply.finish = Finish::kLength;
  return reply;
}

}  // namespace dsv4::llm
