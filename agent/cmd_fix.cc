#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "agent/commands.h"
#include "agent/fix.h"
#include "agent/fix_options.h"
#include "agent/live_view.h"
#include "agent/open_model.h"
#include "agent/printable.h"
#include "agent/standard_input.h"
#include "agent/stop.h"

namespace dsv4::agent {
namespace {

// stdout has nothing but the result.
void print_result(const FixReport& report) {
  if (report.status == FixStatus::kPassed) {
    std::cout << "passed: the tests pass in a fresh copy with the patch\n";
  } else if (report.status == FixStatus::kGaveUp) {
    std::cout << "gave up: " << printable(report.error) << '\n';
  }
  if (!report.patch.empty()) std::cout << "patch: " << report.patch.string() << '\n';
  if (!report.apply_hint.empty()) std::cout << "apply it: " << report.apply_hint << '\n';
  if (!report.run_dir.empty()) std::cout << "record: " << report.run_dir.string() << '\n';
}

// With --json even a command line that cannot be read ends in one object.
int fail_early(const std::string& sentence, bool json) {
  FixReport report;
  report.status = FixStatus::kUsage;
  report.error = sentence;
  if (json) std::cout << report.json().dump() << '\n';
  std::cerr << "dsv4-agent: " << sentence << '\n';
  return report.exit_code();
}

}  // namespace

int cmd_fix(const std::vector<std::string>& arguments) {
  FixArguments parsed;
  try {
    parsed = parse_fix_arguments(arguments);
  } catch (const std::exception& error) {
    const bool json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
    return fail_early(error.what(), json);
  }
  if (parsed.help) {
    std::cout << fix_help();
    return 0;
  }
  if (!parsed.model) parsed.options.model_name = "nano";  // the embedded model, wherever it lies
  const Stop stop(parsed.options.time_limit);
  LiveView view(std::cerr, live_view_options_for_stderr());
  Observer silent;
  const std::unique_ptr<SessionIndex> sessions = open_session_index();
  DescriptorInput input(STDIN_FILENO, stop.token());
  const FixEnvironment environment{input, [&] { return open_model(parsed.model); },
                                   parsed.quiet ? silent : static_cast<Observer&>(view), stop,
                                   sessions.get()};
  const FixReport report = run_fix(parsed.options, environment);
  if (parsed.json) {
    std::cout << report.json().dump(-1, ' ', false,
                                    nlohmann::ordered_json::error_handler_t::replace)
              << std::endl;
  } else {
    print_result(report);
  }
  std::cout.flush();  // while a reader that has left is no reason to die
  const bool said = !parsed.json && report.status == FixStatus::kGaveUp;
  if (!report.error.empty() && !said) {
    std::cerr << "dsv4-agent: " << printable(report.error) << '\n';
  }
  if (report.status == FixStatus::kInterrupted && !report.run_id.empty()) {
    std::cerr << "dsv4-agent: what was done is in " << report.run_dir.string() << '\n';
  }
  return report.exit_code();
}

}  // namespace dsv4::agent
