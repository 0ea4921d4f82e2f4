#include <algorithm>
#include <boost/program_options.hpp>
#include <iostream>

#include "agent/commands.h"
#include "agent/duration.h"
#include "agent/error.h"
#include "agent/fix_result.h"
#include "agent/fix_settings.h"
#include "agent/live_view.h"
#include "agent/open_model.h"
#include "agent/printable.h"
#include "agent/stop.h"

namespace dsv4::agent {
namespace {

namespace po = boost::program_options;

struct Arguments {
  std::string id;
  std::optional<std::chrono::milliseconds> time_limit;
  bool json = false;
  bool quiet = false;
  bool help = false;
};

po::options_description described() {
  po::options_description all("options", 100);
  auto add = all.add_options();
  add("time-limit", po::value<std::string>()->value_name("TIME"),
      "for what is to come, such as 90s, 30m, 2h; else what is left of the run's own");
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
  po::variables_map values;
  try {
    constexpr int kStyle =
        po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    po::store(
        po::command_line_parser(arguments).options(all).positional(positional).style(kStyle).run(),
        values);
  } catch (const po::error& error) {
    throw UsageError("resume: " + printable_line(error.what(), 300));
  }
  Arguments out;
  out.json = values.count("json") != 0;
  out.quiet = values.count("quiet") != 0;
  out.help = values.count("help") != 0;
  if (out.help) return out;
  const auto ids = values.count("id") != 0 ? values["id"].as<std::vector<std::string>>()
                                           : std::vector<std::string>();
  if (ids.size() != 1) {
    throw UsageError(
        "resume: name one run: dsv4-agent resume ID; `dsv4-agent sessions` lists them");
  }
  out.id = ids[0];
  if (values.count("time-limit") != 0) {
    const std::string limit = values["time-limit"].as<std::string>();
    out.time_limit = parse_duration(limit);
    if (!out.time_limit) {
      throw UsageError("--time-limit " + printable_line(limit, 60) +
                       ": give a duration such as 90s, 30m or 2h");
    }
  }
  return out;
}

// The run, in the hands of this process.
SavedRun open_run(SessionIndex* sessions, const std::string& id) {
  SessionRow row;
  if (sessions != nullptr) {
    row = find_one(*sessions, id);
  } else if (const auto found = describe_run(std::filesystem::weakly_canonical(id))) {
    row = *found;
  } else {
    throw UsageError("there is no run in " + printable_line(id, 200));
  }
  const std::string shown = "the run " + printable_line(row.id, 200);
  if (row.kind != "fix") throw UsageError(shown + " is none of fix: it cannot be resumed");
  const auto refuse_ended = [&] {
    const std::string status = reported_status(row.directory);
    if (status.empty() || status == "interrupted") return;
    remove_unfinished(row.directory);  // a process that was killed at its very end leaves it
    throw UsageError(shown + " has ended (" + status + "): there is nothing to go on with");
  };
  refuse_ended();
  SavedRun saved = read_run(row.directory);
  refuse_ended();  // now that nobody else can end it
  return saved;
}

}  // namespace

int cmd_resume(const std::vector<std::string>& arguments) {
  const bool json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  Arguments parsed;
  std::unique_ptr<SessionIndex> sessions;
  SavedRun saved;
  FixOptions options;
  try {
    parsed = parse(arguments);
    if (parsed.help) {
      std::cout << "usage: dsv4-agent resume ID [options]\n\nGoes on with a run that was "
                   "interrupted, where it was and as it was asked for.\nID is the run's, or its "
                   "directory.\n\n"
                << described();
      return kPassed;
    }
    sessions = open_session_index();
    saved = open_run(sessions.get(), parsed.id);
    options = options_from(saved.run.at("options"));
  } catch (const nlohmann::json::exception& error) {
    return show_failure("the run's events are damaged: " + std::string(error.what()), json);
  } catch (const std::exception& error) {
    return show_failure(error.what(), json);
  }
  using std::chrono::milliseconds;
  const auto left = options.time_limit - std::chrono::duration_cast<milliseconds>(saved.elapsed);
  const Stop stop(std::max(milliseconds(1), parsed.time_limit.value_or(left)));
  LiveView view(std::cerr, live_view_options_for_stderr());
  Observer silent;
  const FixEnvironment environment{std::cin, [&] { return open_model(options.model); },
                                   parsed.quiet ? silent : static_cast<Observer&>(view), stop,
                                   sessions.get()};
  return show_result(run_fix(options, environment, &saved), parsed.json);
}

}  // namespace dsv4::agent
