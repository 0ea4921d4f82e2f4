#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "llm/chat_stream.h"
#include "llm/encoding.h"
#include "llm/remote_conversation.h"

namespace dsv4::llm {

// Passes a turn's text on as it comes: reasoning, its end marker, what is said.
class Spoken {
 public:
  explicit Spoken(const std::function<void(std::string_view)>& on_text) : on_text_(on_text) {}

  // The server begins the turn anew: what was passed on already is passed over.
  ChatStream::Listeners begin() {
    thought_ = said_ = 0;
    return {[this](std::string_view piece) { say(piece, thought_, thoughts_); },
            [this](std::string_view piece) {
              if (thoughts_ > 0 && saids_ == 0 && on_text_) on_text_(marker::kEndThink);
              say(piece, said_, saids_);
            }};
  }

  // What was passed on has been taken back.
  void forget() { thoughts_ = saids_ = 0; }

 private:
  // `come` bytes have come of this beginning, `passed` were passed on of any.
  void say(std::string_view piece, size_t& come, size_t& passed) {
    come += piece.size();
    if (come <= passed) return;
    const std::string_view fresh =
        piece.substr(piece.size() - std::min(piece.size(), come - passed));
    passed = come;
    if (on_text_) on_text_(fresh);
  }

  const std::function<void(std::string_view)>& on_text_;
  size_t thought_ = 0, said_ = 0;    // bytes
  size_t thoughts_ = 0, saids_ = 0;  // bytes
};

// What asking for a turn, or for more of one, came to.
struct RemoteConversation::Asked {
  Asked(const ReplyOptions& options, int64_t tokens) : most(tokens), spoken(options.on_text) {}

  enum class End {
    kWhole,    // `stream` is a turn, or as much of it as the server says
    kStopped,  // the stop token fired
    kNoRoom,   // the server finds the context too long
  };

  int64_t most;  // tokens of the turn; becomes less where the server has no room for them
  Spoken spoken;
  std::optional<ChatStream> stream;
  End end = End::kWhole;
};

}  // namespace dsv4::llm
