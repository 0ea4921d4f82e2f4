#include "agent/chat_log.h"

#include <utility>

#include "agent/error.h"
#include "agent/event_log.h"
#include "agent/printable.h"
#include "agent/session_row.h"

namespace dsv4::agent {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

template <typename Value>
ordered_json or_null(const std::optional<Value>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

template <typename Value>
std::optional<Value> if_given(const ordered_json& json) {
  return json.is_null() ? std::nullopt : std::optional<Value>(json.get<Value>());
}

void read_mark(const ordered_json& event, SavedChat* chat) {
  chat->contexts.push_back({if_given<size_t>(event.at("after")), event.at("conversation")});
  chat->tools.push_back(event.at("tools"));
  for (const ordered_json& what : event.at("timeline")) repeat(what, &chat->timeline);
  event.at("notes").get_to(chat->notes);
  event.at("name").get_to(chat->name);
  event.at("messages").get_to(chat->messages);
  event.at("in_message").get_to(chat->in_message);
  chat->options = chat_options_from(event.at("options"));
}

void read_event(const ordered_json& event, SavedChat* chat) {
  const std::string name = event.at("event");
  if (name == "mark") read_mark(event, chat);
  if (name == "context") chat->context = context_from(event);
  if (name == "message" && chat->title.empty())
    chat->title = title_of(event.at("text").get<std::string>());
}

// How many bytes of the events count.
std::uintmax_t read_session(SavedChat* chat) {
  bool first = true;
  return read_events(chat->directory, [&](const ordered_json& event) {
    const bool session = event.value("event", "") == "run" && event.value("kind", "") == "session";
    if (first && !session) {
      throw UsageError("the run in " + printable_line(chat->directory.string(), 300) +
                       " is no session: `dsv4-agent resume` goes on with one of fix");
    }
    first = false;
    read_event(event, chat);
    return true;
  });
}

}  // namespace

ordered_json added(const Point& point) {
  return {{"add", {point.moment.mark, to_utf8(point.name), to_utf8(point.message)}}};
}

ordered_json rewound(size_t index) { return {{"rewind", index}}; }

ordered_json switched(const std::string& branch, size_t mark) {
  return {{"switch", {to_utf8(branch), mark}}};
}

ordered_json begun_anew() { return {{"anew", true}}; }

void repeat(const ordered_json& what, Timeline* timeline) {
  const auto moment = [](const ordered_json& mark) {
    Moment out;
    mark.get_to(out.mark);
    return out;
  };
  if (what.contains("add")) {
    const ordered_json& add = what["add"];
    timeline->add({moment(add.at(0)), add.at(1), add.at(2)});
  } else if (what.contains("rewind")) {
    timeline->rewind_to(&timeline->points().at(what["rewind"].get<size_t>()));
  } else if (what.contains("switch")) {
    timeline->switch_to(what["switch"].at(0), moment(what["switch"].at(1)));
  } else {
    *timeline = Timeline();
  }
}

ordered_json json_of(const ChatOptions& options) {
  ordered_json json = {{"repo", or_null(options.repo)},
                       {"test", or_null(options.test)},
                       {"model", or_null(options.model)},
                       {"approval", approval_name(options.approval)},
                       {"turns", options.limits.turns},
                       {"tokens", options.limits.tokens},
                       {"turn_tokens", options.limits.turn_tokens},
                       {"attempts", options.attempts},
                       {"time_limit_ms", options.time_limit.count()},
                       {"seed", options.seed},
                       {"box", box_json(options)}};
  if (options.endpoint) json["endpoint"] = to_json(*options.endpoint);
  return json;
}

ChatOptions chat_options_from(const ordered_json& json) {
  ChatOptions options;
  options.repo = if_given<std::string>(json.at("repo"));
  options.test = if_given<std::string>(json.at("test"));
  options.model = if_given<std::string>(json.at("model"));
  options.approval =
      parse_approval(json.at("approval").get<std::string>()).value_or(Approval::kAsk);
  json.at("turns").get_to(options.limits.turns);
  json.at("tokens").get_to(options.limits.tokens);
  json.at("turn_tokens").get_to(options.limits.turn_tokens);
  json.at("attempts").get_to(options.attempts);
  options.time_limit = std::chrono::milliseconds(json.at("time_limit_ms").get<int64_t>());
  json.at("seed").get_to(options.seed);
  if (json.contains("box")) static_cast<BoxOptions&>(options) = box_options_from(json["box"]);
  if (json.contains("endpoint")) options.endpoint = endpoint_from(json.at("endpoint"));
  return options;
}

SavedChat read_chat(const fs::path& directory) {
  const std::string shown = "the session in " + printable_line(directory.string(), 300);
  SavedChat chat;
  chat.directory = directory;
  chat.lock = std::make_shared<RunLock>(directory);
  try {
    fs::resize_file(directory / "events.jsonl", read_session(&chat));
  } catch (const nlohmann::json::exception& error) {
    throw UsageError(shown + " is damaged: " + error.what());
  } catch (const fs::filesystem_error& error) {
    throw UsageError(shown + " cannot be read: " + error.what());
  }
  if (chat.contexts.empty() || !fs::is_directory(directory / "work/tree")) {
    throw UsageError(shown + " has ended and was not saved: it cannot be gone on with");
  }
  return chat;
}

SavedChat open_saved_chat(SessionIndex* sessions, const std::string& id_or_directory) {
  return read_chat(find_one(sessions, id_or_directory).directory);
}

}  // namespace dsv4::agent
