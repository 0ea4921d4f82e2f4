#include "agent/chat.h"

#include <ctime>
#include <fstream>
#include <sstream>
#include <utility>

#include "agent/chat_log.h"
#include "agent/error.h"
#include "agent/fix.h"
#include "agent/hooks.h"
#include "agent/loop_state.h"
#include "agent/printable.h"
#include "agent/prompt.h"
#include "agent/reading.h"
#include "agent/run_directory.h"
#include "agent/session_row.h"
#include "agent/stop.h"
#include "llm/error.h"

namespace dsv4::agent {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRepairsOnly =
    "This model holds no conversation: it repairs small bugs in small Python and C++ repositories. "
    "Say in a sentence or two what is wrong; it then changes the working copy until the tests "
    "pass. --model DIR opens a larger DeepSeek-V4.";

ExitCode code_of(AttemptEnd end) {
  if (end == AttemptEnd::kFinished || end == AttemptEnd::kStopped) return kPassed;
  return end == AttemptEnd::kCancelled ? kInterrupted : kGaveUp;
}

// What a person sees of a repair: not where it is done, which is this session's own copy.
class RepairView : public Observers {
 public:
  explicit RepairView(Observer& view) : Observers({&view}) {}
  void on_place(const std::string&) override {}
  void on_context(const RepositoryContext&, int64_t) override {}
};

// A message that is cut short is not gone on with: of the loop nothing is saved.
class TurnSaver : public AttemptSaver {
 public:
  explicit TurnSaver(std::function<void()> save) : save_(std::move(save)) {}
  void between_turns(const LoopState&) override {}
  void computed() override { save_(); }

 private:
  std::function<void()> save_;
};

}  // namespace

Chat::Chat(ChatOptions options, ChatEnvironment environment, const SavedChat* saved,
           std::stop_token cancel)
    : options_(std::move(options)),
      environment_(std::move(environment)),
      repository_(options_.repo ? named_repository(*options_.repo)
                                : enclosing_repository(fs::current_path())),
      run_dir_(saved != nullptr ? saved->directory : make_run_directory(options_.run_dir)),
      lock_(saved != nullptr ? saved->lock : std::make_shared<RunLock>(run_dir_)),
      record_(run_dir_),
      observer_({&environment_.observer, &record_}),
      model_(environment_.open({options_.model, options_.endpoint}, observer_, cancel)),
      kv_(run_dir_ / "kv",
          saved != nullptr ? OwnedDirectory::Old::kUse : OwnedDirectory::Old::kRemove),
      kept_(saved != nullptr) {
  kv_.keep(kept_);  // also when something goes wrong here
  options_.repo = repository_.root.string();
  ChatPlaceOptions place;
  place.work = run_dir_ / "work";
  place.repository = repository_;
  place.test = options_.test;
  static_cast<BoxOptions&>(place) = options_;
  place.window = model_.conversation->window();
  place.every_parameter = !model_.repairs_only;
  place.made = saved != nullptr;
  place_ = std::make_unique<ChatPlace>(std::move(place), observer_, std::move(cancel));
}

Chat::Chat(ChatOptions options, ChatEnvironment environment, std::stop_token cancel)
    : Chat(std::move(options), std::move(environment), nullptr, cancel) {
  begin(cancel);
}

Chat::Chat(SavedChat saved, ChatEnvironment environment, std::stop_token cancel)
    : Chat(saved.options, std::move(environment), &saved, cancel) {
  go_on(std::move(saved), cancel);
}

void Chat::begin(std::stop_token cancel) {
  record_.event("run", {{"id", id()},
                        {"kind", "session"},
                        {"began", static_cast<int64_t>(std::time(nullptr))},
                        {"repository", to_utf8(repository_.root.string())},
                        {"model", model_.name}});
  list();
  observer_.on_note("repository: " + repository_.root.string() + ", model: " + model_.name);
  observer_.on_note(place_->test() ? "tests: " + place_->test()->command + " (from " +
                                         place_->test()->source + ")"
                                   : "tests: none found; /test COMMAND names them");
  read(cancel);
  if (model_.repairs_only) observer_.on_note(kRepairsOnly);
  save();
  opened_ = true;
}

// The conversation's beginning: system text, tools and the files as they are now.
void Chat::read(std::stop_token cancel) {
  const OwnedDirectory state(run_dir_ / "work/reading");
  tools::WorkspaceOptions workspace;
  workspace.root = place_->copy();
  workspace.metadata = place_->metadata();
  workspace.state_dir = state.path();
  workspace.every_parameter = !model_.repairs_only;
  tools::Toolbox toolbox(std::move(workspace));
  const Listing listing = place_->listing(cancel);
  ContextOptions context;
  context.root = place_->copy();
  context.changes = change_counts(repository_);
  context.outer = outer_instructions(repository_);
  const Reading what{model_.repairs_only ? system_text() : chat_system_text(), toolbox, listing,
                     std::move(context), ""};
  auto conversation = model_.conversation->fork();
  ReadRepository read = read_repository(*conversation, what, observer_, cancel);
  // Stopped anywhere on the way: of what was listed then, files may be missing.
  if (!read.whole || cancel.stop_requested()) {
    throw UsageError("it was stopped before the model had read the repository");
  }
  context_ = std::move(read.context);
  usage_ = conversation->usage();
  conversation_.reset();
  if (model_.repairs_only) return;
  conversation->user(chat_opening());
  conversation_ = std::move(conversation);
  conversation_mark_ = kBegins;
}

