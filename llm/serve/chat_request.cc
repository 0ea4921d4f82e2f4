#include "llm/serve/chat_request.h"

#include <algorithm>
#include <limits>

#include "llm/error.h"
#include "llm/serve/refused.h"
#include "llm/serve/request_fields.h"
#include "llm/utf8.h"

namespace dsv4::llm::serve {
namespace {

constexpr size_t kLongestName = 64;
constexpr size_t kMostTools = 256;

const Json* member(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string text_of(const Json& object, const char* key, const std::string& where) {
  const Json* value = member(object, key);
  if (!value) return {};
  if (!value->is_string()) {
    throw Refused(where + "." + key + " must be text", where + "." + key);
  }
  return value->get<std::string>();
}

// Text, or a list of {"type": "text", "text"}.
std::vector<std::string> parts_of(const Json& message, const std::string& where) {
  const Json* content = member(message, "content");
  if (!content) return {};
  if (!content->is_array()) return {text_of(message, "content", where)};
  std::vector<std::string> parts;
  for (size_t i = 0; i < content->size(); ++i) {
    const Json& part = (*content)[i];
    const std::string here = where + ".content[" + std::to_string(i) + "]";
    if (!part.is_object()) throw Refused(here + " must be an object", here);
    const std::string type = text_of(part, "type", here);
    const char* key = type == "refusal" ? "refusal" : "text";
    if (type != "text" && type != "refusal") {
      throw Refused(here + ": content of the type " + cited(type) + " is not supported, only text",
                    here, "unsupported_value");
    }
    if (!member(part, key)) throw Refused(here + " has no " + key, here);
    parts.push_back(text_of(part, key, here));
  }
  return parts;
}

bool plain_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '.';
         });
}

ToolCall call_of(const Json& call, const std::string& where) {
  const Json* function = call.is_object() ? member(call, "function") : nullptr;
  if (!function || !function->is_object()) {
    throw Refused(where + " must be {\"id\", \"type\", \"function\": {\"name\", \"arguments\"}}",
                  where);
  }
  const std::string type = text_of(call, "type", where);
  if (!type.empty() && type != "function") {
    throw Refused(where + ".type " + cited(type) + " is not supported, only function", where);
  }
  ToolCall out{text_of(*function, "name", where + ".function"), Json::object()};
  if (!plain_name(out.name)) {
    throw Refused(where + ".function.name is not the name of a tool", where);
  }
  const std::string arguments = text_of(*function, "arguments", where + ".function");
  if (arguments.empty()) return out;
  try {
    out.arguments = parse_client_json(arguments, where);
  } catch (const Refused&) {
    out.arguments = Json::array();
  }
  if (out.arguments.is_null()) out.arguments = Json::object();  // no arguments, as some say it
  // A model's mistake that its client sends back: refused, it would end the conversation.
  if (!out.arguments.is_object()) out.arguments = {{"arguments", arguments}};
  return out;
}

void read_calls(const Json& json, const std::string& where, ChatMessage& out) {
  const Json* calls = member(json, "tool_calls");
  if (!calls) return;
  if (!calls->is_array()) throw Refused(where + ".tool_calls must be a list", where);
  for (size_t i = 0; i < calls->size(); ++i) {
    const std::string here = where + ".tool_calls[" + std::to_string(i) + "]";
    out.calls.push_back(call_of((*calls)[i], here));
    out.call_ids.push_back(text_of((*calls)[i], "id", here));
    if (out.call_ids.back().empty()) throw Refused(here + " has no id", here);
  }
}

ChatMessage::Role role_of(const std::string& name, const std::string& where) {
  if (name == "system" || name == "developer") return ChatMessage::Role::kSystem;
  if (name == "user") return ChatMessage::Role::kUser;
  if (name == "assistant") return ChatMessage::Role::kAssistant;
  if (name == "tool") return ChatMessage::Role::kTool;
  throw Refused(
      where + ".role must be system, developer, user, assistant or tool, not " + cited(name),
      where + ".role");
}

