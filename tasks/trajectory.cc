#include "tasks/trajectory.h"

#include <ctime>
#include <map>
#include <optional>

#include "agent/event_log.h"

namespace dsv4::tasks {
namespace {

using nlohmann::ordered_json;

constexpr const char* kCalls = "<｜DSML｜tool_calls>";

std::string trimmed(const std::string& text) {
  const char* blanks = " \t\r\n";
  const size_t first = text.find_first_not_of(blanks);
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(blanks) + 1 - first);
}

std::string timestamp(double seconds) {
  const auto whole = static_cast<std::time_t>(seconds);
  std::tm time{};
  ::gmtime_r(&whole, &time);
  char text[40];
  const size_t length = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &time);
  const int thousandths = static_cast<int>((seconds - static_cast<double>(whole)) * 1000);
  std::snprintf(text + length, sizeof(text) - length, ".%03dZ", thousandths);
  return text;
}

// Whole numbers of an event, which says null where there is none.
int64_t whole(const ordered_json& event, const char* name) {
  const auto found = event.find(name);
  return found != event.end() && found->is_number() ? found->get<int64_t>() : 0;
}

struct Attempt {
  ordered_json sampling;
  std::vector<ordered_json> steps;
  std::vector<size_t> saved;  // how many steps there were at each place to go on from
};

// Reads the events of a run in their order.
class Reader {
 public:
  bool take(const ordered_json& event) {
    const std::string name = event.value("event", "");
    now_ = began_ + event.value("seconds", 0.0);
    if (name == "run") {
      began_ = event.value("began", 0.0);
      id_ = event.value("id", "");
    } else if (name == "prompt") {
      add_prompt(event);
    } else if (name == "attempt") {
      current_ = event.value("number", 1);
      attempts_[current_] = {};
      attempts_[current_].sampling = {{"temperature", event.value("temperature", 0.0)},
                                      {"seed", event.value("seed", uint64_t{0})}};
      close();
    } else if (name == "beside") {
      current_ = event.value("attempt", 1);
      close();
    } else if (name == "resumed") {
      go_back(static_cast<int>(whole(event, "attempt")),
              static_cast<size_t>(whole(event, "turns")));
    } else if (current_ > 0) {
      take_step(name, event);
    }
    return true;
  }

  std::vector<ordered_json> finish(const std::string& model) const {
    std::vector<ordered_json> all;
    for (const auto& [number, attempt] : attempts_) all.push_back(document(number, attempt, model));
    return all;
  }

 private:
  Attempt& attempt() { return attempts_[current_]; }

  void add_prompt(const ordered_json& event) {
    const ordered_json step = {
        {"timestamp", timestamp(now_)}, {"source", "user"}, {"message", event.value("text", "")}};
    prompts_.push_back(step);
  }

  void take_step(const std::string& name, const ordered_json& event) {
    if (name == "turn_saved") {
      const int number = event.value("attempt", current_);
      attempts_[number].saved.push_back(attempts_[number].steps.size());
    } else if (name == "turn") {
      close();
    } else if (name == "reply") {
      close();
      add_reply(event, event.value("context", int64_t{0}) - event.value("tokens", int64_t{0}));
      open_ = true;
    } else if (name == "call") {
      calls_.push_back(event);
      if (open_) attach();
    } else if (name == "taken_back") {
      if (open_) close();
      add_reply(event, std::nullopt);
      attempt().steps.back()["extra"] = {{"taken_back", event.value("reason", "")}};
      attach();
    } else if (name == "correction") {
      close();
      attempt().steps.push_back({{"timestamp", timestamp(now_)},
                                 {"source", "user"},
                                 {"message", event.value("text", "")}});
    } else if (name == "gate") {
      close();
      attempt().steps.push_back({{"timestamp", timestamp(now_)},
                                 {"source", "system"},
                                 {"message", "gate: " + event.value("reason", "")},
                                 {"extra", {{"passed", event.value("passed", false)}}}});
    }
  }

