#include "agent/saved_run.h"

#include <algorithm>

#include "agent/error.h"
#include "agent/event_log.h"
#include "agent/printable.h"

namespace dsv4::agent {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr double kLongest = 1e9;  // seconds, about 30 years: more is damage

RunProgress progress_from(const ordered_json& json) {
  RunProgress progress;
  json.at("attempts").get_to(progress.attempts);
  json.at("gate_due").get_to(progress.gate_due);
  json.at("kept_passed").get_to(progress.kept_passed);
  progress.report = json.at("report");
  return progress;
}

void take_shared(const ordered_json& event, SavedRun& run) {
  if (event.contains("failed")) {
    for (const ordered_json& tree : event["failed"]) run.failed.push_back(tree);
  }
  if (event.contains("spent")) event["spent"].get_to(run.spent);
}

void take_resumed(const ordered_json& event, SavedRun& run) {
  run.reprefilled += event.at("reprefilled").get<int64_t>();
  if (event.at("attempt").is_null()) return;
  std::vector<SavedTurn>& turns = run.attempts[event.at("attempt")];
  const size_t kept = event.at("turns");
  if (kept < turns.size()) turns.resize(kept);
}

void take(const ordered_json& event, SavedRun& run) {
  const auto name = event.at("event").get<std::string>();
  if (event.contains("seconds")) {
    const auto seconds = event["seconds"].get<double>();
    run.elapsed = std::chrono::duration<double>(std::clamp(seconds, 0.0, kLongest));
  }
  if (name == "run") {
    // Begun anew: what was before was not enough to go on from.
    SavedRun anew;
    anew.directory = run.directory;
    anew.lock = run.lock;
    anew.elapsed = run.elapsed;
    anew.run = event;
    run = std::move(anew);
  } else if (name == "tests_before") {
    run.tests_text = event.value("text", "");
  } else if (name == "context") {
    run.context = context_from(event);
  } else if (name == "root") {
    run.root = event.at("conversation");
  } else if (name == "attempt") {
    run.attempts[event.at("number")].clear();
  } else if (name == "turn_saved") {
    SavedTurn turn{
        event.at("shared"), event.at("loop"), event.at("tools"), {event.at("conversation")}};
    run.attempts[event.at("attempt")].push_back(std::move(turn));
    take_shared(event, run);
  } else if (name == "computed") {
    auto& turns = run.attempts[event.at("attempt")];
    if (!turns.empty()) turns.back().conversation.push_back(event.at("conversation"));
  } else if (name == "progress") {
    run.progress = progress_from(event);
    std::erase_if(run.attempts,
                  [&](const auto& item) { return item.first <= run.progress->attempts; });
    take_shared(event, run);
  } else if (name == "resumed") {
    take_resumed(event, run);
  }
}

}  // namespace

ordered_json to_json(const RunProgress& progress) {
  return {{"attempts", progress.attempts},
          {"gate_due", progress.gate_due},
          {"kept_passed", progress.kept_passed},
          {"report", progress.report}};
}

SavedRun read_run(const fs::path& directory) {
  SavedRun run;
  run.directory = directory;
  run.lock = std::make_shared<RunLock>(directory);
  run.whole = read_events(directory, [&run](const ordered_json& event) {
    try {
      take(event, run);
      return true;
    } catch (const nlohmann::json::exception&) {
      return false;  // what is damaged did not happen, nor what came after it
    }
  });
  if (!run.run.is_object() || !run.run.contains("options")) {
    throw UsageError("nothing can go on in " + printable_line(directory.string(), 300) +
                     ": its events do not say what was asked for; begin again with fix");
  }
  return run;
}

std::uintmax_t leave_out_damage(const SavedRun& run) {
  const fs::path events = run.directory / "events.jsonl";
  const std::uintmax_t damaged = fs::file_size(events) - run.whole;
  fs::resize_file(events, run.whole);
  return damaged;
}

}  // namespace dsv4::agent