ChatMessage message_of(const Json& json, const std::string& where) {
  if (!json.is_object()) throw Refused(where + " must be an object", where);
  ChatMessage out;
  out.role = role_of(text_of(json, "role", where), where);
  out.parts = parts_of(json, where);
  text_of(json, "name", where);  // of a participant: the prompt format has no place for it
  if (out.role == ChatMessage::Role::kAssistant) {
    out.reasoning = text_of(json, "reasoning_content", where);
    if (member(json, "function_call")) {
      throw Refused(where + ".function_call is not supported; use tool_calls", where,
                    "unsupported_parameter");
    }
    read_calls(json, where, out);
    if (out.parts.empty() && out.calls.empty()) {
      throw Refused(where + " has neither content nor tool_calls", where);
    }
  } else if (!member(json, "content")) {
    throw Refused(where + " has no content", where + ".content");
  }
  if (out.role == ChatMessage::Role::kTool) {
    out.call_id = text_of(json, "tool_call_id", where);
    if (out.call_id.empty()) throw Refused(where + " has no tool_call_id", where);
  }
  return out;
}

// A tool's result answers a call of the assistant's message before it.
void check_results(const std::vector<ChatMessage>& messages) {
  const ChatMessage* asked = nullptr;
  for (size_t i = 0; i < messages.size(); ++i) {
    const ChatMessage& message = messages[i];
    if (message.role == ChatMessage::Role::kAssistant) asked = &message;
    if (message.role != ChatMessage::Role::kTool) continue;
    const std::string where = "messages[" + std::to_string(i) + "]";
    if (!asked || std::find(asked->call_ids.begin(), asked->call_ids.end(), message.call_id) ==
                      asked->call_ids.end()) {
      throw Refused(where + ": the assistant's message before it has no tool call with the id " +
                        cited(message.call_id),
                    where + ".tool_call_id");
    }
  }
}

std::vector<ChatMessage> read_messages(const Json& list) {
  if (!list.is_array() || list.empty()) {
    throw Refused("messages must be a list with at least one message", "messages");
  }
  std::vector<ChatMessage> messages;
  for (size_t i = 0; i < list.size(); ++i) {
    messages.push_back(message_of(list[i], "messages[" + std::to_string(i) + "]"));
  }
  check_results(messages);
  if (messages.back().role == ChatMessage::Role::kAssistant) {
    throw Refused("the last message is the assistant's: going on with it is not supported",
                  "messages", "unsupported_value");
  }
  const bool asks = std::any_of(messages.begin(), messages.end(), [](const ChatMessage& message) {
    return message.role == ChatMessage::Role::kUser;
  });
  if (!asks) throw Refused("messages must hold one of the user", "messages");
  return messages;
}

// Names stand between quotes in the tags of a call.
bool fits_tag(std::string_view name) {
  return !name.empty() && std::none_of(name.begin(), name.end(), [](char c) {
    return c == '"' || c == '<' || c == '>' || static_cast<unsigned char>(c) < 0x20;
  });
}

void check_schema(const Json& function, const std::string& where) {
  const Json* parameters = member(function, "parameters");
  if (!parameters) return;
  if (!parameters->is_object()) {
    throw Refused(where + ".function.parameters must be a JSON schema", where);
  }
  const Json* properties = member(*parameters, "properties");
  if (properties && !properties->is_object()) {
    throw Refused(where + ".function.parameters.properties must be an object", where);
  }
  if (properties) {
    for (const auto& [name, schema] : properties->items()) {
      if (!fits_tag(name)) {
        throw Refused(where + ": a parameter must not be called " + cited(name), where);
      }
    }
  }
  const Json* required = member(*parameters, "required");
  const auto text = [](const Json& name) { return name.is_string(); };
  if (required &&
      !(required->is_array() && std::all_of(required->begin(), required->end(), text))) {
    throw Refused(where + ".function.parameters.required must be a list of names", where);
  }
}

std::vector<Json> read_tools(Fields& fields) {
  const Json* list = fields.find("tools");
  if (!list) return {};
  if (!list->is_array() || list->size() > kMostTools) {
    throw Refused("tools must be a list of at most " + std::to_string(kMostTools), "tools");
  }
  std::vector<Json> tools;
  for (size_t i = 0; i < list->size(); ++i) {
    const Json& tool = (*list)[i];
    const std::string where = "tools[" + std::to_string(i) + "]";
    const Json* function = tool.is_object() ? member(tool, "function") : nullptr;
    if (!function || !function->is_object() || tool.value("type", Json("function")) != "function") {
      throw Refused(where + " must be {\"type\": \"function\", \"function\": {...}}", where);
    }
    const std::string name = text_of(*function, "name", where + ".function");
    if (!plain_name(name)) {
      throw Refused(where + ".function.name must be 1 to 64 letters, digits, '_', '-' or '.'",
                    where + ".function.name");
    }
    text_of(*function, "description", where + ".function");
    for (const Json& other : tools) {
      if (other["name"] == name) throw Refused(where + ": there are two tools " + name, where);
    }
    check_schema(*function, where);
    tools.push_back(*function);
  }
  return tools;
}