  void add_reply(const ordered_json& event, std::optional<int64_t> prompt) {
    const std::string raw = event.value("text", "");
    std::string said = raw.substr(0, raw.find(kCalls));
    ordered_json step = {{"timestamp", timestamp(now_)}, {"source", "agent"}};
    const std::string end = "</think>";
    const size_t thought = said.find(end);
    std::string reasoning;
    if (thought != std::string::npos) {
      reasoning = trimmed(said.substr(0, thought));
      if (reasoning.starts_with("<think>")) reasoning = trimmed(reasoning.substr(7));
      said = said.substr(thought + end.size());
    }
    step["message"] = trimmed(said);
    if (!reasoning.empty()) step["reasoning_content"] = reasoning;
    if (prompt) step["metrics"]["prompt_tokens"] = *prompt;
    step["metrics"]["completion_tokens"] = event.value("tokens", int64_t{0});
    step["llm_call_count"] = 1;
    attempt().steps.push_back(std::move(step));
  }

  // The calls that have been heard of belong to the last reply.
  void attach() {
    if (attempt().steps.empty()) return;
    ordered_json& step = attempt().steps.back();
    for (const ordered_json& call : calls_) {
      const std::string id = "call_" + std::to_string(++call_ids_);
      ordered_json arguments = call.value("arguments", ordered_json::object());
      if (!arguments.is_object()) arguments = {{"value", arguments}};
      step["tool_calls"].push_back({{"tool_call_id", id},
                                    {"function_name", call.value("name", "")},
                                    {"arguments", std::move(arguments)}});
      ordered_json result = {{"source_call_id", id}, {"content", call.value("result", "")}};
      if (call.value("error", false)) result["extra"] = {{"error", true}};
      step["observation"]["results"].push_back(std::move(result));
    }
    calls_.clear();
  }

  void close() {
    open_ = false;
    calls_.clear();
  }

  // Another process went on after that many of the places; what came after them is void.
  void go_back(int number, size_t places) {
    close();
    if (number == 0 || !attempts_.contains(number)) return;
    current_ = number;
    Attempt& mine = attempt();
    if (places > mine.saved.size()) return;
    mine.steps.resize(places == 0 ? 0 : mine.saved[places - 1]);
    mine.saved.resize(places);
  }

  ordered_json document(int number, const Attempt& attempt, const std::string& model) const {
    ordered_json steps = ordered_json::array();
    int64_t prompt = 0;
    int64_t completion = 0;
    const auto add = [&](const ordered_json& step) {
      ordered_json numbered = {{"step_id", steps.size() + 1}};
      numbered.update(step);
      steps.push_back(std::move(numbered));
      if (!step.contains("metrics")) return;
      prompt += step["metrics"].value("prompt_tokens", int64_t{0});
      completion += step["metrics"].value("completion_tokens", int64_t{0});
    };
    for (const ordered_json& step : prompts_) add(step);
    for (const ordered_json& step : attempt.steps) add(step);
    ordered_json agent = {{"name", "dsv4-agent"}, {"version", DSV4_VERSION}};
    if (!model.empty()) agent["model_name"] = model;
    agent["extra"] = attempt.sampling;
    return {{"schema_version", "ATIF-v1.7"},
            {"session_id", id_},
            {"trajectory_id", id_ + "/" + std::to_string(number)},
            {"agent", std::move(agent)},
            {"steps", steps},
            {"notes", "prompt_tokens of turns that were taken back were not recorded"},
            {"final_metrics",
             {{"total_prompt_tokens", prompt},
              {"total_completion_tokens", completion},
              {"total_steps", steps.size()}}}};
  }

  double began_ = 0;
  double now_ = 0;
  std::string id_;
  int current_ = 0;
  int64_t call_ids_ = 0;
  bool open_ = false;  // calls belong to the last step
  std::vector<ordered_json> calls_;
  std::vector<ordered_json> prompts_;  // what every attempt begins with
  std::map<int, Attempt> attempts_;
};

}  // namespace

std::vector<ordered_json> read_trajectories(const std::filesystem::path& run_directory,
                                            const std::string& model) {
  Reader reader;
  agent::read_events(run_directory, [&](const ordered_json& event) { return reader.take(event); });
  std::vector<ordered_json> all = reader.finish(model);
  std::erase_if(all, [](const ordered_json& each) { return each["steps"].empty(); });
  return all;
}

}  // namespace dsv4::tasks
