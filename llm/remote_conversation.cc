#include "llm/remote_conversation.h"

#include <algorithm>
#include <cmath>

#include "llm/chat_stream.h"
#include "llm/encoding.h"
#include "llm/encoding_json.h"
#include "llm/encoding_parts.h"
#include "llm/error.h"
#include "llm/server_words.h"

namespace dsv4::llm {
namespace {

using nlohmann::ordered_json;

// What the format takes around a message, about.
constexpr size_t kMessageBytes = 16;
// A turn that a server has no room for is asked for with less and less, down to this many tokens.
constexpr int64_t kSmallestTurn = 256;
// No token is so long, and no turn without tokens: a server may send without end.
constexpr int64_t kMostBytesOfToken = 256;
constexpr int64_t kMostBytesBeside = 64 << 10;

constexpr const char* kNotDone = "Error: the call was not done.";
constexpr const char* kCallsAsText =
    "Error: the call came as text and was not done: the server does not read this model's tool "
    "calls. Call the tool through the tool interface. (For whoever runs the server: vLLM and "
    "SGLang read them with --tool-call-parser, llama.cpp with --jinja.)";

size_t bytes_of(const WireMessage& message) {
  size_t bytes = kMessageBytes + message.content.size() + message.reasoning.size();
  for (const WireCall& call : message.calls) bytes += call.name.size() + call.arguments.size();
  return bytes;
}

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
  if (static_cast<int64_t>(stream.bytes()) <= most) return;
  throw StreamBroken("it says far more than the " + std::to_string(tokens) +
                     " tokens that it was asked for");
}

// Passes a turn's text on as it comes: reasoning, its end marker, what is said.
class Spoken {
 public:
  explicit Spoken(const std::function<void(std::string_view)>& on_text) : on_text_(on_text) {}

  ChatStream::Listeners listeners() {
    return {[this](std::string_view piece) {
              thinks_ = true;
              say(piece);
            },
            [this](std::string_view piece) {
              if (thinks_ && !speaks_) say(marker::kEndThink);
              speaks_ = true;
              say(piece);
            }};
  }

 private:
  void say(std::string_view piece) {
    if (on_text_) on_text_(piece);
  }

  const std::function<void(std::string_view)>& on_text_;
  bool thinks_ = false;
  bool speaks_ = false;
};

}  // namespace

RemoteConversation::RemoteConversation(std::shared_ptr<ChatTransport> transport,
                                       RemoteOptions options)
    : transport_(std::move(transport)), options_(std::move(options)) {}

int64_t RemoteConversation::estimate(size_t bytes) const {
  return static_cast<int64_t>(std::ceil(static_cast<double>(bytes) * tokens_per_byte_));
}

int64_t RemoteConversation::context() const {
  return full_ ? options_.window : known_ + estimate(unknown_bytes_);
}

void RemoteConversation::add(std::vector<WireMessage> added) {
  size_t bytes = 0;
  for (const WireMessage& message : added) bytes += bytes_of(message);
  const int64_t after = context() + estimate(bytes);
  if (after > options_.window) {
    throw WindowError("the context is full: it would hold about " + std::to_string(after) +
                      " tokens, but " + options_.model + " reads " +
                      std::to_string(options_.window) +
                      "; use a smaller repository or issue, or a model with a larger window");
  }
  unknown_bytes_ += bytes;
  bytes_ += bytes;
  for (WireMessage& message : added) parts_.push_back(std::move(message));
  open_calls_.clear();
}

void RemoteConversation::system(std::string_view text, const std::vector<ordered_json>& tools) {
  WireMessage message;
  message.role = "system";
  message.content = text;
  size_t bytes = 0;
  for (const ordered_json& tool : tools) bytes += text_for_wire(tool).size();
  add({message});
  tools_ = tools;
  unknown_bytes_ += bytes;
  bytes_ += bytes;
}

// Every call has its result, or servers refuse the conversation.
void RemoteConversation::answer_open_calls(std::vector<WireMessage>* added,
                                           const std::string& with) const {
  for (size_t i = added->size(); i < open_calls_.size(); ++i) {
    WireMessage message;
    message.role = "tool";
    message.content = with;
    message.call_id = open_calls_[i];
    added->push_back(message);
  }
}

