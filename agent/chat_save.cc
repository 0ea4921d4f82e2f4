#include <fstream>
#include <utility>

#include "agent/chat.h"
#include "agent/chat_log.h"
#include "agent/error.h"
#include "agent/printable.h"
#include "agent/session_row.h"

// How a session outlives its process: see chat_log.h.

namespace dsv4::agent {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

void Chat::go_on(SavedChat saved, std::stop_token cancel) {
  record_.event("resumed", {{"mark", saved.tools.size() - 1}});
  contexts_ = std::move(saved.contexts);
  tools_ = std::move(saved.tools);
  timeline_ = std::move(saved.timeline);
  context_ = std::move(saved.context);
  notes_ = std::move(saved.notes);
  name_ = std::move(saved.name);
  title_ = std::move(saved.title);
  messages_ = saved.messages;
  for (const int64_t job : place_->toolbox().resume(tools_)) {
    note_for_model("The background job " + std::to_string(job) + " ended with its process.");
  }
  observer_.on_note("session " + id() + " goes on after " + std::to_string(messages_) +
                    (messages_ == 1 ? " message: " : " messages: ") + repository_.root.string() +
                    ", model: " + model_.name);
  if (model_.repairs_only || contexts_.back().conversation.is_null()) {
    read(cancel);
  } else {
    conversation_mark_ = contexts_.size() - 1;
    conversation_ = conversation_at(conversation_mark_);
    conversation_->prefill(
        [this](int64_t count, int64_t total) { observer_.on_prefill(count, total); }, cancel);
    usage_ = conversation_->usage();
    observer_.on_usage(usage_, conversation_->window());
  }
  if (saved.in_message) {
    observer_.on_note("the last message was cut short: what the tools had done of it is there");
    note_for_model("You were cut short here.");
  }
  kept_ = !name_.empty();
  save();
  list();
  opened_ = true;
}

std::unique_ptr<llm::Conversation> Chat::conversation_at(size_t mark) const {
  std::vector<ordered_json> saves;
  for (std::optional<size_t> at = mark; at; at = contexts_.at(*at).after) {
    saves.push_back(contexts_.at(*at).conversation);
  }
  std::reverse(saves.begin(), saves.end());
  auto conversation = model_.conversation->fork();
  conversation->resume(saves, kv_.path());
  return conversation;
}

void Chat::write_mark(bool in_message) {
  SavedContext context;
  if (conversation_) {
    if (conversation_mark_ != kBegins) context.after = conversation_mark_;
    context.conversation = conversation_->save(kv_.path());
  }
  ordered_json tools = place_->toolbox().save();
  ChatOptions options = options_;
  if (place_->test()) options.test = place_->test()->command;
  record_.event("mark", {{"after", context.after ? ordered_json(*context.after) : ordered_json()},
                         {"conversation", context.conversation},
                         {"tools", tools},
                         {"timeline", std::exchange(happened_, ordered_json::array())},
                         {"notes", to_utf8(notes_)},
                         {"name", to_utf8(name_)},
                         {"messages", messages_},
                         {"in_message", in_message},
                         {"options", json_of(options)}});
  conversation_mark_ = contexts_.size();
  contexts_.push_back(std::move(context));
  tools_.push_back(std::move(tools));
}

void Chat::save(bool in_message) {
  if (!saving_) return;
  try {
    write_mark(in_message);
  } catch (const std::exception& error) {
    saving_ = false;
    observer_.on_note(std::string("the session can no longer be resumed: ") + error.what());
  }
}

void Chat::keep(const std::string& name) {
  if (!saving_) throw UsageError("the session could not be written down; it cannot be resumed");
  name_ = name;
  kept_ = true;
  save();
  list();
}

void Chat::keep_interrupted() {
  if (saving_) kept_ = true;
}

// In the index, and in report.json: what the first event did not know yet.
void Chat::list() const {
  const auto row = describe_run(run_dir_);
  if (environment_.sessions == nullptr || !row) return;
  SessionRow listed = *row;
  listed.title = name_.empty() ? title_ : name_ + ": " + title_;
  listed.tokens = usage_;
  environment_.sessions->put(listed);
}

Chat::~Chat() {
  place_->keep(kept_);
  kv_.keep(kept_);
  if (!opened_) return;
  try {
    ordered_json report = {{"title", name_.empty() ? title_ : name_ + ": " + title_},
                           {"tokens", usage_}};
    if (!name_.empty()) {
      report["status"] = "saved";
    } else if (!kept_) {
      report["status"] = "ended";
    }
    std::ofstream(run_dir_ / "report.json", std::ios::trunc) << report.dump(2) << '\n';
    lock_.reset();  // or it would be listed as running
    list();
  } catch (const std::exception&) {
    // The list of sessions then says less.
  }
}

}  // namespace dsv4::agent
