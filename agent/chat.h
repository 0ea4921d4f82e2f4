#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/approval.h"
#include "agent/box_options.h"
#include "agent/chat_place.h"
#include "agent/commands.h"
#include "agent/hook.h"
#include "agent/loop.h"
#include "agent/model_choice.h"
#include "agent/observers.h"
#include "agent/run_directory.h"
#include "agent/run_record.h"
#include "agent/session_index.h"
#include "agent/timeline.h"
#include "llm/conversation.h"
#include "sandbox/sandbox.h"

namespace dsv4::agent {

// A model as a session has it.
struct ChatModel {
  std::unique_ptr<llm::Conversation> conversation;  // empty
  std::string name;
  // It holds no conversation: every message is an issue of its own and repaired as `fix` would.
  bool repairs_only = false;
};

// Opens a model; the observer hears of a server's troubles. Throws llm::Error.
using ChatModelOpener =
    std::function<ChatModel(const ModelChoice& choice, Observer& observer, std::stop_token cancel)>;

struct ChatOptions : BoxOptions {
  std::optional<std::string> repo;   // else the work tree around the current directory
  std::optional<std::string> test;   // else detected
  std::optional<std::string> model;  // else the embedded one
  std::optional<Endpoint> endpoint;  // in place of a model in this process
  Approval approval = Approval::kAsk;
  AttemptLimits limits{100, 1 << 17, 1 << 13};  // of one message
  int attempts = 8;                             // at one message, where the model repairs only
  std::chrono::milliseconds time_limit = std::chrono::minutes(30);  // likewise
  uint64_t seed = 0;
  std::string run_dir;      // empty: a new one in the state directory
  std::vector<Hook> hooks;  // as the user's configuration is now
};

struct ChatEnvironment {
  ChatModelOpener open;
  Observer& observer;
  AskPerson ask;                     // may be empty: nobody can be asked
  SessionIndex* sessions = nullptr;  // where the session is listed; nowhere when null
};

struct SavedChat;
struct SavedContext;

// How a message ended.
struct ChatAnswer {
  ExitCode code = kPassed;  // answered or repaired; else as `fix` would end
  std::string trouble;      // why it is not kPassed, a sentence for people; may be empty
  std::string changed;  // "2 files: a.py, b.py" that differ from the user's tree; or "no changes"
};

// A session: one repository, one working copy, one growing context, and messages of a person that
// the model works on with its tools until it answers. Every message can be gone back behind, and
// files and context go together. Not thread-safe. The user's tree changes only in apply().
class Chat {
 public:
  // Copies the repository, opens the model and lets it read. Throws UsageError, llm::Error,
  // sandbox::SetupError, and std::runtime_error when stopped early.
  Chat(ChatOptions options, ChatEnvironment environment, std::stop_token cancel);
  // Goes on where another process left a session, and computes nothing that it has computed.
  Chat(SavedChat saved, ChatEnvironment environment, std::stop_token cancel);
  // The copy and what else resuming needs is removed, unless keep() was called.
  ~Chat();
  Chat(const Chat&) = delete;
  Chat& operator=(const Chat&) = delete;

  // `typed`: by the person at the terminal, so that an @path may name any file of theirs, also one
  // outside the repository. Engine and sandbox errors end the message, not the session: they are
  // thrown when everything is as it was before or as the tools left it.
  ChatAnswer say(const std::string& message, bool typed, std::stop_token cancel);
  // The same with tools that only look.
  ChatAnswer plan(const std::string& message, bool typed, std::stop_token cancel);

  // For the commands. Sentences for people; UsageError where something cannot be done.
  std::string undo();
  tools::TestReport test(std::stop_token cancel);
  std::string checkpoint(const std::string& name);
  std::string rewind(size_t back);
  std::string rewind(const std::string& checkpoint);
  std::string fork(const std::string& name);
  // Begins a new context with another model on the files as they are. When that cannot be opened,
  // or is stopped before it has read them, everything is as it was. Of a server that is the
  // session's already only the model may be another.
  void change_model(ModelChoice choice, std::stop_token cancel);
  void set_approval(Approval approval);
  void set_test(const std::string& command);
  // The session can be resumed after its end, by a person who asked for it or because it was cut
  // short.
  void keep(const std::string& name);
  void keep_interrupted();
  bool is_kept() const { return kept_; }

