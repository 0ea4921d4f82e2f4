#include "llm/chat_wire.h"

#include <algorithm>

#include "llm/encoding_json.h"
#include "llm/error.h"
#include "llm/utf8.h"

namespace dsv4::llm {
namespace {

using nlohmann::ordered_json;

constexpr const char* kWhere = "message";

// The text of a member; empty where it is missing or null.
std::string text_of(const ordered_json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return {};
  if (!found->is_string()) throw FormatError(kWhere, std::string(name) + " is no text");
  return found->get<std::string>();
}

std::string content_of(const ordered_json& json) {
  const auto found = json.find("content");
  if (found == json.end() || !found->is_array()) return text_of(json, "content");
  std::string out;
  for (const ordered_json& part : *found) {
    if (!part.is_object() || text_of(part, "type") != "text") {
      throw FormatError(kWhere, "content holds a part that is no text");
    }
    out += text_of(part, "text");
  }
  return out;
}

WireCall call_from_wire(const ordered_json& json) {
  const auto function = json.is_object() ? json.find("function") : json.end();
  if (function == json.end() || !function->is_object()) {
    throw FormatError(kWhere, "a tool call has no function");
  }
  const auto arguments = function->find("arguments");
  const bool spelled_out = arguments != function->end() && arguments->is_object();
  return {text_of(json, "id"), text_of(*function, "name"),
          spelled_out ? text_for_wire(*arguments) : text_of(*function, "arguments")};
}

std::optional<int64_t> count_of(const ordered_json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number()) return std::nullopt;
  const double value = found->get<double>();
  if (!(value >= 0 && value < 9e15)) return std::nullopt;
  return static_cast<int64_t>(value);
}

}  // namespace

size_t bytes_of(const WireMessage& message) {
  constexpr size_t kAround = 16;  // what the format adds
  size_t bytes = kAround + message.content.size() + message.reasoning.size();
  for (const WireCall& call : message.calls) bytes += call.name.size() + call.arguments.size();
  return bytes;
}

ordered_json to_wire(const WireMessage& message) {
  ordered_json json = {{"role", message.role}, {"content", message.content}};
  if (!message.reasoning.empty()) json[message.reasoning_field] = message.reasoning;
  if (!message.calls.empty()) {
    ordered_json calls = ordered_json::array();
    for (const WireCall& call : message.calls) {
      calls.push_back({{"id", call.id},
                       {"type", "function"},
                       {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
    }
    json["tool_calls"] = std::move(calls);
  }
  if (!message.call_id.empty()) json["tool_call_id"] = message.call_id;
  return json;
}

WireMessage message_from_wire(const ordered_json& json) {
  if (!json.is_object()) throw FormatError(kWhere, "not an object");
  WireMessage message;
  message.role = text_of(json, "role");
  if (message.role.empty()) throw FormatError(kWhere, "it has no role");
  message.content = content_of(json);
  for (const char* field : {"reasoning_content", "reasoning"}) {
    if (!message.reasoning.empty()) break;
    message.reasoning = text_of(json, field);
    message.reasoning_field = field;
  }
  if (message.reasoning.empty()) message.reasoning_field = "reasoning_content";
  if (const auto calls = json.find("tool_calls"); calls != json.end() && !calls->is_null()) {
    if (!calls->is_array()) throw FormatError(kWhere, "tool_calls is no list");
    for (const ordered_json& call : *calls) message.calls.push_back(call_from_wire(call));
  }
  message.call_id = text_of(json, "tool_call_id");
  return message;
}

ordered_json tool_to_wire(const ordered_json& schema) {
  return {{"type", "function"}, {"function", schema}};
}

ordered_json tool_from_wire(const ordered_json& json) {
  const auto function = json.is_object() ? json.find("function") : json.end();
  if (function == json.end() || !function->is_object() || text_of(*function, "name").empty()) {
    throw FormatError("tools", "a tool has no function with a name");
  }
  return *function;
}

ordered_json to_wire(const WireUsage& usage) {
  ordered_json json = {{"prompt_tokens", usage.prompt},
                       {"completion_tokens", usage.completion},
                       {"total_tokens", usage.prompt + usage.completion}};
  if (usage.cached) json["prompt_tokens_details"] = {{"cached_tokens", *usage.cached}};
  return json;
}

std::optional<WireUsage> usage_from_wire(const ordered_json& json) {
  if (!json.is_object()) return std::nullopt;
  const auto prompt = count_of(json, "prompt_tokens");
  if (!prompt) return std::nullopt;
  WireUsage usage{*prompt, count_of(json, "completion_tokens").value_or(0), std::nullopt};
  const auto details = json.find("prompt_tokens_details");
  if (details != json.end() && details->is_object()) {
    usage.cached = count_of(*details, "cached_tokens");
  }
  if (!usage.cached) usage.cached = count_of(json, "prompt_cache_hit_tokens");  // DeepSeek's API
  if (usage.cached) usage.cached = std::min(*usage.cached, usage.prompt);
  return usage;
}

std::optional<WireError> error_from_wire(const ordered_json& json) {
  if (!json.is_object()) return std::nullopt;
  const auto inner = json.find("error");
  const bool has = inner != json.end() && !inner->is_null();
  const bool whole = json.contains("object") && json["object"] == "error";
  if (!has && !whole) return std::nullopt;
  const ordered_json& error = has ? *inner : json;
  WireError out;
  if (error.is_string()) out.message = error.get<std::string>();
  if (!error.is_object()) return out;
  for (const char* name : {"message", "detail"}) {
    const auto found = error.find(name);
    if (out.message.empty() && found != error.end() && found->is_string()) {
      out.message = found->get<std::string>();
    }
  }
  out.code = static_cast<int>(std::min<int64_t>(count_of(error, "code").value_or(0), 999));
  return out;
}

std::optional<ordered_json> json_from_wire(std::string_view text) {
  try {
    return parse_foreign_json(utf8_replace_broken(text), "JSON");
  } catch (const FormatError&) {
    return std::nullopt;
  }
}

std::string text_for_wire(const ordered_json& json) {
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace dsv4::llm
