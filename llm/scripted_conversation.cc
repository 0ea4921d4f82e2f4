#include "llm/scripted_conversation.h"

#include "llm/encoding_parts.h"
#include "llm/error.h"

namespace dsv4::llm {
namespace {

int64_t tokens_of(std::span<const Segment> segments) {
  size_t bytes = 0;
  for (const Segment& segment : segments) bytes += segment.text.size();
  return static_cast<int64_t>((bytes + 3) / 4);
}

// The turn as a model writes it.
std::vector<Segment> written(const Reply& reply, bool thinking) {
  std::vector<Segment> out;
  if (!reply.raw.empty()) {
    append_markup(out, reply.raw);
  } else {
    if (thinking) {
      append_data(out, reply.reasoning);
      append_markup(out, marker::kEndThink);
    }
    append_data(out, reply.content);
    if (!reply.calls.empty()) append_calls(out, reply.calls, NoArguments::kNothing);
  }
  if (!join_text(out).ends_with(marker::kEnd)) append_markup(out, marker::kEnd);
  return out;
}

}  // namespace

ScriptedConversation::ScriptedConversation(Script script, Options options)
    : script_(std::move(script)),
      options_(std::move(options)),
      prompt_(options_.thinking, Effort::kNormal) {}

ScriptedConversation::ScriptedConversation(std::vector<Reply> replies, Options options)
    : replies_(std::move(replies)),
      options_(std::move(options)),
      prompt_(options_.thinking, Effort::kNormal) {}

void ScriptedConversation::record(const std::string& role, const std::vector<Segment>& added,
                                  bool sampled) {
  for (const Segment& segment : added) {
    segments_.push_back({role, segment.text, segment.markup, sampled, appends_});
  }
  ++appends_;
  const int64_t tokens = tokens_of(added);
  usage_.context += tokens;
  if (sampled) {
    usage_.generated += tokens;
  } else {
    pending_ += tokens;
  }
}

void ScriptedConversation::system(std::string_view text,
                                  const std::vector<nlohmann::ordered_json>& tools) {
  record("system", prompt_.system(text, tools), false);
}

void ScriptedConversation::user(std::string_view part) {
  record("user", prompt_.user(part), false);
}

void ScriptedConversation::tool_results(std::span<const std::string> results) {
  record("tool", prompt_.tool_results(results), false);
}

bool ScriptedConversation::prefill(const PrefillProgress& progress, std::stop_token cancel) {
  if (cancel.stop_requested()) return false;
  usage_.prefilled += pending_;
  if (progress && pending_ > 0) progress(pending_, pending_);
  pending_ = 0;
  return true;
}

nlohmann::ordered_json ScriptedConversation::save(const std::filesystem::path&) {
  nlohmann::ordered_json segments = nlohmann::ordered_json::array();
  for (; saved_ < segments_.size(); ++saved_) {
    const RecordedSegment& s = segments_[saved_];
    segments.push_back({s.role, s.text, s.markup, s.sampled, s.append});
  }
  const PromptBuilder::Place place = prompt_.place();
  return {{"segments", segments},
          {"place", {place.turn, place.after_result}},
          {"usage", usage_},
          {"pending", pending_},
          {"next", next_reply_}};
}

void ScriptedConversation::resume(std::span<const nlohmann::ordered_json> saved,
                                  const std::filesystem::path&) {
  for (const nlohmann::ordered_json& part : saved) {
    for (const auto& s : part.at("segments")) {
      segments_.push_back({s.at(0), s.at(1), s.at(2), s.at(3), s.at(4)});
      appends_ = segments_.back().append + 1;
    }
    prompt_.go_to({part.at("place").at(0), part.at("place").at(1)});
    usage_ = part.at("usage");
    pending_ = part.at("pending");
    next_reply_ = part.at("next");
  }
  saved_ = segments_.size();
}

Reply ScriptedConversation::next(const ReplyOptions& options) {
  if (script_) return script_(segments_, options);
  if (next_reply_ == replies_.size()) throw Error("the script has no more replies");
  return replies_[next_reply_++];
}

Reply ScriptedConversation::reply(const ReplyOptions& options) {
  record("assistant", prompt_.begin_reply(), false);
  if (!prefill({}, options.cancel)) {
    prompt_.end_reply(false);
    Reply cancelled;
    cancelled.finish = Finish::kCancelled;
    return cancelled;
  }
  const Reply scripted = next(options);
  const std::vector<Segment> turn = written(scripted, options_.thinking);
  record("assistant", turn, true);
  prompt_.end_reply(true);
  Reply reply = parse_reply(join_text(turn), options_.thinking);
  reply.tokens = tokens_of(turn);
  reply.finish = scripted.finish;
  // The end marker ends the turn; it is no text of it.
  std::string_view said = reply.raw;
  if (said.ends_with(marker::kEnd)) said.remove_suffix(marker::kEnd.size());
  if (options.on_text) options.on_text(said);
  if (options_.on_reply) options_.on_reply(segments_);
  return reply;
}

std::unique_ptr<Conversation> ScriptedConversation::fork() const {
  return std::make_unique<ScriptedConversation>(*this);
}

Usage ScriptedConversation::usage() const { return usage_; }

}  // namespace dsv4::llm
