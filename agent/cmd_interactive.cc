#include <algorithm>
#include <iostream>

#include "agent/commands.h"
#include "agent/model_directory.h"
#include "agent/open_model.h"
#include "agent/printable.h"
#include "agent/terminal/interactive.h"

namespace dsv4::agent {
namespace {

// Gives the key to one URL only: the one that it was meant for, or else the first that is opened.
class KeyKeeper {
 public:
  KeyKeeper(std::string key, std::optional<std::string> url)
      : key_(std::move(key)), url_(std::move(url)) {}

  std::string key_for(const std::string& url, Observer& observer) {
    if (!url_) url_ = url;
    if (*url_ == url) return key_;
    if (!key_.empty()) {
      observer.on_note("no key is sent to " + printable_line(url, 200) +
                       ": the one that is known "
                       "is for " +
                       printable_line(*url_, 200) +
                       "; `dsv4-agent --endpoint` with "
                       "--key-env or --key-command begins a session with another");
    }
    return "";
  }

 private:
  const std::string key_;
  std::optional<std::string> url_;
};

ChatModel open_chat_model(const ModelChoice& choice, EndpointRun run, std::stop_token cancel) {
  ChatModel model;
  model.repairs_only = !choice.endpoint && is_embedded_model(choice.directory);
  model.conversation = open_choice(choice, std::move(run), std::move(cancel));
  model.name = model.repairs_only ? "nano" : model.conversation->model_name();
  return model;
}

}  // namespace

int cmd_interactive(const std::vector<std::string>& arguments) {
  const bool help = std::find(arguments.begin(), arguments.end(), "--help") != arguments.end();
  const terminal::InteractiveOptions options =
      terminal::parse_interactive_arguments(arguments, help ? UserConfig() : read_user_config());
  if (options.help) {
    std::cout << terminal::interactive_help();
    return 0;
  }
  // Also where no server is named yet: /model may name one.
  const std::string key = take_key(options.key, true);
  std::optional<std::string> key_is_for = options.key_is_for;
  if (options.chat.endpoint) key_is_for = options.chat.endpoint->url;
  KeyKeeper keys(key, key_is_for);
  return terminal::run_interactive(
      options, [&](const ModelChoice& choice, Observer& observer, std::stop_token cancel) {
        EndpointRun run;
        if (choice.endpoint) run.key = keys.key_for(choice.endpoint->url, observer);
        run.on_note = [&observer](const std::string& sentence) { observer.on_note(sentence); };
        return open_chat_model(choice, std::move(run), std::move(cancel));
      });
}

}  // namespace dsv4::agent