// Everything is saved, so the last mark says the same.
Moment Chat::now() {
  Moment moment;
  moment.mark = tools_.empty() ? 0 : tools_.size() - 1;
  if (conversation_) moment.context = conversation_->fork();
  moment.files = place_->toolbox().snapshot();
  return moment;
}

void Chat::go_to(const Moment& moment) {
  const auto files = moment.files
                         ? moment.files
                         : place_->toolbox().snapshot_at(std::span(tools_).first(moment.mark + 1));
  if (conversation_) {
    conversation_ = moment.context ? moment.context->fork() : conversation_at(moment.mark);
    conversation_mark_ = moment.mark;
    usage_ = conversation_->usage();
    observer_.on_usage(usage_, conversation_->window());
  }
  place_->toolbox().go_back(*files);
  notes_.clear();
}

ChatAnswer Chat::say(const std::string& message, bool typed, std::stop_token cancel) {
  return work(message, typed, options_.approval, std::move(cancel));
}

ChatAnswer Chat::plan(const std::string& message, bool typed, std::stop_token cancel) {
  return work(message, typed, Approval::kReadOnly, std::move(cancel));
}

ChatAnswer Chat::work(const std::string& message, bool typed, Approval approval,
                      std::stop_token cancel) {
  ++messages_;
  record_.event("message", {{"text", to_utf8(message)}});
  if (title_.empty()) {
    title_ = title_of(message);
    list();
  }
  if (model_.repairs_only) {
    if (!reads_as_issue(message)) {
      return {kUsage, kRepairsOnly, changed_files(patch())};
    }
    if (approval == Approval::kReadOnly) {
      throw UsageError("read-only: this model can only repair; /approve ask lets it");
    }
    add_point("", message);
    const ChatAnswer answer = repair(message, std::move(cancel));
    save();
    finish(answer);
    return answer;
  }
  add_point("", message);
  const ChatAnswer answer = converse(message, typed, approval, std::move(cancel));
  finish(answer);
  return answer;
}

// Runs the hooks for the end of a message beside its patch.
void Chat::finish(const ChatAnswer& answer) {
  if (!any_on_finish(options_.hooks) || answer.code == kInterrupted) return;
  try {
    const OwnedDirectory directory(run_dir_ / "work/finish");
    std::ofstream(directory.path() / "patch.diff", std::ios::binary) << patch();
    run_finish_hooks(options_.hooks, place_->policy(directory.path()),
                     answer.code == kPassed ? "answered" : "gave_up", observer_);
  } catch (const std::exception& error) {
    observer_.on_note(error.what());
  }
}

ChatAnswer Chat::converse(const std::string& message, bool typed, Approval approval,
                          std::stop_token cancel) {
  const std::string text = notes_ + message_text(message, place_->copy(), context_, typed);
  AttemptOptions options;
  options.limits = options_.limits;
  options.sampling.seed = options_.seed * 1'000'003u + messages_;
  options.cancel = cancel;
  options.answers = true;
  Hooks hooks(options_.hooks,
              {place_->policy(place_->copy()), place_->metadata(), place_->toolbox()}, observer_,
              cancel);
  options.forbid = [&](const llm::ToolCall& call) {
    const auto reason = forbidden(call, approval, place_->sandboxed(), environment_.ask);
    return reason ? reason : hooks.before(call);
  };
  try {
    conversation_->user(text);
    observer_.on_prompt(text);
    notes_.clear();
    TurnSaver saver([this] { save(true); });
    options.saver = &saver;
    Observers observers({&observer_, &hooks});
    const AttemptResult result = run_attempt(*conversation_, place_->toolbox(), options, observers);
    usage_ = conversation_->usage();
    save();
    return {code_of(result.end), code_of(result.end) == kPassed ? "" : describe(result.end),
            changed_files(patch())};
  } catch (...) {
    // A turn that broke off inside the engine cannot be gone on with.
    const Moment& before = timeline_.points().back().moment;
    conversation_ = before.context->fork();
    conversation_mark_ = before.mark;
    save();
    throw;
  }
}

