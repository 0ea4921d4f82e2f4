#include <algorithm>
#include <boost/program_options.hpp>
#include <iostream>

#include "agent/box_options.h"
#include "agent/commands.h"
#include "agent/config_file.h"
#include "agent/duration.h"
#include "agent/endpoint_options.h"
#include "agent/error.h"
#include "agent/fix_result.h"
#include "agent/fix_settings.h"
#include "agent/live_view.h"
#include "agent/open_model.h"
#include "agent/option_values.h"
#include "agent/printable.h"
#include "agent/stop.h"

namespace dsv4::agent {
namespace {

namespace po = boost::program_options;

struct Arguments {
  std::string id;
  std::optional<std::chrono::milliseconds> time_limit;
  po::variables_map values;
  BoxFlags box;
  bool json = false;
  bool quiet = false;
  bool help = false;
};

po::options_description described() {
  po::options_description all("options", 100);
  auto add = all.add_options();
  add("time-limit", po::value<std::string>()->value_name("TIME"),
      "for what is to come, such as 90s, 30m, 2h; else what is left of the run's own");
  add_box_flags(&all);
  add_key_options(&all);
  add("json", "print one JSON object on stdout");
  add("quiet", "no live view on stderr");
  add("help", "this text");
  return all;
}

Arguments parse(const std::vector<std::string>& arguments) {
  po::options_description all = described();
  all.add_options()("id", po::value<std::vector<std::string>>());
  po::positional_options_description positional;
  positional.add("id", -1);
  const po::variables_map values =
      read_options(arguments, all, positional, "dsv4-agent resume --help");
  Arguments out;
  out.box = box_flags(values);
  out.json = values.count("json") != 0;
  out.quiet = values.count("quiet") != 0;
  out.help = values.count("help") != 0;
  if (out.help) return out;
  const auto ids = values.count("id") != 0 ? values["id"].as<std::vector<std::string>>()
                                           : std::vector<std::string>();
  if (ids.size() != 1) {
    throw UsageError("name one run: dsv4-agent resume ID; `dsv4-agent sessions` lists them");
  }
  out.id = ids[0];
  out.values = values;
  if (const auto limit = text_value(values, "time-limit")) {
    out.time_limit = parse_duration(*limit);
    if (!out.time_limit) {
      throw UsageError("--time-limit " + printable_line(*limit, 60) +
                       ": give a duration such as 90s, 30m or 2h");
    }
  }
  return out;
}

std::string shown(const SessionRow& row) { return "the run " + printable_line(row.id, 200); }

// The run of fix, in the hands of this process.
SavedRun open_run(const SessionRow& row) {
  const auto refuse_ended = [&] {
    const std::string status = reported_status(row.directory);
    if (status.empty() || status == "interrupted" || status == "engine_error") return;
    remove_unfinished(row.directory);  // a process that was killed at its very end leaves it
    throw UsageError(shown(row) + " has ended (" + status + "): there is nothing to go on with");
  };
  refuse_ended();
  SavedRun saved = read_run(row.directory);
  refuse_ended();  // now that nobody else can end it
  return saved;
}

// As the run was asked for, but for what was typed now. That there is no sandbox must be typed each
// time.
FixOptions options_of(const SavedRun& saved, const SessionRow& row, const BoxFlags& box) {
  FixOptions options = options_from(saved.run.at("options"));
  if (!box.no_sandbox && !options.sandboxed) {
    throw UsageError(shown(row) +
                     " was begun with --no-sandbox: type that again to go on without a sandbox");
  }
  static_cast<BoxOptions&>(options) = box.over(options);
  return options;
}

// A run that has none left is not ended by that: it could still be given some.
std::chrono::milliseconds time_left(const Arguments& parsed, const FixOptions& options,
                                    const SavedRun& saved) {
  using std::chrono::milliseconds;
  if (parsed.time_limit) return *parsed.time_limit;
  const auto left = options.time_limit - std::chrono::duration_cast<milliseconds>(saved.elapsed);
  if (left > milliseconds(0)) return left;
  throw UsageError("the time limit of " + describe_duration(options.time_limit) +
                   " is used up: say with --time-limit how much longer it may take");
}

int go_on_with_session(const Arguments& parsed, const SessionRow& row) {
  if (parsed.json || parsed.quiet || parsed.time_limit) {
    throw UsageError(printable_line(row.id, 200) +
                     " is a session, which goes on in the terminal: of the options it takes only "
                     "those of the sandbox and of the key");
  }
  std::vector<std::string> arguments = {"--resume", row.directory.string()};
  for (const std::string& word : words_of(parsed.box)) arguments.push_back(word);
  for (const char* name : {"key-env", "key-command"}) {
    if (const auto value = text_value(parsed.values, name)) {
      arguments.push_back("--" + std::string(name));
      arguments.push_back(*value);
    }
  }
  return cmd_interactive(arguments);
}

constexpr const char* kUsageText =
    "usage: dsv4-agent resume ID [options]\n\n"
    "Goes on with a run of fix that was interrupted or whose engine failed (exit 3), where it was\n"
    "and as it was asked for, or with a session. ID is its own, or its directory.\n\n";

}  // namespace

int cmd_resume(const std::vector<std::string>& arguments) {
  const bool json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  Arguments parsed;
  std::unique_ptr<SessionIndex> sessions;
  SessionRow row;
  SavedRun saved;
  FixOptions options;
  std::string key;
  std::chrono::milliseconds time_limit{0};
  try {
    parsed = parse(arguments);
    if (parsed.help) {
      std::cout << kUsageText << described();
      return kPassed;
    }
    sessions = open_session_index();
    row = find_one(sessions.get(), parsed.id);
    if (row.kind == "fix") {
      saved = open_run(row);
      options = options_of(saved, row, parsed.box);
      const UserConfig config = read_user_config();
      options.hooks = config.hooks;
      options.prices = config.prices;
      key = take_key(key_value(parsed.values, config, options.endpoint),
                     options.endpoint.has_value());
      time_limit = time_left(parsed, options, saved);
      options.time_limit =
          time_limit + std::chrono::duration_cast<std::chrono::milliseconds>(saved.elapsed);
    }
  } catch (const nlohmann::json::exception& error) {
    return show_failure("the run's events are damaged: " + std::string(error.what()), json);
  } catch (const std::exception& error) {
    return show_failure(error.what(), json);
  }
  if (row.kind != "fix") return go_on_with_session(parsed, row);
  const Stop stop(time_limit);
  LiveView view(std::cerr, live_view_options_for_stderr());
  Observer silent;
  Observer& observer = parsed.quiet ? silent : static_cast<Observer&>(view);
  const FixEnvironment environment{
      std::cin, [&] { return open_for_fix(options, key, observer, stop.token()); }, observer, stop,
      sessions.get()};
  return show_result(run_fix(options, environment, &saved), parsed.json);
}

}  // namespace dsv4::agent
