#include <algorithm>
#include <iostream>

#include "agent/commands.h"
#include "agent/model_directory.h"
#include "agent/open_model.h"
#include "agent/terminal/interactive.h"

namespace dsv4::agent {
namespace {

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
  const std::string key = take_key(options.key, options.chat.endpoint || options.resume);
  return terminal::run_interactive(
      options, [&](const ModelChoice& choice, Observer& observer, std::stop_token cancel) {
        EndpointRun run;
        const bool other = choice.endpoint && options.key_is_for.value_or(choice.endpoint->url) !=
                                                  choice.endpoint->url;
        if (!other) run.key = key;
        run.on_note = [&observer](const std::string& sentence) { observer.on_note(sentence); };
        return open_chat_model(choice, std::move(run), std::move(cancel));
      });
}

}  // namespace dsv4::agent
