#include "agent/fix.h"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <new>
#include <utility>

#include "agent/apply.h"
#include "agent/attempts.h"
#include "agent/deliver.h"
#include "agent/duration.h"
#include "agent/error.h"
#include "agent/fix_settings.h"
#include "agent/gate.h"
#include "agent/hooks.h"
#include "agent/model_directory.h"
#include "agent/observers.h"
#include "agent/patch.h"
#include "agent/printable.h"
#include "agent/prompt.h"
#include "agent/reading.h"
#include "agent/run_directory.h"
#include "agent/run_record.h"
#include "agent/run_saver.h"
#include "agent/side_by_side.h"
#include "agent/task.h"
#include "agent/test_command.h"
#include "agent/test_files.h"
#include "agent/working_copy.h"
#include "agent/workplace.h"
#include "llm/error.h"
#include "sandbox/sandbox.h"
#include "tools/bytes_json.h"

namespace dsv4::agent {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using nlohmann::ordered_json;

// Thrown when the user or the time limit stopped the run between two steps.
struct Stopped {};

std::string read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// Brings the list of sessions up to date with the run's own directory.
void enter(const fs::path& directory, SessionIndex* sessions) {
  if (sessions == nullptr || directory.empty()) return;
  if (const auto row = describe_run(directory)) sessions->put(*row);
}

class FixRun {
 public:
  FixRun(const FixOptions& options, const FixEnvironment& environment, const SavedRun* saved,
         FixReport* report)
      : options_(options),
        environment_(environment),
        saved_(saved),
        report_(*report),
        places_(task_, options, options.endpoint || !is_embedded_model(options.model),
                environment.stop.token()) {}

  // Box and conversation are gone when this returns, however it returns.
  void run() {
    load();
    const auto lock = saved_ ? saved_->lock : std::make_shared<RunLock>(report_.run_dir);
    work_ = report_.run_dir / "work";
    places_.use(work_);
    const std::uintmax_t damaged = saved_ ? leave_out_damage(*saved_) : 0;
    if (saved_ && !saved_->has_begun()) saved_ = nullptr;
    RunRecord record(report_.run_dir, elapsed_);
    Observers observers({&environment_.observer, &record});
    observer_ = &observers;
    if (damaged > 0) {
      observer_->on_note("the last " + std::to_string(damaged) +
                         " bytes of the run's events cannot be read and are left out");
    }
    RunSaver saver(record, report_.run_dir, {places_.failed(), places_.spent()}, observers);
    saver_ = &saver;
    if (!saved_) begin(record);
    enter(report_.run_dir, environment_.sessions);
    const std::unique_ptr<llm::Conversation> root = environment_.open();
    report_.model = options_.model_name.empty() ? root->model_name() : options_.model_name;
    observer_->on_place("repository: " + task_.repository.root.string() +
                        ", model: " + report_.model + ", run: " + report_.run_dir.string());
    observer_->on_place("test command from " + task_.test.source);
    const std::string first_report = saved_ ? go_on(*root) : read_all(*root);
    if (gate_due_) gate();
    const Attempts all(
        {options_, task_, saved_, report_.run_dir, report_.before.value_or(false), first_report},
        *root, saver, observers);
    while (report_.attempts < options_.attempts && !report_.after.value_or(false)) {
      const int count = std::min(options_.parallel, options_.attempts - report_.attempts);
      if (count == 1) {
        attempt(report_.attempts + 1, all);
      } else {
        attempts_side_by_side(count, all);
      }
    }
    count_tokens(root->usage(), {});
    report_.tokens.reprefilled += saved_ ? saved_->reprefilled : 0;
    if (!report_.after.value_or(false)) return;
    report_.status = FixStatus::kPassed;
    report_.error.clear();
    hand_over();
  }

 private:
  void check_stop() const {
    if (environment_.stop.token().stop_requested()) throw Stopped();
  }

