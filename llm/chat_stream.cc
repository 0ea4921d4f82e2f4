#include "llm/chat_stream.h"

#include <algorithm>
#include <charconv>

namespace dsv4::llm {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMostCalls = 256;  // of one turn
constexpr size_t kFront = 2048;     // bytes kept of what came first
constexpr size_t kMostBest = 32;    // tokens that might have come in place of one

const ordered_json* member(const ordered_json& json, const char* name) {
  const auto found = json.is_object() ? json.find(name) : json.end();
  return !json.is_object() || found == json.end() || found->is_null() ? nullptr : &*found;
}

std::string text_member(const ordered_json& json, const char* name) {
  const ordered_json* found = member(json, name);
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

// Nothing where it is no token with an id.
std::optional<ChatStream::Token> token_of(const ordered_json& json) {
  constexpr std::string_view kId = "token_id:";
  const std::string text = text_member(json, "token");
  const ordered_json* share = member(json, "logprob");
  const ordered_json* bytes = member(json, "bytes");
  if (!text.starts_with(kId) || share == nullptr || !share->is_number()) return std::nullopt;
  ChatStream::Token token;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + kId.size(), end, token.id);
  if (read.ec != std::errc() || read.ptr != end || token.id < 0) return std::nullopt;
  token.log_probability = share->get<double>();
  if (bytes == nullptr || !bytes->is_array()) return std::nullopt;
  for (const ordered_json& byte : *bytes) {
    if (!byte.is_number_integer()) return std::nullopt;
    token.bytes += static_cast<char>(byte.get<int64_t>());
  }
  return token;
}

}  // namespace

ChatStream::ChatStream(Listeners listeners)
    : listeners_(std::move(listeners)), events_([this](std::string_view text) { data(text); }) {
  message_.role = "assistant";
}

void ChatStream::push(std::string_view bytes) {
  if (!begun_) {
    const size_t first = bytes.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return;
    begun_ = true;
    streams_ = bytes[first] != '{';
  }
  front_.append(bytes.substr(0, kFront - std::min(kFront, front_.size())));
  if (streams_) {
    events_.push(bytes);
  } else {
    whole_body_ += bytes;
  }
}

void ChatStream::finish() {
  if (streams_) {
    events_.finish();
  } else if (const auto json = json_from_wire(whole_body_)) {
    understood_ = true;
    take(*json);
    if (member(*json, "choices") == nullptr && !error_) fault_ = "it sent JSON without any choices";
  }
}

bool ChatStream::foreign() const {
  if (!begun_ || understood_ || !streams_) return false;
  const auto begins = [this](std::string_view field) {
    return front_.starts_with(field) || field.starts_with(front_);
  };
  return !begins("data") && !begins("event") && !begins("id") && !begins("retry") && !begins(":") &&
         !begins("\xef\xbb\xbf");
}

size_t ChatStream::bytes() const {
  size_t bytes = message_.content.size() + message_.reasoning.size();
  for (const WireCall& call : message_.calls) bytes += call.name.size() + call.arguments.size();
  return bytes;
}

void ChatStream::data(std::string_view text) {
  understood_ = true;
  if (text == "[DONE]") {
    done_ = true;
    return;
  }
  // An event that cannot be read has lost something of the turn.
  if (const auto json = json_from_wire(text)) {
    take(*json);
  } else if (!fault_) {
    fault_ = "it sent an event that is no JSON";
  }
}

void ChatStream::take(const ordered_json& json) {
  if (error_ || fault_) return;
  error_ = error_from_wire(json);
  if (error_) return;
  if (const ordered_json* usage = member(json, "usage")) {
    if (const auto read = usage_from_wire(*usage)) usage_ = read;
  }
  const ordered_json* choices = member(json, "choices");
  if (choices == nullptr || !choices->is_array()) return;
  for (const ordered_json& choice : *choices) take_choice(choice);
}

void ChatStream::take_choice(const ordered_json& choice) {
  const ordered_json* index = member(choice, "index");
  if (index != nullptr && *index != 0) return;  // one was asked for
  const ordered_json* delta = member(choice, "delta");
  if (delta == nullptr) delta = member(choice, "message");
  if (delta != nullptr) {
    take_text(*delta);
    const ordered_json* calls = member(*delta, "tool_calls");
    if (calls != nullptr && calls->is_array()) {
      for (size_t i = 0; i < calls->size(); ++i) take_call((*calls)[i], i);
    }
  }
  take_tokens(choice);
  const ordered_json* places = member(choice, "argument_choices");
  if (places != nullptr && places->is_array()) places_.assign(places->begin(), places->end());
  const std::string reason = text_member(choice, "finish_reason");
  if (reason.empty()) return;
  ended_ = true;
  finish_reason_ = reason;
}

void ChatStream::take_text(const ordered_json& delta) {
  for (const char* field : {"reasoning_content", "reasoning"}) {
    const std::string thought = text_member(delta, field);
    if (thought.empty()) continue;
    message_.reasoning_field = field;
    message_.reasoning += thought;
    if (listeners_.on_reasoning) listeners_.on_reasoning(thought);
    break;  // some send both, for clients of either kind
  }
  const std::string said = text_member(delta, "content");
  if (said.empty()) return;
  message_.content += said;
  if (listeners_.on_content) listeners_.on_content(said);
}

void ChatStream::take_tokens(const ordered_json& choice) {
  const ordered_json* shares = member(choice, "logprobs");
  const ordered_json* content = shares == nullptr ? nullptr : member(*shares, "content");
  if (content == nullptr || !content->is_array()) return;
  for (const ordered_json& each : *content) {
    std::optional<Token> token = token_of(each);
    if (!token) continue;
    const ordered_json* best = member(each, "top_logprobs");
    if (best != nullptr && best->is_array()) {
      for (const ordered_json& other : *best) {
        if (token->best.size() == kMostBest) break;
        if (auto read = token_of(other)) token->best.push_back(*std::move(read));
      }
    }
    tokens_.push_back(*std::move(token));
  }
}

// A piece of a call. Pieces belong together by "index"; a server that leaves it out sends a call
// whole, or goes on with the last one.
void ChatStream::take_call(const ordered_json& delta, size_t place) {
  const ordered_json* function = member(delta, "function");
  if (function == nullptr || !function->is_object()) return;
  const ordered_json* given = member(delta, "index");
  const std::string id = text_member(delta, "id");
  const std::string name = text_member(*function, "name");
  int64_t index = static_cast<int64_t>(place);
  if (given != nullptr && given->is_number_integer()) {
    index = given->get<int64_t>();
  } else if (!indexes_.empty()) {
    const bool begins = !name.empty() && (id.empty() || id != message_.calls.back().id);
    index = indexes_.back() + (begins ? 1 : 0);
  }
  const auto found = std::find(indexes_.begin(), indexes_.end(), index);
  const auto at = static_cast<size_t>(found - indexes_.begin());
  if (found == indexes_.end()) {
    if (indexes_.size() == kMostCalls) {
      fault_ = "it makes more calls in one turn than can be meant";
      return;
    }
    indexes_.push_back(index);
    message_.calls.emplace_back();
  }
  WireCall& call = message_.calls[at];
  if (!id.empty()) call.id = id;
  if (call.name.empty()) call.name = name;  // repeated by some in every piece
  const ordered_json* arguments = member(*function, "arguments");
  if (arguments == nullptr) return;
  call.arguments +=
      arguments->is_string() ? arguments->get<std::string>() : text_for_wire(*arguments);
}

}  // namespace dsv4::llm
