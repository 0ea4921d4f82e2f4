#pragma once

#include <memory>
#include <stop_token>

#include "agent/chat.h"
#include "agent/chat_log.h"
#include "agent/terminal/interactive.h"

namespace dsv4::agent::terminal {

// Opens the session that was asked for, and others that the person goes on with later. What it
// refers to must outlive it and the sessions.
class ChatOpener {
 public:
  ChatOpener(const InteractiveOptions& options, ChatModelOpener open, SessionIndex* sessions)
      : options_(options), open_(std::move(open)), sessions_(sessions) {}

  std::unique_ptr<Chat> first(Observer& observer, AskPerson ask, std::stop_token cancel) const {
    if (options_.resume) {
      return resume(open_saved_chat(sessions_, *options_.resume), observer, std::move(ask),
                    std::move(cancel));
    }
    return std::make_unique<Chat>(options_.chat, environment(observer, std::move(ask)),
                                  std::move(cancel));
  }

  // With the hooks of now, and the sandbox that it had but for what was typed for this process.
  std::unique_ptr<Chat> resume(SavedChat saved, Observer& observer, AskPerson ask,
                               std::stop_token cancel) const {
    static_cast<BoxOptions&>(saved.options) = options_.box.over(saved.options);
    saved.options.hooks = options_.chat.hooks;
    return std::make_unique<Chat>(std::move(saved), environment(observer, std::move(ask)),
                                  std::move(cancel));
  }

  SessionIndex* sessions() const { return sessions_; }

 private:
  ChatEnvironment environment(Observer& observer, AskPerson ask) const {
    return {open_, observer, std::move(ask), sessions_};
  }

  const InteractiveOptions options_;
  const ChatModelOpener open_;
  SessionIndex* const sessions_;
};

}  // namespace dsv4::agent::terminal
