#pragma once

#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "agent/chat.h"
#include "agent/chat_log.h"
#include "agent/terminal/line.h"

namespace dsv4::agent::terminal {

// What a command has to do with the person.
struct Desk {
  std::function<void(Lines)> show;
  // One of the keys; the last of them when Esc was pressed or the work stopped; nothing where there
  // is nobody to ask.
  std::function<std::optional<char>(const std::string& question, const std::string& keys)> choose;
  std::function<Lines(size_t number)> expand;  // a tool call, whole
  std::stop_token cancel;
  bool typed = false;                // by a person at a terminal
  SessionIndex* sessions = nullptr;  // null where there is none
  bool quit = false;                 // the session is over
  std::optional<SavedChat> next;     // and this one goes on instead
};

// One command of the session. `run` works with the session, one after another with messages;
// `look` only shows something and is done at once, also while the model works.
struct SlashCommand {
  std::string_view name;  // without the slash
  std::string_view arguments;
  std::string_view summary;  // one line of /help
  void (*run)(Chat& chat, Desk& desk, const std::string& arguments);
  void (*look)(Desk& desk, const std::string& arguments);
};

std::span<const SlashCommand> slash_commands();

// "/fork [NAME]"
std::string slash_usage(const SlashCommand& command);

// A line of input as a command and its arguments; nothing when it is a message: it does not begin
// with a slash and a word. A word that is no command's name gives a null command.
struct Slash {
  const SlashCommand* command = nullptr;
  std::string word;
  std::string arguments;
};
std::optional<Slash> parse_slash(const std::string& line);

// Shows what the session changed, proves it on a fresh copy, and makes it in the user's tree if it
// is wanted: by `keys` that the person may press (the first one applies), or without a question
// where approval is auto and the proof is good. The key, or nothing where nobody was asked.
std::optional<char> offer_changes(Chat& chat, Desk& desk, const std::string& patch,
                                  const std::string& question, const std::string& keys);

}  // namespace dsv4::agent::terminal
