#include "llm/encoding.h"

#include <algorithm>
#include <map>
#include <optional>

#include "llm/encoding_json.h"
#include "llm/encoding_parts.h"
#include "llm/error.h"

namespace dsv4::llm {
namespace {

using nlohmann::ordered_json;

enum class Role { kSystem, kDeveloper, kUser, kAssistant, kReminder };

// Part of a user's turn.
struct Block {
  bool tool_result = false;
  std::string text;
  std::string call_id;  // of a tool result; may be empty
};

struct Message {
  Role role = Role::kSystem;
  std::string where;  // for messages: "messages[3]"
  std::string content;
  std::vector<Block> blocks;  // a user's
  std::vector<ordered_json> tools;
  std::optional<ordered_json> response_format;
  std::string reasoning;
  std::vector<ToolCall> calls;
  std::vector<std::string> call_ids;
  std::optional<std::string> task;
  bool without_end = false;
};

// --- Reading ----------------------------------------------------------------------------------

const ordered_json* member(const ordered_json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

// Python's truth value, by which the authors' code looks at optional settings.
bool is_true(const ordered_json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>() != 0.0;
  return value.is_string() ? !value.get_ref<const std::string&>().empty() : !value.empty();
}

std::string text_of(const ordered_json& message, const char* key, const std::string& where) {
  const ordered_json* value = member(message, key);
  if (!value) return {};
  if (!value->is_string()) throw FormatError(where, std::string(key) + " must be text");
  return value->get<std::string>();
}

// Text, or a list of {"type": "text", "text": ...} whose texts are joined by `glue`.
std::string content_of(const ordered_json& message, const std::string& where,
                       std::string_view glue) {
  const ordered_json* content = member(message, "content");
  if (!content || !content->is_array()) return text_of(message, "content", where);
  std::string out;
  for (const ordered_json& part : *content) {
    if (!part.is_object()) throw FormatError(where, "a part of the content is not an object");
    const std::string type = text_of(part, "type", where);
    if (type != "text") {
      throw FormatError(where, "content of the type '" + type + "' is not supported, only text");
    }
    if (&part != &content->front()) out += glue;
    out += text_of(part, "text", where);
  }
  return out;
}

std::vector<ordered_json> schemas_of(const ordered_json& tools, const std::string& where) {
  if (!tools.is_array()) throw FormatError(where, "tools must be a list");
  std::vector<ordered_json> schemas;
  for (const ordered_json& tool : tools) {
    const ordered_json* function = tool.is_object() ? member(tool, "function") : nullptr;
    if (!function && tool.is_object() && tool.contains("name")) function = &tool;
    if (!function) throw FormatError(where, "a tool must be {\"type\", \"function\": {...}}");
    schemas.push_back(*function);
  }
  return schemas;
}

ToolCall call_of(const ordered_json& call, const std::string& where) {
  const ordered_json* function = call.is_object() ? member(call, "function") : nullptr;
  if (!function || !function->is_object()) {
    throw FormatError(where, "a tool call must be {\"function\": {\"name\", \"arguments\"}}");
  }
  ToolCall out{text_of(*function, "name", where), ordered_json::object()};
  if (out.name.empty()) throw FormatError(where, "a tool call has no name");
  const ordered_json* arguments = member(*function, "arguments");
  if (!arguments) return out;
  if (arguments->is_object()) {
    out.arguments = *arguments;
  } else if (arguments->is_string()) {
    const auto& text = arguments->get_ref<const std::string&>();
    try {
      out.arguments = parse_foreign_json(text, where);
    } catch (const FormatError&) {
      out.arguments = {{"arguments", text}};
    }
  }
  if (!out.arguments.is_object()) throw FormatError(where, "arguments must be a JSON object");
  return out;
}

Role role_of(const std::string& name, const std::string& where) {
  if (name == "system") return Role::kSystem;
  if (name == "developer") return Role::kDeveloper;
  if (name == "user" || name == "tool") return Role::kUser;
  if (name == "assistant") return Role::kAssistant;
  if (name == "latest_reminder") return Role::kReminder;
  throw FormatError(where, "the role '" + name + "' is not known");
}

Message message_of(const ordered_json& json, const std::string& where) {
  Message out;
  out.role = role_of(text_of(json, "role", where), where);
  out.where = where;
  out.content = content_of(json, where, "");
  if (const ordered_json* tools = member(json, "tools")) out.tools = schemas_of(*tools, where);
  const ordered_json* format = member(json, "response_format");
  if (format && is_true(*format)) out.response_format = *format;
  out.reasoning = text_of(json, "reasoning_content", where);
  if (const ordered_json* calls = member(json, "tool_calls")) {
    if (!calls->is_array()) throw FormatError(where, "tool_calls must be a list");
    for (const ordered_json& call : *calls) {
      out.calls.push_back(call_of(call, where));
      out.call_ids.push_back(text_of(call, "id", where));
    }
  }
  if (member(json, "task")) out.task = text_of(json, "task", where);
  const ordered_json* open = member(json, "wo_eos");
  out.without_end = open && open->is_boolean() && open->get<bool>();
  return out;
}

// There is no role for tools: their results are blocks of the user's turn.
std::vector<Message> read_messages(const ordered_json& list, const std::string& name) {
  if (!list.is_array()) throw FormatError(name, "must be a list of messages");
  std::vector<Message> out;
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string where = name + "[" + std::to_string(i) + "]";
    const ordered_json& json = list[i];
    if (!json.is_object()) throw FormatError(where, "a message must be an object");
    Message message = message_of(json, where);
    if (message.role != Role::kUser) {
      out.push_back(std::move(message));
      continue;
    }
    const bool open = !out.empty() && out.back().role == Role::kUser;
    if (text_of(json, "role", where) == "tool") {
      Block block{true, content_of(json, where, "\n\n"), text_of(json, "tool_call_id", where)};
      if (!open) out.push_back({Role::kUser, where, {}, {}, {}, {}, {}, {}, {}, {}, false});
      out.back().blocks.push_back(std::move(block));
    } else {
      // What a task asks is about the turn as it stands: nothing is added to it.
      const bool join = open && !out.back().task;
      Block block{false, message.content, {}};
      if (!join) out.push_back(std::move(message));
      out.back().blocks.push_back(std::move(block));
    }
  }
  return out;
}

// Results come back in any order; the model sees them in the order of its calls.
void sort_results(std::vector<Message>& messages) {
  std::map<std::string, size_t> order;
  for (Message& message : messages) {
    if (message.role == Role::kAssistant && !message.calls.empty()) {
      order.clear();
      for (size_t i = 0; i < message.call_ids.size(); ++i) {
        if (!message.call_ids[i].empty()) order[message.call_ids[i]] = i;
      }
    } else if (message.role == Role::kUser && !order.empty()) {
      std::vector<Block> results;
      for (const Block& block : message.blocks) {
        if (block.tool_result) results.push_back(block);
      }
      const auto place = [&](const Block& block) {
        const auto found = order.find(block.call_id);
        return found == order.end() ? 0 : found->second;
      };
      std::stable_sort(results.begin(), results.end(),
                       [&](const Block& a, const Block& b) { return place(a) < place(b); });
      size_t next = 0;
      for (Block& block : message.blocks) {
        if (block.tool_result) block = results[next++];
      }
    }
  }
}

// --- Writing ----------------------------------------------------------------------------------

bool asks(const Message& message) {
  return message.role == Role::kUser || message.role == Role::kDeveloper;
}

// Index of the last message that asks; -1 when there is none.
ptrdiff_t last_question(const std::vector<Message>& messages) {
  for (size_t i = messages.size(); i > 0; --i) {
    if (asks(messages[i - 1])) return static_cast<ptrdiff_t>(i) - 1;
  }
  return -1;
}

// Without tools, what was thought before the last question is gone, and so are earlier developer
// messages.
std::vector<Message> without_old_thoughts(std::vector<Message> messages) {
  const ptrdiff_t last = last_question(messages);
  std::vector<Message> out;
  for (size_t i = 0; i < messages.size(); ++i) {
    const bool old = static_cast<ptrdiff_t>(i) < last;
    if (old && messages[i].role == Role::kDeveloper) continue;
    if (old) messages[i].reasoning.clear();
    out.push_back(std::move(messages[i]));
  }
  return out;
}

std::string_view task_marker(const Message& message) {
  static const std::map<std::string, std::string_view, std::less<>> kTasks = {
      {"action", "<｜action｜>"}, {"query", "<｜query｜>"}, {"authority", "<｜authority｜>"},
      {"domain", "<｜domain｜>"}, {"title", "<｜title｜>"}, {"read_url", "<｜read_url｜>"},
  };
  const auto found = kTasks.find(*message.task);
  if (found == kTasks.end()) {
    throw FormatError(message.where, "the task '" + *message.task + "' is not known; use one of " +
                                         "action, query, authority, domain, title, read_url");
  }
  return found->second;
}

class Writer {
 public:
  Writer(const std::vector<Message>& messages, const EncodeOptions& options, bool drop)
      : messages_(messages), options_(options), drop_(drop), last_(last_question(messages)) {}

