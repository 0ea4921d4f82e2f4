#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "llm/chat_wire.h"
#include "llm/event_stream.h"

namespace dsv4::llm {

// Puts one reply together from what a server sends: a stream of chat.completion.chunk events, or a
// whole chat.completion where the server does not stream. Nothing a server may send is an
// exception.
class ChatStream {
 public:
  // What was thought and said, as it comes: pieces of valid UTF-8. Either may be empty.
  struct Listeners {
    std::function<void(std::string_view)> on_reasoning;
    std::function<void(std::string_view)> on_content;
  };

  explicit ChatStream(Listeners listeners);
  ChatStream(const ChatStream&) = delete;
  ChatStream& operator=(const ChatStream&) = delete;

  void push(std::string_view bytes);
  // The connection has ended, well or not.
  void finish();

  // The reply came to its end: a finish_reason or [DONE] was seen, and no error.
  bool whole() const { return (ended_ || done_) && !error_ && !fault_; }
  const WireMessage& message() const { return message_; }
  const std::string& finish_reason() const { return finish_reason_; }
  const std::optional<WireUsage>& usage() const { return usage_; }
  // What the server said instead of going on.
  const std::optional<WireError>& error() const { return error_; }
  // What is wrong with what it sent: a sentence part.
  const std::optional<std::string>& fault() const { return fault_; }
  // Nothing came but blanks.
  bool empty() const { return !begun_; }
  // What came is neither events nor JSON, from its first bytes on.
  bool foreign() const;
  const std::string& front() const { return front_; }  // the first bytes that came
  size_t bytes() const;                                // of what was thought, said and called

  // One token of the reply, where a server gives their ids ("token_id:N") in its logprobs.
  struct Token {
    int32_t id = 0;
    std::string bytes;
    double log_probability = 0.0;
    std::vector<Token> best;  // that might have come in its place; may hold it
  };
  const std::vector<Token>& tokens() const { return tokens_; }
  // The arguments whose choices the server wants to be told, as it sent them.
  const std::vector<nlohmann::ordered_json>& places() const { return places_; }

 private:
  void data(std::string_view text);
  void take(const nlohmann::ordered_json& json);
  void take_choice(const nlohmann::ordered_json& choice);
  void take_text(const nlohmann::ordered_json& delta);
  void take_tokens(const nlohmann::ordered_json& choice);
  void take_call(const nlohmann::ordered_json& delta, size_t place);

  Listeners listeners_;
  EventStream events_;
  std::string front_;
  std::string whole_body_;  // of a server that does not stream
  bool streams_ = false;
  bool begun_ = false;
  WireMessage message_;
  std::vector<int64_t> indexes_;  // of message_.calls
  std::vector<Token> tokens_;
  std::vector<nlohmann::ordered_json> places_;
  std::string finish_reason_;
  bool ended_ = false;
  bool done_ = false;
  std::optional<WireUsage> usage_;
  std::optional<WireError> error_;
  std::optional<std::string> fault_;
  bool understood_ = false;  // an event, or a whole JSON, has come
};

}  // namespace dsv4::llm
