#include "agent/fix_options.h"

#include <boost/program_options.hpp>
#include <limits>
#include <sstream>

#include "agent/box_options.h"
#include "agent/duration.h"
#include "agent/endpoint_options.h"
#include "agent/error.h"
#include "agent/option_values.h"
#include "agent/printable.h"

namespace dsv4::agent {
namespace {

namespace po = boost::program_options;

constexpr int64_t kEndpointTurn = 16384;

po::options_description described() {
  const FixOptions defaults;
  const auto text = [] { return po::value<std::string>(); };
  const auto number = [] { return po::value<std::string>()->value_name("N"); };
  po::options_description all("options", 100);
  auto add = all.add_options();
  add("repo", text()->value_name("DIR"),
      "the repository; else the issue's, else the one around you");
  add("test", text()->value_name("CMD"),
      "the command that decides; else the issue's, else detected");
  add("model", text()->value_name("DIR"), "a DeepSeek-V4 checkpoint; else the embedded model");
  add_endpoint_options(&all);
  add("attempts", number(),
      ("attempts, each from the start; " + std::to_string(defaults.attempts) + " when left out")
          .c_str());
  add("parallel", number(), "attempts at the same time, computed together; 1 when left out");
  add("max-turns", number(),
      ("turns of one attempt; " + std::to_string(defaults.limits.turns) + " when left out")
          .c_str());
  add("max-tokens", number(),
      ("tokens generated in one attempt; " + std::to_string(defaults.limits.tokens) +
       " when left out")
          .c_str());
  add("time-limit", text()->value_name("TIME"),
      "for everything, such as 90s, 30m (the default), 2h");
  add("seed", number(), "of the later attempts; the first is greedy");
  add("no-greedy",
      "sample the first attempt too: runs with other seeds then differ from the start");
  add("apply", "change the tree when the gate has passed");
  add("branch", text()->value_name("NAME"),
      "commit the patch to a new branch when the gate has passed");
  add("patch", text()->value_name("FILE"), "write the patch there when the gate has passed");
  add("run-dir", text()->value_name("DIR"), "keep the record of the run there: a new directory");
  add_box_flags(&all);
  add("json", "print one JSON object on stdout");
  add("quiet", "no live view on stderr");
  add("help", "this text");
  return all;
}

po::variables_map read(const std::vector<std::string>& arguments) {
  po::options_description all = described();
  all.add_options()("issue", po::value<std::vector<std::string>>());
  po::positional_options_description positional;
  positional.add("issue", -1);
  return read_options(arguments, all, positional, "dsv4-agent fix --help");
}

void take_defaults(const LimitDefaults& defaults, FixOptions* options) {
  options->attempts = static_cast<int>(defaults.attempts.value_or(options->attempts));
  options->parallel = static_cast<int>(defaults.parallel.value_or(options->parallel));
  options->limits.turns = static_cast<int>(defaults.max_turns.value_or(options->limits.turns));
  options->limits.tokens = defaults.max_tokens.value_or(options->limits.tokens);
  options->seed = static_cast<uint64_t>(defaults.seed.value_or(0));
  options->time_limit = defaults.time_limit.value_or(options->time_limit);
}

void read_limits(const po::variables_map& values, FixOptions* options) {
  constexpr int64_t kMany = 1'000'000;
  options->attempts =
      static_cast<int>(whole_number(values, "attempts", 1, options->attempts, 1000));
  options->parallel = static_cast<int>(whole_number(values, "parallel", 1, options->parallel, 64));
  options->limits.turns =
      static_cast<int>(whole_number(values, "max-turns", 1, options->limits.turns, kMany));
  options->limits.tokens =
      whole_number(values, "max-tokens", 1, options->limits.tokens, 1000 * kMany);
  options->seed = static_cast<uint64_t>(whole_number(
      values, "seed", 0, static_cast<int64_t>(options->seed), std::numeric_limits<int64_t>::max()));
  if (const auto limit = text_value(values, "time-limit")) {
    const auto parsed = parse_duration(*limit);
    if (!parsed) {
      throw UsageError("--time-limit " + printable_line(*limit, 60) +
                       ": give a duration such as 90s, 30m or 2h");
    }
    options->time_limit = *parsed;
  }
}

}  // namespace

FixArguments parse_fix_arguments(const std::vector<std::string>& arguments,
                                 const UserConfig& config) {
  const po::variables_map values = read(arguments);
  FixArguments out;
  out.json = values.count("json") != 0;
  out.quiet = values.count("quiet") != 0;
  out.help = values.count("help") != 0;
  if (out.help) return out;
  const auto issues = values.count("issue") != 0 ? values["issue"].as<std::vector<std::string>>()
                                                 : std::vector<std::string>();
  if (issues.size() != 1 || issues[0].empty()) {
    throw UsageError(issues.size() < 2 ? "name the issue: dsv4-agent fix ISSUE.md, or - for stdin"
                                       : "name one issue, not " + std::to_string(issues.size()));
  }
  FixOptions& options = out.options;
  options.issue = issues[0];
  options.repo = text_value(values, "repo");
  options.test = text_value(values, "test");
  options.branch = text_value(values, "branch");
  options.patch_file = text_value(values, "patch");
  options.run_dir = text_value(values, "run-dir").value_or("");
  options.greedy_first = values.count("no-greedy") == 0;
  options.apply = values.count("apply") != 0;
  static_cast<BoxOptions&>(options) = box_flags(values).over({});
  out.model = text_value(values, "model");
  options.endpoint = endpoint_value(values, config);
  out.key = key_value(values, config, options.endpoint);
  options.prices = config.prices;
  if (!out.model && !options.endpoint) out.model = config.model;
  if (options.apply && options.branch) {
    throw UsageError("--apply and --branch exclude each other: choose the tree or a branch");
  }
  options.hooks = config.hooks;
  // A turn of a model that thinks before it speaks is longer.
  if (options.endpoint) options.limits.turn_tokens = kEndpointTurn;
  take_defaults(config.fix, &options);
  read_limits(values, &options);
  return out;
}

std::string fix_help() {
  std::ostringstream text;
  text << "usage: dsv4-agent fix ISSUE.md [options]\n\n"
          "Repairs a repository until its tests pass. ISSUE.md is any Markdown, - is stdin.\n"
          "The tree is only changed with --apply, after the patch was proved in a fresh copy.\n"
          "~/.config/dsv4-agent/config.toml may set other defaults; the README says how.\n\n"
       << described()
       << "\nexit codes: 0 passed, 1 gave up, 2 bad input, 3 engine, 4 sandbox,\n"
          "5 the tests cannot be run, 130 interrupted\n";
  return text.str();
}

}  // namespace dsv4::agent