  void load() {
    if (saved_) {
      report_.run_dir = saved_->directory;
      elapsed_ = saved_->elapsed;
      task_ = saved_task(*saved_, environment_.stop.token());
    } else {
      TaskOptions named;
      named.issue = options_.issue;
      named.repo = options_.repo;
      named.test = options_.test;
      task_ = load_task(named, environment_.standard_input, environment_.stop.token());
      narrow(task_.config.fix, &options_);
    }
    check_stop();
    if (options_.branch && !saved_) check_branch(task_.repository, *options_.branch);
    report_.test_command = task_.test.command;
    if (!saved_) report_.run_dir = make_run_directory(options_.run_dir);
    report_.run_id = report_.run_dir.filename().string();
  }

  void begin(RunRecord& record) {
    remove_tree(work_);
    fs::create_directories(work_);
    write_whole_file(report_.run_dir / "issue.md", task_.issue.source);
    record.event("run", {{"id", report_.run_id},
                         {"kind", "fix"},
                         {"began", std::time(nullptr)},
                         {"repository", to_utf8(task_.repository.root.string())},
                         {"issue", to_utf8(task_.issue.file.string())},
                         {"title", title_of(task_.issue.text)},
                         {"test", to_utf8(task_.test.command)},
                         {"options", settings_json(options_, task_)}});
  }

  // All that attempts share, computed and written down. Returns what the model is told of the
  // tests.
  std::string read_all(llm::Conversation& root) {
    prepare_base();
    const std::string first_report = run_first_tests();
    read_shared_prefix(root);
    saver_->root(root);
    save_progress();
    return first_report;
  }

  // The same, as an earlier process has left it.
  std::string go_on(llm::Conversation& root) {
    if (!fs::exists(work_ / "base/.git")) {
      throw UsageError("the run's own copy of the repository is gone: begin again with fix");
    }
    root.resume({&*saved_->root, 1}, RunSaver::computed_directory(report_.run_dir, 0));
    const int64_t before = root.usage().reprefilled;
    const Clock::time_point begin = Clock::now();
    const bool done =
        root.prefill([this](int64_t count, int64_t total) { observer_->on_prefill(count, total); },
                     environment_.stop.token());
    if (!done) throw Stopped();
    const RunProgress& progress = *saved_->progress;
    take_progress(progress.report, &report_);
    report_.seconds.model += Clock::now() - begin;
    report_.context = saved_->context;
    report_.attempts = progress.attempts;
    kept_passed_ = progress.kept_passed;
    gate_due_ = progress.gate_due;
    last_patch_ = read_file(report_.after.value_or(false) ? report_.run_dir / "patch.diff"
                                                          : work_ / "last.patch");
    for (const auto& tree : saved_->failed) places_.failed()->add(tools::bytes_from_json(tree));
    places_.spent()->go_on_from(saved_->spent);
    saver_->shared_is_saved();
    saver_->resumed(0, 0, root.usage().reprefilled - before);
    observer_->on_note("the run goes on after " + std::to_string(report_.attempts) + " attempts");
    return saved_->tests_text;
  }

  void save_progress() const {
    saver_->progress({report_.attempts, gate_due_, kept_passed_, progress_json(report_)});
  }

  void prepare_base() {
    const bool done = make_base(
        task_.repository, task_.listing, work_ / "base",
        [this](uint64_t bytes, uint64_t total) { observer_->on_copy(bytes, total); },
        environment_.stop.token());
    if (!done) throw Stopped();
  }

  // Returns the report the model sees. What set-up and tests leave behind is kept out of patches.
  std::string run_first_tests() {
    check_stop();
    const auto place = places_.make(0, 0);
    check_stop();
    const Clock::time_point begin = Clock::now();
    const tools::TestReport tests = place->toolbox->run_tests(environment_.stop.token());
    report_.seconds.tests += Clock::now() - begin;
    check_stop();
    const sandbox::Result& result = tests.result;
    if (cannot_run(result)) {
      throw TestsError("the test command `" + printable_line(task_.test.command, 200) +
                       "` cannot be run (" + sandbox::describe(result) +
                       "): " + printable_line(result.output, 300));
    }
    report_.before = tests.passed;
    ignore_files(work_ / "base", untracked_files(work_ / "base", place->copy.path()));
    observer_->on_first_tests(task_.test.command, tests);
    if (options_.failing_only && tests.passed) {
      throw UsageError("the tests pass, so nothing would show a repair: add a test that fails");
    }
    return to_utf8(tests.text);
  }