  // The changes that the user's tree has not got, and how they get there.
  std::string patch(std::vector<std::string>* left_out = nullptr) const {
    return place_->patch(left_out);
  }
  std::optional<sandbox::Result> prove(const std::string& patch, std::stop_token cancel) {
    return place_->prove(patch, cancel);
  }
  void apply(const std::string& patch);
  std::filesystem::path save_patch(const std::string& patch) const;

  Approval approval() const { return options_.approval; }
  const ChatModel& model() const { return model_; }
  // The URL of the server whose model it is; nothing where it runs in this process.
  std::optional<std::string> server() const {
    return options_.endpoint ? std::optional(options_.endpoint->url) : std::nullopt;
  }
  const ChatPlace& place() const { return *place_; }
  const Repository& repository() const { return repository_; }
  const Timeline& timeline() const { return timeline_; }
  const RepositoryContext& context() const { return context_; }
  const std::vector<std::string>& checklist() const { return place_->toolbox().plan(); }
  llm::Usage usage() const { return usage_; }
  const std::filesystem::path& run_dir() const { return run_dir_; }
  std::string id() const { return run_dir_.filename().string(); }

 private:
  Chat(ChatOptions options, ChatEnvironment environment, const SavedChat* saved,
       std::stop_token cancel);
  void begin(std::stop_token cancel);
  void go_on(SavedChat saved, std::stop_token cancel);
  void save(bool in_message = false);
  void write_mark(bool in_message);
  std::unique_ptr<llm::Conversation> conversation_at(size_t mark) const;
  void add_point(const std::string& name, const std::string& message);
  std::string go_back_to(const Point& point, const std::string& sentence);
  void list() const;
  void read(std::stop_token cancel);
  Moment now();
  void go_to(const Moment& moment);
  ChatAnswer work(const std::string& message, bool typed, Approval approval,
                  std::stop_token cancel);
  ChatAnswer converse(const std::string& message, bool typed, Approval approval,
                      std::stop_token cancel);
  ChatAnswer repair(const std::string& message, std::stop_token cancel);
  void finish(const ChatAnswer& answer);
  void note_for_model(const std::string& sentence) { notes_ += "(" + sentence + ")\n\n"; }

  ChatOptions options_;
  ChatEnvironment environment_;
  Repository repository_;
  std::filesystem::path run_dir_;
  std::shared_ptr<RunLock> lock_;
  RunRecord record_;
  Observers observer_;
  ChatModel model_;
  OwnedDirectory kv_;  // what the conversations have computed, for resuming
  std::unique_ptr<ChatPlace> place_;
  std::unique_ptr<llm::Conversation> conversation_;  // null where the model repairs only
  RepositoryContext context_;
  Timeline timeline_;
  llm::Usage usage_;   // of the last context
  std::string notes_;  // what the person did since the model last spoke
  uint64_t messages_ = 0;
  std::string title_;  // of the first message
  std::string name_;   // by keep()
  bool opened_ = false;
  bool kept_ = false;

  // What was saved so far (chat_log.h), one of each for every mark.
  std::vector<SavedContext> contexts_;
  std::vector<nlohmann::ordered_json> tools_;
  static constexpr size_t kBegins = SIZE_MAX;
  size_t conversation_mark_ = kBegins;  // of conversation_'s last save
  nlohmann::ordered_json happened_ = nlohmann::ordered_json::array();  // to the timeline since
  bool saving_ = true;                                                 // until it fails
};

// What a message says, for the model: with the files that it names by @path and that the context
// does not hold as they are. `root` is the working copy; anywhere outside it only if `typed`.
std::string message_text(const std::string& message, const std::filesystem::path& root,
                         const RepositoryContext& context, bool typed);

// Whether a message can be taken for the description of a bug: more than a greeting or a question.
bool reads_as_issue(const std::string& message);

}  // namespace dsv4::agent
