#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "agent/chat.h"
#include "agent/run_directory.h"
#include "agent/timeline.h"

namespace dsv4::agent {

// What of a session's events (event_log.h) lets another process go on with it. The first, "run",
// says what was asked for; every "mark" after it is a moment to go on at, and holds what came since
// the mark before: conversation, tools, and what happened to the timeline.

// The conversation's part of one mark.
struct SavedContext {
  std::optional<size_t> after;          // the mark that it grew from; nothing: it begins here
  nlohmann::ordered_json conversation;  // Conversation::save(); null where the model repairs only
};

// What happens to a timeline, as a mark tells it, and how it is done again.
nlohmann::ordered_json added(const Point& point);
nlohmann::ordered_json rewound(size_t index);
nlohmann::ordered_json switched(const std::string& branch, size_t mark);
nlohmann::ordered_json begun_anew();
void repeat(const nlohmann::ordered_json& what, Timeline* timeline);

// The "run" event's options, and back.
nlohmann::ordered_json json_of(const ChatOptions& options);
ChatOptions chat_options_from(const nlohmann::ordered_json& json);

struct SavedChat {
  std::filesystem::path directory;
  std::shared_ptr<RunLock> lock;              // nobody else has written since it was read
  ChatOptions options;                        // as of the last mark
  std::vector<SavedContext> contexts;         // of every mark
  std::vector<nlohmann::ordered_json> tools;  // Toolbox::save() of every mark
  Timeline timeline;                          // its moments name marks
  std::string notes;
  std::string name;   // by /save; empty: it was not saved by hand
  std::string title;  // of the first message
  uint64_t messages = 0;
  bool in_message = false;    // the last mark is in the middle of one
  RepositoryContext context;  // paths only
};

// Reads a session, and cuts off an event that is not whole. Throws UsageError when there is none
// that could go on, or a process works in it.
SavedChat read_chat(const std::filesystem::path& directory);

// The same by its id, or its directory. The index may be null: then only by the directory.
SavedChat open_saved_chat(SessionIndex* sessions, const std::string& id_or_directory);

}  // namespace dsv4::agent