  // The shared prefix: system text, tools and repository, computed once.
  void read_shared_prefix(llm::Conversation& root) {
    // Only asked, so it needs no copy and no box of its own.
    const OwnedDirectory state(work_ / "state");
    tools::Toolbox toolbox(places_.options_on(work_ / "base", state.path(), root.window()));
    ContextOptions context;
    context.root = work_ / "base";
    if (!task_.issue.file.empty()) {
      context.issue_path = task_.issue.file.lexically_relative(task_.repository.root).string();
    }
    context.changes = change_counts(task_.repository);
    context.outer = outer_instructions(task_.repository);
    const Reading what{system_text(), toolbox, task_.listing, std::move(context), task_.issue.text};
    ReadRepository read = read_repository(root, what, *observer_, environment_.stop.token());
    report_.context = std::move(read.context);
    report_.seconds.model += read.seconds;
    if (!read.whole) throw Stopped();
  }

  AttemptResult run(Attempt& attempt, const Attempts& all, Observer& observer,
                    std::stop_token cancel) const {
    const auto saver = saver_->attempt(attempt.number, attempt.shared, *attempt.conversation,
                                       *attempt.place->toolbox);
    AttemptOptions options = all.options(attempt.number);
    options.cancel = std::move(cancel);
    options.saver = saver.get();
    options.resumed = attempt.from ? &*attempt.from : nullptr;
    Hooks hooks(
        options_.hooks,
        {places_.policy(attempt.place->copy.path()), work_ / "base/.git", *attempt.place->toolbox},
        observer, options.cancel);
    options.forbid = [&hooks](const llm::ToolCall& call) { return hooks.before(call); };
    Observers observers({&observer, &hooks});
    return run_attempt(*attempt.conversation, *attempt.place->toolbox, options, observers);
  }

  void attempt(int number, const Attempts& all) {
    check_stop();
    Attempt mine = all.open(number, places_);
    report_.attempts = number;
    try {
      const AttemptResult result = run(mine, all, *observer_, environment_.stop.token());
      count(result, mine);
      observer_->on_attempt_end(result);
      keep(patch_of(*mine.place, *observer_), result.tests_passed);
      check_stop();
      gate_due_ = result.for_the_gate;
      save_progress();
      if (gate_due_) gate();
    } catch (const llm::Error&) {
      mine.place->keep();  // to go on from
      keep(patch_of(*mine.place, *observer_), false);
      throw;
    } catch (const std::bad_alloc&) {
      mine.place->keep();
      throw;
    }
  }

  void attempts_side_by_side(int count, const Attempts& all) {
    check_stop();
    std::vector<Workplaces> places;
    std::vector<Attempt> group;
    for (int i = 1; i <= count; ++i) {
      const int number = report_.attempts + i;
      places.push_back(places_.apart(number));
      group.push_back(all.open(number, places.back()));
    }
    report_.attempts = group.back().number;
    const SideSteps steps{
        [&](Attempt& attempt, Observer& observer, std::stop_token cancel) {
          return run(attempt, all, observer, std::move(cancel));
        },
        [&](const Attempt& attempt, Observer& o) { return patch_of(*attempt.place, o); },
        [&](int number, const std::string& patch, std::stop_token cancel) {
          return check(patch, "gate-" + std::to_string(number), std::move(cancel));
        }};
    const std::vector<SideResult> results =
        run_side_by_side(group, steps, *observer_, environment_.stop.token());
    for (size_t i = 0; i < group.size(); ++i) settle(results[i], group[i]);
    check_stop();
    for (const SideResult& each : results) {
      if (!each.error || report_.after.value_or(false)) continue;
      for (Attempt& attempt : group) attempt.place->keep();  // to go on from
      std::rethrow_exception(each.error);
    }
    places_.learn(places);
    save_progress();
  }