  void write(size_t index, std::vector<Segment>& out) const {
    const Message& message = messages_[index];
    if (index == 0 && options_.thinking) append_effort(out, options_.effort);
    switch (message.role) {
      case Role::kSystem:
        append_data(out, message.content);
        instructions(message, out);
        break;
      case Role::kDeveloper:
        if (message.content.empty()) throw FormatError(message.where, "the content is empty");
        append_markup(out, marker::kUser);
        append_data(out, message.content);
        instructions(message, out);
        break;
      case Role::kUser:
        user(message, out);
        break;
      case Role::kReminder:
        append_markup(out, marker::kReminder);
        append_data(out, message.content);
        break;
      case Role::kAssistant:
        assistant(index, out);
        break;
    }
    transition(index, out);
  }

 private:
  static void instructions(const Message& message, std::vector<Segment>& out) {
    if (!message.tools.empty()) {
      append_markup(out, "\n\n");
      append_tools(out, message.tools);
    }
    if (message.response_format) {
      append_markup(out,
                    "\n\n## Response Format:\n\nYou MUST strictly adhere to the following schema "
                    "to reply:\n");
      append_data(out, python_json(*message.response_format));
    }
  }

  static void user(const Message& message, std::vector<Segment>& out) {
    append_markup(out, marker::kUser);
    for (size_t i = 0; i < message.blocks.size(); ++i) {
      if (i > 0) append_markup(out, "\n\n");
      const Block& block = message.blocks[i];
      if (block.tool_result) {
        append_tool_result(out, block.text);
      } else {
        append_data(out, block.text);
      }
    }
  }

