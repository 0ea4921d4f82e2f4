#include "agent/event_log.h"
#include "agent/fix.h"
#include "agent/printable.h"

namespace dsv4::agent {
namespace {

using nlohmann::ordered_json;

const char* name_of(FixStatus status) {
  switch (status) {
    case FixStatus::kPassed:
      return "passed";
    case FixStatus::kGaveUp:
      return "gave_up";
    case FixStatus::kUsage:
      return "bad_input";
    case FixStatus::kEngine:
      return "engine_error";
    case FixStatus::kSandbox:
      return "sandbox_error";
    case FixStatus::kTests:
      return "tests_cannot_run";
    case FixStatus::kInterrupted:
      return "interrupted";
    case FixStatus::kNotApplied:
      return "not_applied";
  }
  return "";
}

double milliseconds_exact(std::chrono::duration<double> time) {
  return static_cast<double>(static_cast<int64_t>(time.count() * 1000 + 0.5)) / 1000;
}

ordered_json text_or_null(const std::string& text) {
  if (text.empty()) return nullptr;
  return to_utf8(text);
}

ordered_json verdict(const std::optional<bool>& passed) {
  if (!passed) return nullptr;
  return *passed ? "passed" : "failed";
}

}  // namespace

ExitCode FixReport::exit_code() const {
  switch (status) {
    case FixStatus::kPassed:
      return agent::kPassed;
    case FixStatus::kGaveUp:
      return agent::kGaveUp;
    case FixStatus::kUsage:
    case FixStatus::kNotApplied:
      return agent::kUsage;
    case FixStatus::kEngine:
      return agent::kEngine;
    case FixStatus::kSandbox:
      return agent::kSandbox;
    case FixStatus::kTests:
      return agent::kTests;
    case FixStatus::kInterrupted:
      return agent::kInterrupted;
  }
  return agent::kUsage;
}

ordered_json FixReport::json() const {
  ordered_json json = {
      {"status", name_of(status)},
      {"exit_code", static_cast<int>(exit_code())},
      {"run_id", text_or_null(run_id)},
      {"run_dir", text_or_null(run_dir.string())},
      {"patch", text_or_null(patch.string())},
      {"attempts", attempts},
      {"turns", turns},
      {"tool_calls", tool_calls},
      {"tokens",
       {{"context", tokens.context},
        {"prefilled", tokens.prefilled},
        {"generated", tokens.generated},
        {"reprefilled", tokens.reprefilled}}},
      {"seconds",
       {{"total", milliseconds_exact(total)},
        {"model", milliseconds_exact(seconds.model)},
        {"tools", milliseconds_exact(seconds.tools)},
        {"tests", milliseconds_exact(seconds.tests)}}},
      {"tests",
       {{"command", text_or_null(test_command)},
        {"before", verdict(before)},
        {"after", verdict(after)}}},
      {"model", text_or_null(model)},
      {"error", text_or_null(error)},
  };
  if (cost) json["cost"] = *cost;
  return json;
}

ordered_json FixReport::json_for_file() const {
  ordered_json report = json();
  report["context"] = agent::json_of(context);
  return report;
}

}  // namespace dsv4::agent
