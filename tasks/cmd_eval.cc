#include "tasks/cmd_eval.h"

#include <algorithm>
#include <iostream>

#include "agent/commands.h"
#include "agent/error.h"
#include "agent/live_view.h"
#include "agent/printable.h"
#include "agent/run_directory.h"
#include "agent/stop.h"
#include "tasks/check.h"
#include "tasks/eval_options.h"
#include "tasks/html.h"
#include "tasks/report.h"
#include "tasks/runner.h"

namespace dsv4::tasks {
namespace {

using agent::printable_line;

// Longer than any run of a suite.
constexpr std::chrono::hours kForEver(24 * 365);

int list(const Suite& suite) {
  for (const Task& task : suite.tasks) {
    std::cout << printable_line(task.id, 200);
    for (const std::string* about : {&task.grade, &task.language, &task.kind}) {
      std::cout << '\t' << printable_line(about->empty() ? "-" : *about, 60);
    }
    std::cout << '\n';
  }
  return agent::kPassed;
}

int check(const Suite& suite, const EvalOptions& options) {
  const agent::Stop stop(kForEver);
  size_t right = 0;
  const std::vector<TaskCheck> checks = check_suite(
      suite, {options.sandboxed, options.box}, options.jobs, stop.token(),
      [&](const TaskCheck& check) {
        right += check.wrong ? 0 : 1;
        std::cout << (check.wrong ? "WRONG  " : "right  ") << printable_line(check.id, 200);
        if (check.wrong) std::cout << ": " << printable_line(*check.wrong, 400);
        std::cout << std::endl;
      });
  if (stop.interrupted()) return agent::kInterrupted;
  std::cout << right << " of " << checks.size()
            << " tasks are right: their own patch scores 1 and no patch 0\n";
  return right == checks.size() ? agent::kPassed : agent::kGaveUp;
}

// A folder of results belongs to one run of one suite. Throws UsageError that names what differs.
void claim(const std::map<std::string, std::string>& asked, Results& results) {
  const std::map<std::string, std::string> had = results.about();
  if (had.empty()) return results.set_about(asked);
  for (const auto& [name, value] : asked) {
    const auto found = had.find(name);
    if (found != had.end() && found->second == value) continue;
    throw agent::UsageError(
        "the folder of --out holds another run, whose " + name + " is " +
        (found == had.end() ? "not known" : "'" + printable_line(found->second, 100) + "'") +
        " and not '" + printable_line(value, 100) + "': name another folder");
  }
}

std::optional<ReportInput::Other> read_other(const EvalOptions& options) {
  if (!options.compare) return std::nullopt;
  const Results other(*options.compare, Results::Open::kRead);
  const std::filesystem::path real = std::filesystem::canonical(*options.compare);
  return ReportInput::Other{real.filename().string(), other.about(), other.all()};
}

void print_summary(const nlohmann::ordered_json& report, const std::filesystem::path& out) {
  const auto line = [](const std::string& name, const nlohmann::ordered_json& row) {
    std::cout << name << std::string(name.size() < 24 ? 24 - name.size() : 1, ' ')
              << shown_number(row["percent"]) << " %  " << shown_number(row["resolved"]) << " of "
              << shown_number(row["runs"]) << "  (" << shown_number(row["low"]) << " to "
              << shown_number(row["high"]) << " %)\n";
  };
  line("resolved", report["score"]);
  for (const char* key : {"grade", "language"}) {
    for (const auto& row : report["by"][key]) {
      line("  " + printable_line(row["name"].get<std::string>(), 40), row);
    }
  }
  std::cout << "report: " << (out / "report.html").string() << '\n';
}

// A run replaces the reports and what lies in runs/, so the folder is to be empty or that of a run.
std::filesystem::path own_folder(const std::filesystem::path& named) {
  namespace fs = std::filesystem;
  const std::string shown = printable_line(named.string(), 300);
  std::error_code error;
  fs::create_directories(named, error);
  if (error || !fs::is_directory(named, error)) {
    throw agent::UsageError("the folder of --out, " + shown + ", cannot be made: " +
                            (error ? error.message() : "there is a file of that name"));
  }
  fs::path folder = fs::canonical(named);
  if (fs::exists(folder / Results::kFile)) return folder;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename() == "lock") continue;  // of a run that was stopped as it began
    throw agent::UsageError("the folder of --out, " + shown +
                            ", has other things in it: name a new or empty folder, so that nothing "
                            "is overwritten");
  }
  return folder;
}

int score(const Suite& suite, EvalOptions options) {
  options.out = own_folder(*options.out);
  const agent::RunLock lock(*options.out);
  Results results(*options.out);
  const auto about = identity_of(suite, options);
  claim(about, results);
  const auto other = read_other(options);
  const agent::Stop stop(kForEver);
  std::ostream nowhere(nullptr);
  LiveTable table(options.quiet ? nowhere : std::cerr, agent::live_view_options_for_stderr(),
                  suite.tasks.size() * static_cast<size_t>(options.samples));
  run_suite(suite, options, results, table, stop.token());
  table.clear();
  const std::vector<SampleResult> rows = results.all();
  const auto report = write_reports({suite, about, rows, other, *options.out});
  if (options.json) {
    std::cout << report.dump() << '\n';
  } else {
    print_summary(report, *options.out);
  }
  if (stop.interrupted()) {
    std::cerr << "dsv4-agent: interrupted; the same command goes on\n";
    return agent::kInterrupted;
  }
  const auto errors =
      std::count_if(rows.begin(), rows.end(), [](const SampleResult& row) { return !row.ran(); });
  if (errors == 0) return agent::kPassed;
  std::cerr << "dsv4-agent: " << errors << " runs ended without a verdict and count as not "
            << "resolved; the same command runs them again\n";
  return agent::kGaveUp;
}

}  // namespace

int cmd_eval(const std::vector<std::string>& arguments) {
  const EvalOptions options = parse_eval_arguments(arguments);
  if (options.help) {
    std::cout << eval_help();
    return agent::kPassed;
  }
  Suite suite = load_suite(options.suite, options.reading);
  select(options.filter, options.limit, &suite);
  if (suite.tasks.empty()) {
    throw agent::UsageError("no task of the suite is left: --filter " +
                            printable_line(options.filter.value_or(""), 100) + " matches none");
  }
  if (!options.quiet) {
    for (const std::string& note : suite.notes) std::cerr << "note: " << note << '\n';
  }
  if (options.list) return list(suite);
  if (options.check) return check(suite, options);
  return score(suite, options);
}

}  // namespace dsv4::tasks
