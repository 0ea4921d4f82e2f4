#include "agent/fix_settings.h"

#include <fstream>
#include <iterator>
#include <sstream>

#include "agent/loop_state.h"
#include "agent/printable.h"
#include "tools/bytes_json.h"

namespace dsv4::agent {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using tools::bytes_from_json;
using tools::bytes_to_json;

ordered_json json_of(const std::optional<std::string>& text) {
  return text ? bytes_to_json(*text) : ordered_json(nullptr);
}

std::optional<std::string> text_from(const ordered_json& json) {
  if (json.is_null()) return std::nullopt;
  return bytes_from_json(json);
}

std::optional<std::string> absolute(const std::optional<std::string>& path) {
  if (!path) return std::nullopt;
  return fs::absolute(*path).string();
}

}  // namespace

ordered_json settings_json(const FixOptions& options, const Task& task) {
  ordered_json settings = {{"repo", bytes_to_json(task.repository.root.string())},
                           {"issue", bytes_to_json(task.issue.file.string())},
                           {"issue_directory", bytes_to_json(task.issue.directory.string())},
                           {"test", bytes_to_json(task.test.command)},
                           {"test_from", task.test.source},
                           {"test_timeout_ms", task.test_timeout.count()},
                           {"attempts", options.attempts},
                           {"parallel", options.parallel},
                           {"turns", options.limits.turns},
                           {"tokens", options.limits.tokens},
                           {"turn_tokens", options.limits.turn_tokens},
                           {"time_limit_ms", options.time_limit.count()},
                           {"seed", options.seed},
                           {"greedy_first", options.greedy_first},
                           {"apply", options.apply},
                           {"branch", json_of(options.branch)},
                           {"patch", json_of(absolute(options.patch_file))},
                           {"failing_only", options.failing_only},
                           {"model", json_of(absolute(options.model))},
                           {"model_name", options.model_name}};
  settings.update(box_json(options));
  if (options.endpoint) settings["endpoint"] = to_json(*options.endpoint);
  return settings;
}

FixOptions options_from(const ordered_json& settings) {
  FixOptions options;
  options.repo = bytes_from_json(settings.at("repo"));
  options.issue = bytes_from_json(settings.at("issue"));
  options.test = bytes_from_json(settings.at("test"));
  settings.at("attempts").get_to(options.attempts);
  options.parallel = settings.value("parallel", 1);
  settings.at("turns").get_to(options.limits.turns);
  settings.at("tokens").get_to(options.limits.tokens);
  settings.at("turn_tokens").get_to(options.limits.turn_tokens);
  options.time_limit = std::chrono::milliseconds(settings.at("time_limit_ms").get<int64_t>());
  settings.at("seed").get_to(options.seed);
  options.greedy_first = settings.value("greedy_first", true);
  settings.at("apply").get_to(options.apply);
  options.branch = text_from(settings.at("branch"));
  options.patch_file = text_from(settings.at("patch"));
  static_cast<BoxOptions&>(options) = box_options_from(settings);
  settings.at("failing_only").get_to(options.failing_only);
  options.model = text_from(settings.at("model"));
  settings.at("model_name").get_to(options.model_name);
  if (settings.contains("endpoint")) options.endpoint = endpoint_from(settings.at("endpoint"));
  return options;
}

void narrow(const LimitDefaults& own, FixOptions* options) {
  options->attempts = static_cast<int>(
      std::min<int64_t>(options->attempts, own.attempts.value_or(options->attempts)));
  AttemptLimits& limits = options->limits;
  limits.turns =
      static_cast<int>(std::min<int64_t>(limits.turns, own.max_turns.value_or(limits.turns)));
  limits.tokens = std::min(limits.tokens, own.max_tokens.value_or(limits.tokens));
}

Task saved_task(const SavedRun& saved, std::stop_token cancel) {
  const ordered_json& settings = saved.run.at("options");
  std::ifstream in(saved.directory / "issue.md", std::ios::binary);
  TaskOptions options;
  options.read = parse_issue(std::string(std::istreambuf_iterator<char>(in), {}),
                             bytes_from_json(settings.at("issue")),
                             bytes_from_json(settings.at("issue_directory")));
  options.repo = bytes_from_json(settings.at("repo"));
  options.test = bytes_from_json(settings.at("test"));
  std::istringstream unused;
  Task task = load_task(options, unused, std::move(cancel));
  settings.at("test_from").get_to(task.test.source);
  task.test_timeout = std::chrono::milliseconds(settings.at("test_timeout_ms").get<int64_t>());
  return task;
}

ordered_json progress_json(const FixReport& report) {
  ordered_json json = {{"turns", report.turns},
                       {"tool_calls", report.tool_calls},
                       {"tokens", report.tokens},
                       {"seconds", to_json(report.seconds)},
                       {"before", nullptr},
                       {"after", nullptr},
                       {"error", to_utf8(report.error)},
                       {"patch", !report.patch.empty()}};
  if (report.before) json["before"] = *report.before;
  if (report.after) json["after"] = *report.after;
  return json;
}

void take_progress(const ordered_json& json, FixReport* report) {
  json.at("turns").get_to(report->turns);
  json.at("tool_calls").get_to(report->tool_calls);
  json.at("tokens").get_to(report->tokens);
  report->seconds = seconds_from(json.at("seconds"));
  if (!json.at("before").is_null()) report->before = json.at("before").get<bool>();
  if (!json.at("after").is_null()) report->after = json.at("after").get<bool>();
  json.at("error").get_to(report->error);
  if (json.at("patch").get<bool>()) report->patch = report->run_dir / "patch.diff";
}

}  // namespace dsv4::agent
