#include "tasks/runner.h"

#include <atomic>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "agent/commands.h"
#include "agent/error.h"
#include "agent/fix.h"
#include "agent/printable.h"
#include "agent/working_copy.h"
#include "llm/error.h"
#include "llm/sha256.h"
#include "sandbox/sandbox.h"
#include "tasks/child.h"
#include "tasks/grader.h"
#include "tasks/memory.h"
#include "tasks/parallel.h"
#include "tasks/trajectory.h"
#include "tasks/tree.h"

namespace dsv4::tasks {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using std::chrono::milliseconds;

constexpr milliseconds kTick(250);
constexpr milliseconds kSlack = std::chrono::minutes(2);  // for `fix` to end after its time limit

bool has_flag(const std::vector<std::string>& flags, const std::string& name) {
  return std::any_of(flags.begin(), flags.end(), [&](const std::string& flag) {
    return flag == name || flag.starts_with(name + "=");
  });
}

std::string quoted(const std::string& value) {
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string front_matter(const Task& task) {
  std::string text = "---\n";
  if (task.setup) text += "setup: " + quoted(*task.setup) + "\n";
  if (task.timeout) text += "timeout: " + std::to_string(task.timeout->count()) + "ms\n";
  if (!task.fixed.empty()) text += "tests:\n";
  for (const std::string& file : task.fixed) text += "  - " + quoted(file) + "\n";
  return text + "---\n";
}

// One object of a file or of what a program printed; nothing when it is none.
std::optional<ordered_json> parse_object(const std::string& text) {
  ordered_json json = ordered_json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  return json;
}

std::optional<ordered_json> read_report(const fs::path& file) {
  if (!fs::exists(file)) return std::nullopt;
  return parse_object(read_text(file));
}

// What another program has written, or was killed as it wrote, may have any type.
std::string text_at(const ordered_json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

template <class T>
T number_at(const ordered_json& object, const char* name) {
  constexpr double kMost = 1e9;
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number()) return T{};
  return static_cast<T>(std::clamp(found->get<double>(), 0.0, kMost));
}

bool is_final(const std::optional<ordered_json>& report) {
  const std::string status = report ? text_at(*report, "status") : "";
  return !status.empty() && status != "interrupted";
}

void take_numbers(const ordered_json& report, SampleResult* result) {
  const ordered_json tokens = report.value("tokens", ordered_json());
  const ordered_json seconds = report.value("seconds", ordered_json());
  result->status = text_at(report, "status");
  result->reason = text_at(report, "error");
  result->model = text_at(report, "model");
  result->attempts = number_at<int>(report, "attempts");
  result->turns = number_at<int>(report, "turns");
  result->tool_calls = number_at<int>(report, "tool_calls");
  result->context = number_at<int64_t>(tokens, "context");
  result->prefilled = number_at<int64_t>(tokens, "prefilled");
  result->generated = number_at<int64_t>(tokens, "generated");
  result->reprefilled = number_at<int64_t>(tokens, "reprefilled");
  if (report.contains("cost")) result->cost = number_at<double>(report, "cost");
  result->seconds = number_at<double>(seconds, "total");
  result->model_seconds = number_at<double>(seconds, "model");
  result->tool_seconds = number_at<double>(seconds, "tools");
  result->test_seconds = number_at<double>(seconds, "tests");
}

[[noreturn]] void none_can_work(const SampleResult& result, const std::string& log) {
  const std::string why = "the first run, of " + agent::printable_line(result.task, 100) +
                          ", cannot work, so none is tried: " +
                          agent::printable_line(result.reason.empty() ? log : result.reason, 400);
  if (result.status == "engine_error") throw llm::Error(why);
  if (result.status == "sandbox_error") throw sandbox::SetupError(why);
  throw agent::UsageError(why);
}

// One run of one task.
class Sample {
 public:
  Sample(const Task& task, int number, const EvalOptions& options)
      : task_(task), number_(number), options_(options) {
    result_.task = task.id;
    result_.sample = number;
    result_.seed = options.seed + static_cast<uint64_t>(number - 1);
    result_.directory = directory_of(task.id, number);
    folder_ = *options.out / result_.directory;
  }

  // Nothing when it was stopped: by `cancel`, or by `kill` to make room (kill.alone() false).
  std::optional<SampleResult> run(bool anew, const MemoryLimit::Job& job, std::stop_token cancel) {
    std::optional<ordered_json> report = anew ? std::nullopt : read_report(run() / "report.json");
    if (!is_final(report)) {
      const ChildResult end = run_fix(anew, job, cancel);
      if (end.end == ChildEnd::kCancelled || cancel.stop_requested()) return std::nullopt;
      if (end.end == ChildEnd::kKilled && !job.was_alone()) return std::nullopt;
      report = parse_object(end.output);
      note_end(end, report);
    }
    if (report) take_numbers(*report, &result_);
    if (!result_.ran()) return result_;
    if (fs::exists(run() / "patch.diff")) result_.patch = read_text(run() / "patch.diff");
    if (!grade(cancel)) return std::nullopt;
    write_trajectories();
    return result_;
  }

  // What only a run that goes on needs.
  void tidy() const {
    for (const char* name : {"task", "private", "grading"}) agent::remove_tree(folder_ / name);
  }

  std::string log() const {
    const fs::path file = folder_ / "stderr.log";
    return fs::exists(file) ? read_text(file) : "";
  }

 private:
  fs::path run() const { return folder_ / "run"; }

  void prepare() const {
    agent::remove_tree(folder_);
    const fs::path tree = folder_ / "task/repo";
    fs::create_directories(tree);
    task_.make_tree(tree);
    if (options_.reading.show_tests && task_.add_tests) task_.add_tests(tree);
    start_repository(tree);
    write_text(folder_ / "task/issue.md", front_matter(task_) + task_.issue + "\n");
  }

  ChildResult run_fix(bool anew, const MemoryLimit::Job& job, std::stop_token cancel) const {
    if (!anew && fs::exists(run() / "events.jsonl")) {
      std::vector<std::string> again = {"resume", run().string()};
      ChildResult end = start(std::move(again), job, cancel);
      const auto report = parse_object(end.output);
      if (end.end != ChildEnd::kExited) return end;
      const std::string status = report ? text_at(*report, "status") : "";
      if (!status.empty() && status != "bad_input") return end;
    }
    prepare();
    std::vector<std::string> arguments = {
        "fix",          (folder_ / "task/issue.md").string(),
        "--repo",       (folder_ / "task/repo").string(),
        "--test",       task_.test_for_agent.empty() ? task_.test : task_.test_for_agent,
        "--run-dir",    run().string(),
        "--time-limit", std::to_string(options_.time_limit.count()) + "ms",
        "--seed",       std::to_string(result_.seed)};
    const auto add = [&](std::initializer_list<std::string> more) {
      arguments.insert(arguments.end(), more);
    };
    if (options_.samples > 1) add({"--no-greedy"});
    if (options_.model) add({"--model", fs::absolute(*options_.model).string()});
    if (options_.endpoint) add({"--endpoint", *options_.endpoint});
    if (options_.box != sandbox::BackendKind::kAuto) {
      add({"--sandbox", std::string(sandbox::name_of(options_.box))});
    }
    // The user's own configuration has no say in a score.
    const agent::FixOptions defaults;
    const std::pair<std::string, int64_t> limits[] = {{"--attempts", defaults.attempts},
                                                      {"--max-turns", defaults.limits.turns},
                                                      {"--max-tokens", defaults.limits.tokens}};
    for (const auto& [name, value] : limits) {
      if (!has_flag(options_.agent_flags, name)) add({name, std::to_string(value)});
    }
    arguments.insert(arguments.end(), options_.agent_flags.begin(), options_.agent_flags.end());
    return start(std::move(arguments), job, cancel);
  }

  ChildResult start(std::vector<std::string> arguments, const MemoryLimit::Job& job,
                    std::stop_token cancel) const {
    for (const char* flag : {"--json", "--quiet"}) arguments.emplace_back(flag);
    if (!options_.sandboxed) arguments.emplace_back("--no-sandbox");
    ChildOptions child;
    child.argv = {options_.agent.string()};
    child.argv.insert(child.argv.end(), arguments.begin(), arguments.end());
    // Nothing is taken over from other runs, and the user's list of sessions stays as it is.
    child.environment = {{"XDG_STATE_HOME", (folder_ / "private/state").string()},
                         {"XDG_CACHE_HOME", (folder_ / "private/cache").string()}};
    child.log = folder_ / "stderr.log";
    child.limit = 2 * options_.time_limit + kSlack + task_.timeout.value_or(kSlack);
    return run_child(child, cancel, job.kill());
  }

  void note_end(const ChildResult& end, const std::optional<ordered_json>& report) {
    if (end.end == ChildEnd::kKilled) {
      result_.status = "out_of_memory";
      result_.reason = "it needed more than --memory allows";
    } else if (end.end == ChildEnd::kTimedOut) {
      result_.status = "killed";
      result_.reason = "it did not end long after its time limit";
    } else if (!report) {
      result_.status = "crashed";
      result_.reason = "it printed no report: " + agent::printable_line(log(), 300);
    }
  }

  bool grade(std::stop_token cancel) {
    const agent::OwnedDirectory scratch(folder_ / "grading");
    const Grader grader(task_, scratch.path(), {options_.sandboxed, options_.box}, cancel);
    const Grade grade = grader.grade(result_.patch);
    if (cancel.stop_requested()) return false;
    result_.resolved = grade.resolved;
    if (grade.resolved || !result_.patch.empty()) result_.reason = grade.reason;
    write_text(folder_ / "tests.log", grade.output);
    return true;
  }

  void write_trajectories() const {
    if (!fs::exists(run() / "events.jsonl")) return;
    int number = 0;
    for (const ordered_json& each : read_trajectories(run(), result_.model)) {
      write_text(folder_ / ("trajectory-" + std::to_string(++number) + ".json"),
                 each.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
    }
  }

  const Task& task_;
  int number_;
  const EvalOptions& options_;
  fs::path folder_;
  SampleResult result_;
};

class Runner {
 public:
  Runner(const Suite& suite, const EvalOptions& options, Results& results, LiveTable& table)
      : suite_(suite),
        options_(options),
        results_(results),
        table_(table),
        memory_(options.memory_bytes, options.jobs) {}

  void run(std::stop_token cancel) {
    for (const SampleResult& row : results_.all()) {
      known_.insert({row.task, row.sample});
      if (!row.ran()) continue;
      done_.insert({row.task, row.sample});
      one_ran_ = true;
      table_.had(row);
    }
    std::vector<std::pair<const Task*, int>> todo;
    for (int sample = 1; sample <= options_.samples; ++sample) {
      for (const Task& task : suite_.tasks) {
        if (!done_.contains({task.id, sample})) todo.emplace_back(&task, sample);
      }
    }
    std::stop_source over;
    const std::stop_callback on_cancel(cancel, [&] { over.request_stop(); });
    const std::jthread ticker([this](std::stop_token end) { tick(end); });
    run_parallel(options_.jobs, todo.size(), over.get_token(), [&](size_t at) {
      try {
        work(*todo[at].first, todo[at].second, over.get_token());
      } catch (...) {
        over.request_stop();  // the others have no reason to go on
        throw;
      }
    });
  }

 private:
  void tick(std::stop_token end) {
    std::mutex mutex;
    std::condition_variable_any never;
    while (!end.stop_requested()) {
      std::unique_lock lock(mutex);
      never.wait_for(lock, end, kTick, [] { return false; });
      memory_.look();
      table_.tick();
    }
  }

  void work(const Task& task, int number, std::stop_token cancel) {
    const bool anew = known_.contains({task.id, number});  // it ended, but without a verdict
    while (!cancel.stop_requested()) {
      const MemoryLimit::Job job(memory_, cancel);
      if (cancel.stop_requested()) return;
      table_.began(task.id, number);
      Sample sample(task, number, options_);
      const std::optional<SampleResult> result = sample.run(anew, job, cancel);
      if (!result && cancel.stop_requested()) return;
      if (!result) {
        table_.put_off(task.id, number, "too little memory beside the others");
        continue;
      }
      const bool hopeless = result->status == "engine_error" || result->status == "bad_input" ||
                            result->status == "sandbox_error" || result->status == "crashed";
      if (hopeless && !one_ran_) none_can_work(*result, sample.log());
      if (result->ran()) one_ran_ = true;
      sample.tidy();
      results_.put(*result);
      table_.ended(*result);
      return;
    }
  }

  const Suite& suite_;
  const EvalOptions& options_;
  Results& results_;
  LiveTable& table_;
  MemoryLimit memory_;
  std::set<std::pair<std::string, int>> known_;
  std::set<std::pair<std::string, int>> done_;
  std::atomic<bool> one_ran_{false};
};

}  // namespace

std::map<std::string, std::string> identity_of(const Suite& suite, const EvalOptions& options) {
  std::string flags;
  for (const std::string& flag : options.agent_flags) flags += (flags.empty() ? "" : " ") + flag;
  return {{"suite", suite.name},
          {"format", suite.format},
          {"fingerprint", fingerprint(suite)},
          {"samples", std::to_string(options.samples)},
          {"seed", std::to_string(options.seed)},
          {"time_limit_ms", std::to_string(options.time_limit.count())},
          {"model", options.model.value_or("")},
          {"endpoint", options.endpoint.value_or("")},
          {"agent", options.agent == kThisProgram ? "" : fs::absolute(options.agent).string()},
          {"show_tests", options.reading.show_tests ? "yes" : "no"},
          {"flags", flags}};
}

std::string directory_of(const std::string& task, int sample) {
  std::string name;
  for (const char c : task.substr(0, 100)) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
    name += plain || (c == '.' && !name.empty()) ? c : '_';
  }
  if (name != task) {
    Identity identity;
    name += "-" + identity.add(task).finish().substr(0, 8);
  }
  return "runs/" + name + "/" + std::to_string(sample);
}

void run_suite(const Suite& suite, const EvalOptions& options, Results& results, LiveTable& table,
               std::stop_token cancel) {
  Runner(suite, options, results, table).run(std::move(cancel));
}

}  // namespace dsv4::tasks
