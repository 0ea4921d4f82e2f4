#include "tasks/eval_options.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <limits>
#include <sstream>

#include "agent/box_options.h"
#include "agent/duration.h"
#include "agent/error.h"
#include "agent/option_values.h"
#include "agent/printable.h"

namespace dsv4::tasks {
namespace {

namespace po = boost::program_options;
using agent::UsageError;

po::options_description described() {
  const auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
  po::options_description all("options", 100);
  auto add = all.add_options();
  add("out", text("DIR"), "results and reports; the same command goes on where it was stopped");
  add("check", "no model: each task's own patch must score 1, and no patch 0");
  add("list", "the tasks, one a line");
  add("filter", text("GLOB"), "only tasks whose id matches, such as 'django__*'");
  add("limit", text("N"), "only the first N of them");
  add("samples", text("K"), "runs of each task, for pass@k; 1 when left out");
  add("jobs", text("N"), "tasks at the same time; 1 when left out");
  add("memory", text("SIZE"), "of all jobs together, such as 8G; the machine's when left out");
  add("time-limit", text("TIME"), "for one run of one task; 30m when left out");
  add("seed", text("N"), "of the first sample; each further sample has the next");
  add("model", text("DIR"), "a DeepSeek-V4 checkpoint; else the embedded model");
  add("endpoint", text("URL"), "a server in place of the model");
  add("agent", text("PROGRAM"), "the program that is scored; this one when left out");
  add("compare", text("DIR"), "another run's --out: the report says what differs");
  add("repos", text("DIR"), "SWE-bench: clones, as owner__name or owner/name");
  add("tests", text("FILE"), "SWE-bench: a TOML file of test commands by repository");
  add("test", text("CMD"), "SWE-bench, QuixBugs: the command that runs tests");
  add("show-tests", "SWE-bench, Harbor: the agent sees the tests that decide");
  add("no-image", "Harbor: run tasks that ask for a container image without one");
  add("sandbox", text("KIND"), "auto, bubblewrap or landlock");
  add("no-sandbox", "run commands unprotected; only where everything is trusted");
  add("json", "print the report as JSON on stdout");
  add("quiet", "nothing on stderr but errors");
  add("help", "this text");
  return all;
}

// "512M", "8G", or bytes.
uint64_t read_size(const std::string& text) {
  size_t used = 0;
  double number = 0;
  try {
    number = std::stod(text, &used);
  } catch (const std::logic_error&) {
    used = 0;
  }
  const std::string unit = text.substr(used);
  const uint64_t factor = unit == "G"    ? 1ull << 30
                          : unit == "M"  ? 1ull << 20
                          : unit == "K"  ? 1ull << 10
                          : unit.empty() ? 1
                                         : 0;
  const double bytes = number * static_cast<double>(factor);
  if (used == 0 || !(bytes >= 1 << 20) || bytes > 1e18) {
    throw UsageError("--memory " + agent::printable_line(text, 60) +
                     ": give a size of at least 1M, such as 512M or 8G");
  }
  return static_cast<uint64_t>(bytes);
}

std::optional<std::filesystem::path> path_value(const po::variables_map& values, const char* name) {
  const auto text = agent::text_value(values, name);
  return text ? std::optional(std::filesystem::path(*text)) : std::nullopt;
}

void read_numbers(const po::variables_map& values, EvalOptions* out) {
  constexpr int64_t kMany = 1'000'000;
  if (values.count("limit") != 0) {
    out->limit = static_cast<size_t>(agent::whole_number(values, "limit", 1, 1, kMany));
  }
  out->jobs = static_cast<int>(agent::whole_number(values, "jobs", 1, 1, 256));
  out->samples = static_cast<int>(agent::whole_number(values, "samples", 1, 1, 1000));
  out->seed = static_cast<uint64_t>(
      agent::whole_number(values, "seed", 0, 0, std::numeric_limits<int64_t>::max() - kMany));
  if (const auto size = agent::text_value(values, "memory")) out->memory_bytes = read_size(*size);
  if (const auto limit = agent::text_value(values, "time-limit")) {
    const auto parsed = agent::parse_duration(*limit);
    if (!parsed) {
      throw UsageError("--time-limit " + agent::printable_line(*limit, 60) +
                       ": give a duration such as 90s, 30m or 2h");
    }
    out->time_limit = *parsed;
  }
}

void read_switches(const po::variables_map& values, EvalOptions* out) {
  const auto given = [&](const char* name) { return values.count(name) != 0; };
  out->check = given("check");
  out->list = given("list");
  out->json = given("json");
  out->quiet = given("quiet");
  out->help = given("help");
  out->reading.show_tests = given("show-tests");
  out->reading.no_image = given("no-image");
  out->sandboxed = !given("no-sandbox");
}

void check(const EvalOptions& options) {
  if (options.model && options.endpoint) {
    throw UsageError("--model and --endpoint exclude each other: one engine is scored");
  }
  if (options.check && (options.compare || options.list)) {
    throw UsageError("--check goes with neither --compare nor --list");
  }
  if (!options.check && !options.list && !options.out) {
    throw UsageError("name a folder for results and reports with --out DIR");
  }
  for (const char* own : {"--json", "--run-dir", "--repo", "--test", "--seed", "--time-limit",
                          "--apply", "--branch", "--patch", "--no-sandbox", "--sandbox"}) {
    const auto found = std::find_if(
        options.agent_flags.begin(), options.agent_flags.end(), [&](const std::string& flag) {
          return flag == own || flag.starts_with(std::string(own) + "=");
        });
    if (found != options.agent_flags.end()) {
      throw UsageError(agent::printable_line(*found, 60) +
                       " cannot stand after --: eval sets it for every task");
    }
  }
}

}  // namespace

EvalOptions parse_eval_arguments(const std::vector<std::string>& arguments) {
  const auto split = std::find(arguments.begin(), arguments.end(), "--");
  po::options_description all = described();
  all.add_options()("suite", po::value<std::vector<std::string>>());
  po::positional_options_description positional;
  positional.add("suite", -1);
  const po::variables_map values =
      agent::read_options({arguments.begin(), split}, all, positional, "dsv4-agent eval --help");
  EvalOptions out;
  read_switches(values, &out);
  if (out.help) return out;
  if (split != arguments.end()) out.agent_flags.assign(split + 1, arguments.end());
  const auto suites = values.count("suite") != 0 ? values["suite"].as<std::vector<std::string>>()
                                                 : std::vector<std::string>();
  if (suites.size() != 1 || suites[0].empty()) {
    throw UsageError("name one suite: dsv4-agent eval SUITE --out DIR");
  }
  out.suite = suites[0];
  out.filter = agent::text_value(values, "filter");
  out.out = path_value(values, "out");
  out.compare = path_value(values, "compare");
  out.model = agent::text_value(values, "model");
  out.endpoint = agent::text_value(values, "endpoint");
  out.agent = path_value(values, "agent").value_or(kThisProgram);
  out.reading.repos = path_value(values, "repos");
  out.reading.tests = path_value(values, "tests");
  out.reading.test = agent::text_value(values, "test");
  out.box = agent::box_flags(values).box.value_or(sandbox::BackendKind::kAuto);
  read_numbers(values, &out);
  check(out);
  return out;
}

std::string eval_help() {
  std::ostringstream text;
  text << "usage: dsv4-agent eval SUITE --out DIR [options] [-- options of fix]\n"
          "       dsv4-agent eval SUITE --check | --list\n\n"
          "Runs `fix` on every task of a suite, grades the patches as the suite's benchmark does,\n"
          "and writes a report as JSON, Markdown and one HTML page. SUITE is a folder of this\n"
          "project's tasks, of Harbor's or of QuixBugs, or a file of SWE-bench instances;\n"
          "tasks/README.md says how each is understood.\n\n"
       << described()
       << "\nexit codes: 0 everything ran, whatever the score, or the check found nothing wrong;\n"
          "1 some runs ended without a verdict, or the check found something; 2 bad input;\n"
          "3 engine, 4 sandbox, when the first runs show that none can work; 130 interrupted\n";
  return text.str();
}

}  // namespace dsv4::tasks
