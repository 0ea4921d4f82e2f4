#include <algorithm>
#include <iostream>

#include "agent/commands.h"
#include "agent/model_directory.h"
#include "agent/open_model.h"
#include "agent/terminal/interactive.h"

namespace dsv4::agent {
namespace {

ChatModel open_chat_model(const std::optional<std::string>& named) {
  ChatModel model;
  model.conversation = open_model(named);
  model.repairs_only = is_embedded_model(named);
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
  return terminal::run_interactive(options, open_chat_model);
}

}  // namespace dsv4::agent