void RemoteConversation::user(std::string_view part) {
  std::vector<WireMessage> added;
  answer_open_calls(&added, kNotDone);
  WireMessage message;
  message.role = "user";
  message.content = part;
  added.push_back(message);
  add(std::move(added));
}

void RemoteConversation::tool_results(std::span<const std::string> results) {
  if (results.size() > open_calls_.size()) {
    throw FormatError("tool results", "there are more than the last turn had calls");
  }
  std::vector<WireMessage> added;
  for (size_t i = 0; i < results.size(); ++i) {
    WireMessage message;
    message.role = "tool";
    message.content = results[i];
    message.call_id = open_calls_[i];
    added.push_back(message);
  }
  answer_open_calls(&added, kNotDone);
  add(std::move(added));
}

bool RemoteConversation::prefill(const PrefillProgress&, std::stop_token cancel) {
  return !cancel.stop_requested();
}

std::vector<WireMessage> RemoteConversation::messages() const {
  std::vector<WireMessage> out;
  for (const WireMessage& part : parts_) {
    if (part.role == "user" && !out.empty() && out.back().role == "user") {
      out.back().content += part.content;
    } else {
      out.push_back(part);
    }
  }
  return out;
}

std::string RemoteConversation::request(const ReplyOptions& options, int64_t max_tokens,
                                        bool stream) const {
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
  return text_for_wire(json);
}