  // What one of a group leaves to the run. The first patch that the gate has passed is taken.
  void settle(const SideResult& each, Attempt& attempt) {
    count(each.result, attempt);
    report_.seconds.tests += each.gate_time;
    if (report_.after.value_or(false)) return;
    keep(each.patch, each.result.tests_passed);
    if (each.gate) take(*each.gate);
  }

  void count(const AttemptResult& result, Attempt& attempt) {
    count_tokens(attempt.conversation->usage(), attempt.shared);
    report_.turns += result.turns;
    report_.tool_calls += result.tool_calls;
    report_.seconds += result.seconds;
    if (environment_.stop.interrupted()) attempt.place->keep();
  }

  std::string patch_of(const Workplace& place, Observer& observer) const {
    NotInPatch left_out;
    std::string patch =
        make_patch(work_ / "base", place.copy.path(),
                   {"", protected_names(options_, task_.repository.hooks)}, &left_out);
    const auto tell = [&](const std::string& why, const std::vector<std::string>& paths) {
      if (!paths.empty()) observer.on_note(left_out_note(why, paths));
    };
    tell("too large", left_out.too_large);
    tell(kProtectedChange, left_out.protected_names);
    return patch;
  }

  void count_tokens(const llm::Usage& usage, const llm::Usage& shared) {
    report_.tokens.context = std::max(report_.tokens.context, usage.context);
    report_.tokens.bytes = std::max(report_.tokens.bytes, usage.bytes);
    report_.tokens.prefilled += usage.prefilled - shared.prefilled;
    report_.tokens.generated += usage.generated - shared.generated;
    report_.tokens.reprefilled += usage.reprefilled - shared.reprefilled;
    report_.tokens.cached += usage.cached - shared.cached;
  }

  // The best patch so far lies in patch.diff: one whose tests passed, else the last that changes
  // anything.
  void keep(const std::string& patch, bool tests_passed) {
    last_patch_ = patch;
    write_whole_file(work_ / "last.patch", patch);
    if (patch.empty() || (kept_passed_ && !tests_passed)) return;
    kept_passed_ = tests_passed;
    save_patch(patch);
  }

  void save_patch(const std::string& patch) {
    report_.patch = report_.run_dir / "patch.diff";
    write_whole_file(report_.patch, patch);
  }

  GateResult check(const std::string& patch, const std::string& name,
                   std::stop_token cancel) const {
    const OwnedDirectory scratch(work_ / name);
    GateOptions options;
    options.base = work_ / "base";
    options.scratch = scratch.path();
    options.test_command = task_.test.command;
    options.setup = task_.issue.front.setup;
    options.fixed = FixedTests(task_.issue.front.tests);
    options.protected_names = protected_names(options_, task_.repository.hooks);
    options.passed_before = report_.before.value_or(false);
    options.make_box = [this](const fs::path& copy) { return places_.make_box(copy); };
    return check_gate(patch, options, std::move(cancel));
  }

  void gate() {
    const Clock::time_point begin = Clock::now();
    const GateResult result = check(last_patch_, "gate", environment_.stop.token());
    report_.seconds.tests += Clock::now() - begin;
    check_stop();
    observer_->on_gate(result);
    take(result);
    gate_due_ = false;
    save_progress();
  }

  void take(const GateResult& result) {
    report_.after = result.passed;
    report_.error = result.reason;
    if (!result.passed) return;
    last_patch_ = result.patch;
    save_patch(result.patch);
  }

  // Hands the proved patch over the ways that were asked for.
  void hand_over() {
    report_.apply_hint = apply_hint(task_.repository, report_.patch);
    try {
      deliver(last_patch_, task_, work_, {options_.patch_file, options_.apply, options_.branch},
              *observer_);
    } catch (const std::runtime_error& error) {
      report_.status = FixStatus::kNotApplied;
      report_.error = error.what();
    }
  }