void read_choice(Fields& fields, ChatRequest& out) {
  out.may_call = !out.tools.empty();
  const auto parallel = fields.boolean("parallel_tool_calls");
  out.one_call = parallel && !*parallel;
  const Json* choice = fields.find("tool_choice");
  if (!choice) return;
  if (*choice == "none") {
    out.may_call = false;
  } else if (*choice == "required") {
    out.must_call = true;
  } else if (choice->is_object() && choice->value("type", Json()) == "function") {
    const Json* function = member(*choice, "function");
    if (function && function->is_object()) {
      out.must_call_tool = text_of(*function, "name", "tool_choice.function");
    }
    const auto named = [&](const Json& tool) { return tool["name"] == out.must_call_tool; };
    if (std::none_of(out.tools.begin(), out.tools.end(), named)) {
      throw Refused("tool_choice names none of the tools", "tool_choice");
    }
    out.must_call = true;
  } else if (*choice != "auto") {
    throw Refused("tool_choice may be auto, none, required or {\"type\": \"function\", ...}",
                  "tool_choice", "unsupported_value");
  }
  if (out.must_call && out.tools.empty()) {
    throw Refused("tool_choice needs tools", "tool_choice");
  }
}

// Every spelling of it that clients have: OpenAI's, DeepSeek's and vLLM's.
void read_thinking(Fields& fields, ChatRequest& out) {
  if (const auto effort = fields.text("reasoning_effort")) {
    const std::string& word = *effort;
    const bool known = word == "none" || word == "minimal" || word == "low" || word == "medium" ||
                       word == "high" || word == "xhigh" || word == "max";
    if (!known) {
      throw Refused("reasoning_effort is none, minimal, low, medium, high, xhigh or max",
                    "reasoning_effort");
    }
    out.thinking = word != "none";
    if (word == "xhigh" || word == "max") out.effort = Effort::kMax;
  }
  if (const Json* thinking = fields.find("thinking")) {
    const std::string type =
        thinking->is_object() ? text_of(*thinking, "type", "thinking") : std::string();
    if (type != "enabled" && type != "disabled") {
      throw Refused("thinking must be {\"type\": \"enabled\"} or {\"type\": \"disabled\"}",
                    "thinking");
    }
    out.thinking = type == "enabled";
  }
  if (const Json* arguments = fields.find("chat_template_kwargs")) {
    if (!arguments->is_object()) {
      throw Refused("chat_template_kwargs must be an object", "chat_template_kwargs");
    }
    for (const auto& [name, value] : arguments->items()) {
      const bool known = name == "thinking" || name == "enable_thinking";
      if (!known || !value.is_boolean()) {
        throw Refused("chat_template_kwargs may hold thinking: true or false",
                      "chat_template_kwargs", "unsupported_value");
      }
      out.thinking = value.get<bool>();
    }
  }
}

constexpr int64_t kMostTopTokens = 20;  // as OpenAI has it
constexpr size_t kMostPlaces = 4096;    // of argument_choices, and values of one

void read_tokens(Fields& fields, ChatRequest& out) {
  const bool wanted = fields.boolean("logprobs").value_or(false);
  const auto most = fields.integer("top_logprobs", 0, kMostTopTokens);
  if (wanted) out.top_tokens = static_cast<size_t>(most.value_or(0));
  if (!wanted && most.value_or(0) > 0) {
    throw Refused("top_logprobs needs logprobs to be true", "top_logprobs");
  }
  out.tokens_as_ids = fields.boolean("return_tokens_as_token_ids").value_or(false);
}