Reply RemoteConversation::reply(const ReplyOptions& options) {
  int64_t most = std::min(options.max_tokens, options_.window - context());
  most = std::max<int64_t>(most, 1);
  bool streams = streams_;
  for (int broken = 0;;) {
    Spoken spoken(options.on_text);
    ChatStream stream(spoken.listeners());
    ChatTransport::Answer answer{200, ""};
    std::string why = "it ended before the turn did";
    bool cut = false;
    try {
      answer = transport_->post(
          "chat/completions", request(options, most, streams),
          [&](std::string_view bytes) {
            stream.push(bytes);
            check_length(stream, most);
          },
          options.cancel);
    } catch (const StreamBroken& error) {
      why = error.what();
      cut = true;
    } catch (const Error&) {
      if (!options.cancel.stop_requested()) throw;
    }
    stream.finish();
    const std::string raw = as_turn(stream.message().reasoning, stream.message().content, {});
    if (options.cancel.stop_requested()) return stopped(stream, raw);
    // Some servers stream no turn that may call tools, and some of those say so by hanging up.
    const bool mute = answer.ok() ? stream.empty() && !cut : speaks_of_streaming(answer.body);
    if (mute && streams) {
      streams = false;
      continue;
    }
    const bool no_room =
        (answer.status == 400 || answer.status == 413) && speaks_of_length(answer.body);
    if (no_room && most <= kSmallestTurn) return too_long();
    if (no_room) {
      most = std::max(kSmallestTurn, most / 2);
      continue;
    }
    if (!answer.ok()) refuse(answer);
    if (stream.whole()) {
      streams_ = streams;
      return accept(stream, raw, most);
    }
    if (stream.foreign()) {
      throw Error("what came from " + transport_->place() + " is no chat completion but " +
                  what_came(stream.front()) + "; is the URL right, and no proxy in between?");
    }
    if (stream.empty() && !cut) why = "its reply is empty";
    if (stream.fault()) why = *stream.fault();
    if (stream.error()) why = "it says: " + said_in(stream.error()->message);
    if (++broken >= options_.most_broken || (stream.error() && !may_pass(*stream.error()))) {
      throw Error("the server at " + transport_->place() + " does not finish its turn, tried " +
                  std::to_string(broken) + (broken == 1 ? " time: " : " times: ") + why);
    }
    Reply lost;
    lost.raw = raw;
    lost.tokens = estimate(stream.bytes());
    usage_.generated += lost.tokens;
    if (options.on_taken_back) options.on_taken_back(lost, why);
    if (!transport_->pause(broken, options.cancel)) return stopped(stream, raw);
  }
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

// Takes over what the server counted.
void RemoteConversation::count(const ChatStream& stream, int64_t said) {
  const WireUsage counted = stream.usage().value_or(WireUsage{context(), said, std::nullopt});
  const int64_t cached = counted.cached.value_or(0);
  const int64_t computed = counted.prompt - cached;
  const int64_t before = std::min(known_, counted.prompt);  // had been in the prompt or was said
  usage_.prefilled += computed;
  usage_.cached += cached;
  usage_.restored += std::max<int64_t>(0, cached - before);
  usage_.reprefilled += std::max<int64_t>(0, computed - (counted.prompt - before));
  usage_.generated += counted.completion;
  if (stream.usage() && counted.prompt > 0 && bytes_ > 0) {
    const double found = static_cast<double>(counted.prompt) / static_cast<double>(bytes_);
    tokens_per_byte_ = std::clamp(found, 1.0 / 16, 1.0);
  }
  known_ = counted.prompt + counted.completion;
  unknown_bytes_ = 0;
}

Reply RemoteConversation::accept(const ChatStream& stream, std::string raw, int64_t most) {
  WireMessage message = stream.message();
  Reply reply;
  reply.raw = std::move(raw);
  reply.reasoning = message.reasoning;
  reply.content = message.content;
  reply.finish = stream.finish_reason() == "length" ? Finish::kLength : Finish::kStop;
  reply.tokens =
      stream.usage() ? stream.usage()->completion : std::min(most, estimate(stream.bytes()));
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
  count(stream, reply.tokens);
  for (WireCall& call : message.calls) {
    if (call.id.empty()) call.id = "call_" + std::to_string(++calls_);
  }
  bytes_ += bytes_of(message);
  open_calls_.clear();
  for (const WireCall& call : message.calls) open_calls_.push_back(call.id);
  parts_.push_back(std::move(message));
  return reply;
}

// What was said so far stays, as it would have been heard; calls are not made of half a turn.
Reply RemoteConversation::stopped(const ChatStream& stream, std::string raw) {
  Reply reply;
  reply.finish = Finish::kCancelled;
  reply.raw = std::move(raw);
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

std::unique_ptr<Conversation> RemoteConversation::fork() const {
  return std::make_unique<RemoteConversation>(*this);
}

Usage RemoteConversation::usage() const {
  Usage usage = usage_;
  usage.context = context();
  return usage;
}

ordered_json RemoteConversation::save(const std::filesystem::path&) {
  ordered_json parts = ordered_json::array();
  const bool first = saved_ == 0;
  for (; saved_ < parts_.size(); ++saved_) parts.push_back(to_wire(parts_[saved_]));
  ordered_json saved = {{"model", options_.model},   {"parts", std::move(parts)},
                        {"open_calls", open_calls_}, {"usage", usage()},
                        {"known", known_},           {"unknown_bytes", unknown_bytes_},
                        {"bytes", bytes_},           {"tokens_per_byte", tokens_per_byte_},
                        {"calls", calls_},           {"full", full_}};
  if (first) saved["tools"] = tools_;
  return saved;
}

void RemoteConversation::resume(std::span<const ordered_json> saved, const std::filesystem::path&) {
  try {
    for (const ordered_json& part : saved) {
      const auto model = part.at("model").get<std::string>();
      if (model != options_.model) {
        throw Error("the conversation was with " + model + ", but the server has " +
                    options_.model);
      }
      for (const ordered_json& each : part.at("parts")) parts_.push_back(message_from_wire(each));
      part.at("open_calls").get_to(open_calls_);
      part.at("usage").get_to(usage_);
      part.at("known").get_to(known_);
      part.at("unknown_bytes").get_to(unknown_bytes_);
      part.at("bytes").get_to(bytes_);
      part.at("tokens_per_byte").get_to(tokens_per_byte_);
      part.at("calls").get_to(calls_);
      part.at("full").get_to(full_);
      if (part.contains("tools")) tools_ = part["tools"].get<std::vector<ordered_json>>();
    }
  } catch (const ordered_json::exception& error) {
    throw FormatError("saved conversation", error.what());
  }
  saved_ = parts_.size();
}

}  // namespace dsv4::llm