  FixOptions options_;
  const FixEnvironment& environment_;
  const SavedRun* saved_;  // null: the run begins
  FixReport& report_;
  std::chrono::duration<double> elapsed_{0};  // in earlier processes
  Observer* observer_ = nullptr;
  RunSaver* saver_ = nullptr;
  Task task_;
  fs::path work_;
  Workplaces places_;
  std::string last_patch_;
  bool kept_passed_ = false;
  bool gate_due_ = false;  // for last_patch_
};

void fail(FixReport* report, FixStatus status, const std::string& sentence) {
  report->status = status;
  report->error = sentence;
}

// Runs and turns every way to end into a status.
void run_guarded(const FixOptions& options, const FixEnvironment& environment,
                 const SavedRun* saved, FixReport* report) {
  try {
    FixRun(options, environment, saved, report).run();
  } catch (const Stopped&) {
    report->status = FixStatus::kGaveUp;
  } catch (const UsageError& error) {
    fail(report, FixStatus::kUsage, error.what());
  } catch (const llm::Error& error) {
    fail(report, FixStatus::kEngine, error.what());
  } catch (const sandbox::SetupError& error) {
    fail(report, FixStatus::kSandbox, error.what());
  } catch (const TestsError& error) {
    fail(report, FixStatus::kTests, error.what());
  } catch (const std::bad_alloc&) {
    fail(report, FixStatus::kEngine, "out of memory: close other programs or use a smaller model");
  } catch (const std::exception& error) {
    fail(report, FixStatus::kUsage, error.what());
  }
  const bool could_stop = report->status == FixStatus::kGaveUp ||
                          report->status == FixStatus::kEngine ||
                          report->status == FixStatus::kTests;
  if (could_stop && environment.stop.interrupted()) {
    fail(report, FixStatus::kInterrupted, "interrupted");
  } else if (report->status == FixStatus::kGaveUp && environment.stop.timed_out()) {
    report->error = "the time limit of " + describe_duration(options.time_limit) + " is over";
  } else if (report->status == FixStatus::kGaveUp && report->error.empty()) {
    report->error = "no attempt made the tests pass";
  }
}

// In a directory with what hooks may want to see.
void finish(const FixOptions& options, const FixReport& report, Observer& observer) {
  if (!any_on_finish(options.hooks)) return;
  const OwnedDirectory place(report.run_dir / "work/finish");
  for (const char* name : {"report.json", "patch.diff"}) {
    const fs::path file = report.run_dir / name;
    if (fs::exists(file)) fs::copy_file(file, place.path() / name);
  }
  run_finish_hooks(options.hooks, box_policy(options, place.path(), "", report.run_dir),
                   report.json().at("status"), observer);
}

}  // namespace

FixReport run_fix(const FixOptions& options, const FixEnvironment& environment,
                  const SavedRun* saved) {
  const Clock::time_point begin = Clock::now();
  FixReport report;
  run_guarded(options, environment, saved, &report);
  report.cost = cost_of(report.tokens, report.model, options.prices);
  report.total = Clock::now() - begin + (saved ? saved->elapsed : std::chrono::duration<double>(0));
  if (report.run_dir.empty()) return report;
  // A saved run that could not be taken up here stays as it was, to be taken up later.
  const bool as_it_was = saved != nullptr && (report.status == FixStatus::kUsage ||
                                              report.status == FixStatus::kEngine ||
                                              report.status == FixStatus::kSandbox);
  const auto guarded = [&](const std::function<void()>& work) {
    try {
      work();
    } catch (const std::exception& error) {
      environment.observer.on_note(error.what());
    }
  };
  if (!as_it_was) {
    guarded([&] {
      write_whole_file(report.run_dir / "report.json", report.json_for_file().dump(2) + "\n");
    });
  }
  if (!as_it_was && report.status != FixStatus::kInterrupted) {
    guarded([&] { finish(options, report, environment.observer); });
  }
  if (!as_it_was && !can_go_on(report.status)) {
    guarded([&] { remove_tree(report.run_dir / "work"); });
    guarded([&] { remove_tree(report.run_dir / "kv"); });
  }
  enter(report.run_dir, environment.sessions);
  return report;
}

}  // namespace dsv4::agent
