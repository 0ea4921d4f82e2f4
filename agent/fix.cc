#include "agent/fix.h"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <new>
#include <utility>

#include "agent/apply.h"
#include "agent/duration.h"
#include "agent/error.h"
#include "agent/gate.h"
#include "agent/observers.h"
#include "agent/patch.h"
#include "agent/printable.h"
#include "agent/prompt.h"
#include "agent/reading.h"
#include "agent/run_directory.h"
#include "agent/run_record.h"
#include "agent/task.h"
#include "agent/test_command.h"
#include "agent/test_files.h"
#include "agent/working_copy.h"
#include "llm/error.h"
#include "sandbox/sandbox.h"

namespace dsv4::agent {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// The first attempt is the model's best guess; later ones have to differ from it.
constexpr double kLaterTemperature = 0.8;
// Tokens rarer than this, relative to the likeliest, are noise more often than ideas.
constexpr double kLaterMinP = 0.05;
constexpr int kFirstTrials = 10;  // of the first attempt, which goes on without them
constexpr int kTrials = 40;       // of every other attempt after it

// Thrown when the user or the time limit stopped the run between two steps.
struct Stopped {};

void write_file(const fs::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  out.flush();
  if (!out) throw UsageError("cannot write " + printable_line(file.string(), 300));
}

// A word as sh takes it.
std::string quoted(const std::string& word) {
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// Brings the list of sessions up to date with the run's own directory.
void enter(const fs::path& directory, SessionIndex* sessions) {
  if (sessions == nullptr || directory.empty()) return;
  if (const auto row = describe_run(directory)) sessions->put(*row);
}

// One working copy with its box and tools: what an attempt has.
struct Workplace {
  OwnedDirectory copy;
  OwnedDirectory state;
  std::unique_ptr<sandbox::Sandbox> box;
  std::unique_ptr<tools::Toolbox> toolbox;
};

class FixRun {
 public:
  FixRun(const FixOptions& options, const FixEnvironment& environment, FixReport* report)
      : options_(options), environment_(environment), report_(*report) {}

  // Work copies, box and conversation are gone when this returns, however it returns.
  void run() {
    load();
    const RunLock lock(report_.run_dir);
    const OwnedDirectory work(report_.run_dir / "work");
    work_ = work.path();
    RunRecord record(report_.run_dir);
    Observers observers({&environment_.observer, &record});
    observer_ = &observers;
    record.event("run", {{"id", report_.run_id},
                         {"kind", "fix"},
                         {"began", std::time(nullptr)},
                         {"repository", to_utf8(task_.repository.root.string())},
                         {"issue", to_utf8(task_.issue.file.string())},
                         {"title", title_of(task_.issue.text)},
                         {"test", to_utf8(task_.test.command)}});
    enter(report_.run_dir, environment_.sessions);
    const std::unique_ptr<llm::Conversation> root = environment_.open();
    report_.model = options_.model_name.empty() ? root->model_name() : options_.model_name;
    observer_->on_note("repository: " + task_.repository.root.string() +
                       ", model: " + report_.model + ", run: " + report_.run_dir.string());
    observer_->on_note("test command from " + task_.test.source);
    prepare_base();
    const std::string first_report = run_first_tests();
    read_shared_prefix(*root);
    for (int number = 1; number <= options_.attempts && !report_.after.value_or(false); ++number) {
      attempt(number, *root, first_report);
    }
    count_tokens(root->usage(), {});
    if (!report_.after.value_or(false)) return;
    report_.status = FixStatus::kPassed;
    report_.error.clear();
    deliver();
  }

 private:
  void check_stop() const {
    if (environment_.stop.token().stop_requested()) throw Stopped();
  }

  void load() {
    task_ = load_task({options_.issue, options_.repo, options_.test}, environment_.standard_input,
                      environment_.stop.token());
    check_stop();
    if (options_.branch) check_branch(task_.repository, *options_.branch);
    report_.test_command = task_.test.command;
    report_.run_dir = make_run_directory(options_.run_dir);
    report_.run_id = report_.run_dir.filename().string();
  }

  void prepare_base() {
    const bool done = make_base(
        task_.repository, task_.listing, work_ / "base",
        [this](uint64_t bytes, uint64_t total) { observer_->on_copy(bytes, total); },
        environment_.stop.token());
    if (!done) throw Stopped();
  }

  std::unique_ptr<sandbox::Sandbox> make_box(const fs::path& copy) const {
    sandbox::Policy policy = sandbox::task_policy(copy);
    policy.limits.wall_time = task_.test_timeout;
    policy.enforce = options_.sandboxed;
    return std::make_unique<sandbox::Sandbox>(std::move(policy));
  }

  std::unique_ptr<Workplace> make_workplace(int64_t window, int attempt) const {
    std::unique_ptr<Workplace> place(new Workplace{
        OwnedDirectory(work_ / "tree"), OwnedDirectory(work_ / "state"), nullptr, nullptr});
    copy_base(work_ / "base", place->copy.path());
    place->box = make_box(place->copy.path());
    run_setup(*place->box, task_.issue.front.setup, environment_.stop.token());
    tools::WorkspaceOptions workspace =
        workspace_on(place->copy.path(), place->state.path(), window);
    workspace.box = place->box.get();
    workspace.failed = failed_;
    workspace.spent = spent_;
    // Every other pair of attempts leaves what its predecessors spent themselves on.
    workspace.leave_spent = attempt > 0 && (attempt - 1) / 2 % 2 == 1;
    place->toolbox = std::make_unique<tools::Toolbox>(std::move(workspace));
    return place;
  }

  tools::WorkspaceOptions workspace_on(const fs::path& tree, const fs::path& state,
                                       int64_t window) const {
    tools::WorkspaceOptions workspace;
    workspace.root = tree;
    workspace.state_dir = state;
    workspace.test_command = task_.test.command;
    workspace.output_limit = result_limit(window);
    return workspace;
  }

  // Returns the report the model sees. What set-up and tests leave behind is kept out of patches.
  std::string run_first_tests() {
    check_stop();
    const auto place = make_workplace(0, 0);
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
    ignore_files(work_ / "base", untracked_files(place->copy.path()));
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
    tools::Toolbox toolbox(workspace_on(work_ / "base", state.path(), root.window()));
    ContextOptions context;
    context.root = work_ / "base";
    if (!task_.issue.file.empty()) {
      context.issue_path = task_.issue.file.lexically_relative(task_.repository.root).string();
    }
    context.changes = change_counts(task_.repository);
    const Reading what{system_text(), toolbox, task_.listing, std::move(context), task_.issue.text};
    ReadRepository read = read_repository(root, what, *observer_, environment_.stop.token());
    report_.context = std::move(read.context);
    report_.seconds.model += read.seconds;
    if (!read.whole) throw Stopped();
  }

  void attempt(int number, const llm::Conversation& root, const std::string& first_report) {
    check_stop();
    const auto place = make_workplace(root.window(), number);
    const std::unique_ptr<llm::Conversation> conversation = root.fork();
    const std::string task = task_text(task_.issue.text, task_.test.command,
                                       report_.before.value_or(false), first_report);
    conversation->user(task);
    AttemptOptions options;
    options.limits = options_.limits;
    options.cancel = environment_.stop.token();
    options.sampling.temperature = number == 1 ? 0.0 : kLaterTemperature;
    options.sampling.min_p = number == 1 ? 0.0 : kLaterMinP;
    options.sampling.seed = options_.seed * 1'000'003u + static_cast<uint64_t>(number);
    // Of two searches each finds what the other misses: attempts that see what they did before take
    // turns with attempts that try changes out from one context.
    options.trials = number == 1 ? kFirstTrials : number % 2 == 0 ? kTrials : 0;
    report_.attempts = number;
    observer_->on_attempt(number, options.sampling);
    if (number == 1) observer_->on_prompt(task);
    try {
      const AttemptResult result = run_attempt(*conversation, *place->toolbox, options, *observer_);
      count_tokens(conversation->usage(), root.usage());
      report_.turns += result.turns;
      report_.tool_calls += result.tool_calls;
      report_.seconds += result.seconds;
      observer_->on_attempt_end(result);
      keep(patch_of(*place), result.tests_passed);
      check_stop();
      if (result.for_the_gate) gate();
    } catch (const llm::Error&) {
      keep(patch_of(*place), false);
      throw;
    }
  }

  std::string patch_of(const Workplace& place) const {
    std::vector<std::string> left_out;
    std::string patch = make_patch(place.copy.path(), "", &left_out);
    if (!left_out.empty()) {
      const std::string more =
          left_out.size() > 1 ? " and " + std::to_string(left_out.size() - 1) + " more" : "";
      observer_->on_note("too large for the patch and left out of it: " +
                         printable_line(left_out.front(), 200) + more);
    }
    return patch;
  }

  void count_tokens(const llm::Usage& usage, const llm::Usage& shared) {
    report_.tokens.context = std::max(report_.tokens.context, usage.context);
    report_.tokens.bytes = std::max(report_.tokens.bytes, usage.bytes);
    report_.tokens.prefilled += usage.prefilled - shared.prefilled;
    report_.tokens.generated += usage.generated - shared.generated;
    report_.tokens.reprefilled += usage.reprefilled - shared.reprefilled;
  }

  // The best patch so far lies in patch.diff: one whose tests passed, else the last that changes
  // anything.
  void keep(const std::string& patch, bool tests_passed) {
    last_patch_ = patch;
    if (patch.empty() || (kept_passed_ && !tests_passed)) return;
    kept_passed_ = tests_passed;
    save_patch(patch);
  }

  void save_patch(const std::string& patch) {
    report_.patch = report_.run_dir / "patch.diff";
    write_file(report_.patch, patch);
  }

  void gate() {
    const OwnedDirectory scratch(work_ / "gate");
    GateOptions options;
    options.base = work_ / "base";
    options.scratch = scratch.path();
    options.test_command = task_.test.command;
    options.setup = task_.issue.front.setup;
    options.fixed = FixedTests(task_.issue.front.tests);
    options.passed_before = report_.before.value_or(false);
    options.make_box = [this](const fs::path& copy) { return make_box(copy); };
    const Clock::time_point begin = Clock::now();
    const GateResult result = check_gate(last_patch_, options, environment_.stop.token());
    report_.seconds.tests += Clock::now() - begin;
    check_stop();
    observer_->on_gate(result);
    report_.after = result.passed;
    report_.error = result.reason;
    if (!result.passed) return;
    last_patch_ = result.patch;
    save_patch(result.patch);
  }

  // Hands the proved patch over the ways that were asked for.
  void deliver() {
    const Repository& repository = task_.repository;
    report_.apply_hint = "git -C " + quoted(repository.work_tree.string()) + " apply ";
    if (!repository.whole()) {
      report_.apply_hint += "--directory=" + quoted(repository.prefix()) + " ";
    }
    report_.apply_hint += quoted(report_.patch.string());
    try {
      if (options_.patch_file) write_file(*options_.patch_file, last_patch_);
      if (options_.apply) {
        apply_to_tree(repository, work_ / "base", work_ / "apply", last_patch_);
        observer_->on_note("the patch was applied to " + repository.root.string());
      }
      if (options_.branch) make_branch();
    } catch (const std::runtime_error& error) {
      report_.status = FixStatus::kNotApplied;
      report_.error = error.what();
    }
  }

  void make_branch() {
    const OwnedDirectory copy(work_ / "branch");
    copy_base(work_ / "base", copy.path());
    apply_patch(copy.path(), last_patch_);
    commit_to_branch(task_.repository, *options_.branch,
                     make_patch(copy.path(), task_.repository.prefix()),
                     "Fix: " + title_of(task_.issue.text) + "\n");
    observer_->on_note("the patch is on the branch " + *options_.branch);
  }

  const FixOptions& options_;
  const FixEnvironment& environment_;
  FixReport& report_;
  Observer* observer_ = nullptr;
  Task task_;
  fs::path work_;
  // Every attempt starts from an equal copy: what failed in one need not be tried in another.
  std::shared_ptr<tools::SpentSymbols> spent_ = std::make_shared<tools::SpentSymbols>();
  std::shared_ptr<tools::FailedTrees> failed_ = std::make_shared<tools::FailedTrees>();
  std::string last_patch_;
  bool kept_passed_ = false;
};

void fail(FixReport* report, FixStatus status, const std::string& sentence) {
  report->status = status;
  report->error = sentence;
}

// Runs and turns every way to end into a status.
void run_guarded(const FixOptions& options, const FixEnvironment& environment, FixReport* report) {
  try {
    FixRun(options, environment, report).run();
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

}  // namespace

FixReport run_fix(const FixOptions& options, const FixEnvironment& environment) {
  const Clock::time_point begin = Clock::now();
  FixReport report;
  run_guarded(options, environment, &report);
  report.total = Clock::now() - begin;
  if (!report.run_dir.empty()) {
    try {
      write_file(report.run_dir / "report.json", report.json_for_file().dump(2) + "\n");
    } catch (const std::exception& error) {
      environment.observer.on_note(error.what());
    }
  }
  enter(report.run_dir, environment.sessions);
  return report;
}

}  // namespace dsv4::agent