void read_extensions(Fields& fields, ChatRequest& out) {
  if (const Json* ids = fields.find("prefix_token_ids")) {
    if (!ids->is_array()) throw Refused("prefix_token_ids must be a list", "prefix_token_ids");
    for (const Json& id : *ids) {
      if (!id.is_number_integer() || id.get<double>() < 0 || id.get<double>() > 0x7fffffff) {
        throw Refused("prefix_token_ids must hold the ids of tokens", "prefix_token_ids");
      }
      out.prefix.push_back(id.get<int32_t>());
    }
    if (!out.prefix.empty() && (out.one_call || out.must_call)) {
      throw Refused("prefix_token_ids is for a tool_choice of auto and parallel_tool_calls",
                    "prefix_token_ids", "unsupported_value");
    }
  }
  const Json* choices = fields.find("argument_choices");
  if (!choices) return;
  try {
    if (!choices->is_array()) throw FormatError("argument_choices", "no list");
    if (choices->size() > kMostPlaces) throw FormatError("argument_choices", "too many places");
    out.choices.emplace();
    for (const Json& each : *choices) {
      const ArgumentPlace place = place_from_wire(each);
      const Json* values = member(each, "values");
      if (values && values->size() > kMostPlaces) {
        throw FormatError("argument_choices", "too many values for one argument");
      }
      out.choices->tell(
          place, values ? values->get<ToldChoices::Values::value_type>() : ToldChoices::Values());
    }
  } catch (const FormatError& error) {
    throw Refused(error.what(), "argument_choices");
  } catch (const Json::exception&) {
    throw Refused("argument_choices: values must be a list of texts, or null", "argument_choices");
  }
}

// What a schema says about one parameter, with a type that the guide knows: unions are what is left
// of them without null, or any text.
Json guide_schema(const Json& schema) {
  if (!schema.is_object()) return Json::object();
  if (schema.contains("type")) return schema;
  for (const char* key : {"anyOf", "oneOf"}) {
    const Json* of = member(schema, key);
    if (!of || !of->is_array()) continue;
    std::vector<const Json*> kept;
    for (const Json& one : *of) {
      if (one.is_object() && one.value("type", Json()) != "null") kept.push_back(&one);
    }
    if (kept.size() == 1 && kept.front()->contains("type")) return *kept.front();
  }
  if (schema.contains("properties")) return {{"type", "object"}};
  if (schema.contains("items")) return {{"type", "array"}};
  return schema;
}

}  // namespace

std::string ChatMessage::text() const {
  std::string out;
  for (const std::string& part : parts) out += part;
  return out;
}

ChatRequest parse_chat_request(std::string_view body) {
  Fields fields(body);
  ChatRequest out;
  out.generation = read_generation(fields);
  constexpr int64_t kAny = std::numeric_limits<int64_t>::max();
  if (const auto newer = fields.integer("max_completion_tokens", 1, kAny)) {
    out.generation.max_tokens = newer;
  }
  out.messages = read_messages(fields.required("messages"));
  out.tools = read_tools(fields);
  read_choice(fields, out);
  read_thinking(fields, out);
  read_tokens(fields, out);
  read_extensions(fields, out);
  fields.only("response_format", [](const Json& v) { return v == Json{{"type", "text"}}; });
  fields.only("verbosity", [](const Json& v) { return v == "medium"; });
  fields.only("modalities", [](const Json& v) { return v == Json::array({"text"}); });
  fields.finish();
  return out;
}

CompletionRequest parse_completion_request(std::string_view body) {
  Fields fields(body);
  CompletionRequest out;
  out.generation = read_generation(fields);
  const Json& prompt = fields.required("prompt");
  const Json* one = &prompt;
  if (prompt.is_array() && prompt.size() == 1 && !prompt[0].is_number()) one = &prompt[0];
  if (one->is_string()) {
    out.text = one->get<std::string>();
  } else if (one->is_array() && !one->empty()) {
    out.ids.reserve(one->size());
    for (const Json& id : *one) {
      if (!id.is_number_integer() || id.get<double>() < 0 || id.get<double>() > 0x7fffffff) {
        throw Refused("prompt must be one text, or the ids of one", "prompt");
      }
      out.ids.push_back(id.get<int32_t>());
    }
  } else {
    throw Refused("prompt must be one text, or the ids of one", "prompt");
  }
  fields.only("logprobs", [](const Json& v) { return v == false; });
  fields.finish();
  return out;
}

std::vector<Json> guide_schemas(const std::vector<Json>& tools) {
  std::vector<Json> out;
  for (const Json& tool : tools) {
    Json properties = Json::object();
    Json required = Json::array();
    if (const Json* parameters = member(tool, "parameters")) {
      if (const Json* given = member(*parameters, "properties")) {
        for (const auto& [name, schema] : given->items()) properties[name] = guide_schema(schema);
      }
      if (const Json* given = member(*parameters, "required")) required = *given;
    }
    const Json parameters = {{"properties", properties}, {"required", required}};
    out.push_back({{"name", tool["name"]}, {"parameters", parameters}});
  }
  return out;
}

}  // namespace dsv4::llm::serve
