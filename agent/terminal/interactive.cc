#include "agent/terminal/interactive.h"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <limits>
#include <sstream>
#include <string_view>

#include "agent/endpoint_options.h"
#include "agent/error.h"
#include "agent/option_values.h"
#include "agent/printable.h"
#include "agent/terminal/chat_opener.h"
#include "agent/terminal/plain_session.h"
#include "agent/terminal/terminal_session.h"

namespace dsv4::agent::terminal {
namespace {

namespace po = boost::program_options;

po::options_description described() {
  const auto text = [] { return po::value<std::string>(); };
  po::options_description all("options", 100);
  auto add = all.add_options();
  add("resume", text()->value_name("ID"), "go on with a session that was saved or cut short");
  add("repo", text()->value_name("DIR"), "the repository; else the one around you");
  add("test", text()->value_name("CMD"), "the command that `test` runs; else detected");
  add("model", text()->value_name("DIR"), "a DeepSeek-V4 checkpoint; else the embedded model");
  add_endpoint_options(&all);
  add("approve", text()->value_name("MODE"),
      "read-only, ask (the default) or auto: what the model may do without being asked about");
  add("max-turns", text()->value_name("N"), "turns that one message may take; 100 when left out");
  add("max-tokens", text()->value_name("N"),
      "tokens generated for one message; 131072 when left out");
  add("seed", text()->value_name("N"), "of what is drawn");
  add("run-dir", text()->value_name("DIR"), "keep the record there: a new directory");
  add_box_flags(&all);
  add("each-line", "in a pipe: every line is a message, not all of the input");
  add("help", "this text");
  return all;
}

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && value[0] != '\0';
}

// A reader that leaves (`dsv4-agent | head`) is no reason to die in the middle of a message.
class IgnoredPipeSignal {
 public:
  IgnoredPipeSignal() {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignore, &before_);
  }
  ~IgnoredPipeSignal() { ::sigaction(SIGPIPE, &before_, nullptr); }
  IgnoredPipeSignal(const IgnoredPipeSignal&) = delete;
  IgnoredPipeSignal& operator=(const IgnoredPipeSignal&) = delete;

 private:
  struct sigaction before_ {};
};

void take_defaults(const LimitDefaults& defaults, ChatOptions* options) {
  options->approval = defaults.approve.value_or(options->approval);
  options->limits.turns = static_cast<int>(defaults.max_turns.value_or(options->limits.turns));
  options->limits.tokens = defaults.max_tokens.value_or(options->limits.tokens);
  options->seed = static_cast<uint64_t>(defaults.seed.value_or(0));
}

}  // namespace

InteractiveOptions parse_interactive_arguments(const std::vector<std::string>& arguments,
                                               const UserConfig& config) {
  const po::variables_map values = read_options(arguments, described(), {}, "dsv4-agent --help");
  InteractiveOptions out;
  out.help = values.count("help") != 0;
  if (out.help) return out;
  ChatOptions& chat = out.chat;
  out.resume = text_value(values, "resume");
  for (const char* name : {"repo", "test", "model", "endpoint", "endpoint-model", "context",
                           "approve", "max-turns", "max-tokens", "seed", "run-dir"}) {
    if (out.resume && values.count(name) != 0) {
      throw UsageError("--" + std::string(name) + " is as it was in a session that is resumed");
    }
  }
  chat.repo = text_value(values, "repo");
  chat.test = text_value(values, "test");
  chat.model = text_value(values, "model");
  if (!out.resume) chat.endpoint = endpoint_value(values, config);
  // That of a session that is resumed is not known yet.
  out.key = key_value(values, config, out.resume ? config.endpoint : chat.endpoint);
  const bool typed = values.count("key-env") != 0 || values.count("key-command") != 0;
  if (out.resume && config.endpoint && !typed) out.key_is_for = config.endpoint->url;
  if (!chat.model && !chat.endpoint) chat.model = config.model;
  chat.run_dir = text_value(values, "run-dir").value_or("");
  out.box = box_flags(values);
  static_cast<BoxOptions&>(chat) = out.box.over({});
  out.each_line = values.count("each-line") != 0;
  chat.hooks = config.hooks;
  take_defaults(config.session, &chat);
  if (const auto mode = text_value(values, "approve")) {
    const auto approval = parse_approval(*mode);
    if (!approval) {
      throw UsageError("--approve " + printable_line(*mode, 60) + ": give read-only, ask or auto");
    }
    chat.approval = *approval;
  }
  constexpr int64_t kMany = 1'000'000;
  chat.limits.turns =
      static_cast<int>(whole_number(values, "max-turns", 1, chat.limits.turns, kMany));
  chat.limits.tokens = whole_number(values, "max-tokens", 1, chat.limits.tokens, 1000 * kMany);
  chat.seed = static_cast<uint64_t>(whole_number(values, "seed", 0, static_cast<int64_t>(chat.seed),
                                                 std::numeric_limits<int64_t>::max()));
  return out;
}

std::string interactive_help() {
  std::ostringstream text;
  text
      << "usage: dsv4-agent [options]\n\n"
         "A session in the terminal: you write messages, the model answers and works on a copy of\n"
         "the repository. Your tree is only changed when you say so. In a pipe the input is one\n"
         "message, or several with commands such as /test or /apply on lines between them.\n\n"
      << described();
  return text.str();
}

int run_interactive(const InteractiveOptions& options, const ChatModelOpener& open) {
  const IgnoredPipeSignal ignored;
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  const bool person = ::isatty(STDIN_FILENO) == 1;
  const bool drawn = ::isatty(STDOUT_FILENO) == 1 && !dumb;
  const bool colour = drawn && !is_set("NO_COLOR");
  const std::unique_ptr<SessionIndex> sessions = open_session_index();
  const ChatOpener chats(options, open, sessions.get());
  if (person && drawn) return TerminalSession(chats, colour).run();
  return run_plain(chats, {person, options.each_line, colour}, std::cout, std::cerr);
}

}  // namespace dsv4::agent::terminal