  void assistant(size_t index, std::vector<Segment>& out) const {
    const Message& message = messages_[index];
    const bool answers_task = index > 0 && messages_[index - 1].task;
    const bool current = !drop_ || static_cast<ptrdiff_t>(index) > last_;
    if (options_.thinking && !answers_task && current) {
      append_data(out, message.reasoning);
      append_markup(out, marker::kEndThink);
    }
    append_data(out, message.content);
    if (!message.calls.empty()) append_calls(out, message.calls);
    if (!message.without_end) append_markup(out, marker::kEnd);
  }

  // What leads over to the model's turn.
  void transition(size_t index, std::vector<Segment>& out) const {
    if (index + 1 < messages_.size()) {
      const Role next = messages_[index + 1].role;
      if (next != Role::kAssistant && next != Role::kReminder) return;
    }
    const Message& message = messages_[index];
    if (message.task) {
      const std::string_view task = task_marker(message);
      if (*message.task == "action") {
        append_markup(out, marker::kAssistant);
        append_markup(out, options_.thinking ? marker::kThink : marker::kEndThink);
      }
      append_markup(out, task);
    } else if (asks(message)) {
      append_markup(out, marker::kAssistant);
      const bool think = options_.thinking && (!drop_ || static_cast<ptrdiff_t>(index) >= last_);
      append_markup(out, think ? marker::kThink : marker::kEndThink);
    }
  }

  const std::vector<Message>& messages_;
  const EncodeOptions& options_;
  bool drop_;
  ptrdiff_t last_;
};

// The list of messages, with the tools of {"tools", "messages"} moved where they belong.
ordered_json message_list(const ordered_json& messages) {
  if (!messages.is_object()) return messages;
  const ordered_json* list = member(messages, "messages");
  if (!list || !list->is_array()) throw FormatError("messages", "there is no list of messages");
  ordered_json out = *list;
  const ordered_json* tools = member(messages, "tools");
  if (!tools) return out;
  if (out.empty() || !out[0].is_object() || out[0].value("role", ordered_json()) != "system") {
    // Named: a braced list would be taken for several elements.
    const ordered_json system = {{"role", "system"}, {"content", ""}};
    out.insert(out.begin(), system);
  }
  out[0]["tools"] = *tools;
  return out;
}

}  // namespace

std::vector<Segment> encode_messages(const ordered_json& messages, const EncodeOptions& options,
                                     const ordered_json& context) {
  std::vector<Message> before;
  if (!context.is_null()) before = read_messages(context, "context");
  std::vector<Message> all = before;
  for (Message& message : read_messages(message_list(messages), "messages")) {
    all.push_back(std::move(message));
  }
  sort_results(all);
  const bool tools = std::any_of(all.begin(), all.end(),
                                 [](const Message& message) { return !message.tools.empty(); });
  const bool drop = options.drop_thinking && !tools;
  size_t first = before.size();
  if (options.thinking && drop) {
    first = without_old_thoughts(before).size();
    all = without_old_thoughts(std::move(all));
  }
  std::vector<Segment> out;
  if (options.begin && before.empty()) append_markup(out, marker::kBegin);
  const Writer writer(all, options, drop);
  for (size_t i = first; i < all.size(); ++i) writer.write(i, out);
  return out;
}

std::string join_text(std::span<const Segment> segments) {
  std::string out;
  for (const Segment& segment : segments) out += segment.text;
  return out;
}

}  // namespace dsv4::llm
