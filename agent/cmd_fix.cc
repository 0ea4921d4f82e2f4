#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "agent/commands.h"
#include "agent/fix.h"
#include "agent/fix_options.h"
#include "agent/fix_result.h"
#include "agent/live_view.h"
#include "agent/open_model.h"
#include "agent/standard_input.h"
#include "agent/stop.h"

namespace dsv4::agent {
namespace {

bool is_given(const std::vector<std::string>& arguments, const char* option) {
  return std::find(arguments.begin(), arguments.end(), option) != arguments.end();
}

}  // namespace

int cmd_fix(const std::vector<std::string>& arguments) {
  FixArguments parsed;
  std::string key;
  try {
    const bool help = is_given(arguments, "--help");
    parsed = parse_fix_arguments(arguments, help ? UserConfig() : read_user_config());
    key = take_key(parsed.key, parsed.options.endpoint.has_value());
  } catch (const std::exception& error) {
    const bool json = is_given(arguments, "--json");
    return show_failure(error.what(), json);
  }
  if (parsed.help) {
    std::cout << fix_help();
    return 0;
  }
  parsed.options.model = parsed.model;
  if (!parsed.model && !parsed.options.endpoint)
    parsed.options.model_name = "nano";  // the embedded model, wherever it lies
  const Stop stop(parsed.options.time_limit);
  LiveView view(std::cerr, live_view_options_for_stderr());
  Observer silent;
  const std::unique_ptr<SessionIndex> sessions = open_session_index();
  DescriptorInput input(STDIN_FILENO, stop.token());
  Observer& observer = parsed.quiet ? silent : static_cast<Observer&>(view);
  const FixEnvironment environment{
      input, [&] { return open_for_fix(parsed.options, key, observer, stop.token()); }, observer,
      stop, sessions.get()};
  return show_result(run_fix(parsed.options, environment), parsed.json);
}

}  // namespace dsv4::agent