ChatAnswer Chat::repair(const std::string& message, std::stop_token cancel) {
  FixOptions options;
  options.issue = "-";
  options.repo = place_->copy().string();
  if (place_->test()) options.test = place_->test()->command;
  options.attempts = options_.attempts;
  options.time_limit = options_.time_limit;
  options.seed = options_.seed;
  options.apply = true;  // to the working copy
  options.run_dir = (run_dir_ / "repairs" / std::to_string(messages_)).string();
  static_cast<BoxOptions&>(options) = options_;
  options.model_name = model_.name;
  options.failing_only = true;
  options.hooks = options_.hooks;
  std::erase_if(options.hooks, [](const Hook& hook) { return hook.on == Hook::On::kFinish; });
  std::istringstream issue(message);
  const Stop stop(options.time_limit, cancel);
  RepairView view(environment_.observer);
  const FixReport report =
      run_fix(options, {issue, [&] { return model_.conversation->fork(); }, view, stop});
  place_->toolbox().changed_from_outside();
  usage_ = report.tokens;
  std::string trouble = report.error;
  if (report.status == FixStatus::kInterrupted) {
    trouble = "it was stopped: the files are as they were before the message";
  } else if (report.status == FixStatus::kGaveUp && !report.patch.empty()) {
    trouble += "; the best try is in " + report.patch.string();
  }
  return {report.exit_code(), trouble, changed_files(patch())};
}

std::string Chat::undo() {
  const tools::Outcome outcome = place_->toolbox().call("undo", nlohmann::ordered_json::object());
  if (outcome.error) throw UsageError("there is nothing to undo");
  note_for_model("The person took back a change: " + outcome.text);
  save();
  return outcome.text;
}

tools::TestReport Chat::test(std::stop_token cancel) {
  tools::TestReport report = place_->toolbox().run_tests(std::move(cancel));
  report.text = to_utf8(report.text);
  note_for_model("The person ran the tests. " + report.text);
  save();
  return report;
}

void Chat::set_approval(Approval approval) {
  options_.approval = approval;
  save();
}

void Chat::set_test(const std::string& command) {
  place_->set_test(command);
  save();
}

void Chat::add_point(const std::string& name, const std::string& message) {
  timeline_.add({now(), name, message});
  happened_.push_back(added(timeline_.points().back()));
}

std::string Chat::checkpoint(const std::string& name) {
  if (timeline_.find_checkpoint(name) != nullptr) {
    throw UsageError("there is a checkpoint " + name + " already");
  }
  add_point(name, "");
  save();
  return "checkpoint " + name + ": /rewind " + name + " brings files and context back here";
}

std::string Chat::go_back_to(const Point& point, const std::string& sentence) {
  go_to(point.moment);
  happened_.push_back(rewound(static_cast<size_t>(&point - timeline_.points().data())));
  timeline_.rewind_to(&point);
  save();
  return sentence;
}

std::string Chat::rewind(size_t back) {
  const Point* point = back == 0 ? nullptr : timeline_.find_message(back);
  if (point == nullptr) throw UsageError("there is no message to go back behind");
  return go_back_to(
      *point, "back before \"" + printable_line(point->message, 50) + "\": files and context");
}

std::string Chat::rewind(const std::string& checkpoint) {
  const Point* point = timeline_.find_checkpoint(checkpoint);
  if (point == nullptr) throw UsageError("there is no checkpoint " + checkpoint);
  return go_back_to(*point, "back at checkpoint " + checkpoint + ": files and context");
}

std::string Chat::fork(const std::string& name) {
  if (name == timeline_.branch()) throw UsageError("this is the branch " + name);
  const std::string left = timeline_.branch();
  const Moment here = now();
  happened_.push_back(switched(name, here.mark));
  const std::optional<Moment> known = timeline_.switch_to(name, here);
  if (known) go_to(*known);
  save();
  return known ? "on the branch " + name + " again: files and context"
               : "on the new branch " + name + "; /fork " + left + " goes back to " + left;
}

void Chat::change_model(ModelChoice choice, std::stop_token cancel) {
  if (choice.endpoint && options_.endpoint && choice.endpoint->url == options_.endpoint->url) {
    Endpoint known = *options_.endpoint;
    if (choice.endpoint->model && choice.endpoint->model != known.model) known.context.reset();
    if (choice.endpoint->model) known.model = choice.endpoint->model;
    choice.endpoint = std::move(known);
  }
  ChatModel model = environment_.open(choice, observer_, cancel);
  std::swap(model_, model);
  try {
    observer_.on_note("model: " + model_.name +
                      "; the context begins anew with the files as they are");
    read(std::move(cancel));
  } catch (...) {
    std::swap(model_, model);
    throw;
  }
  place_->set_window(model_.conversation->window());
  options_.model = choice.directory;
  options_.endpoint = choice.endpoint;
  timeline_ = Timeline();
  happened_.push_back(begun_anew());
  notes_.clear();
  if (model_.repairs_only) observer_.on_note(kRepairsOnly);
  save();
}

void Chat::apply(const std::string& patch) {
  place_->apply(patch);
  record_.event("applied", {{"files", changed_files(patch)}});
  note_for_model("The person took the changes over into their own tree.");
  save();
}

fs::path Chat::save_patch(const std::string& patch) const {
  const fs::path file = run_dir_ / "patch.diff";
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << patch;
  out.flush();
  if (!out) throw UsageError("cannot write " + printable_line(file.string(), 300));
  return file;
}

}  // namespace dsv4::agent
