#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dsv4::llm {

// What clients and servers of chat completions exchange: OpenAI's API as vLLM, SGLang, llama.cpp's
// server and DeepSeek's API speak it. Structs on this side, JSON on the other, for both ends.

struct WireCall {
  std::string id;
  std::string name;
  std::string arguments;  // JSON text as the model wrote it: whatever it is
};

struct WireMessage {
  std::string role;  // "system", "user", "assistant", "tool"
  std::string content;
  std::string reasoning;  // of an assistant: what it thought before it spoke
  // How the server calls that: "reasoning_content" (DeepSeek, SGLang, llama.cpp) or "reasoning".
  std::string reasoning_field = "reasoning_content";
  std::vector<WireCall> calls;  // of an assistant
  std::string call_id;          // of a tool: which call this is the result of
};

// What it takes in a prompt, about.
size_t bytes_of(const WireMessage& message);

nlohmann::ordered_json to_wire(const WireMessage& message);
// Content may be a text, null, or a list of parts of which the texts count. Throws FormatError.
WireMessage message_from_wire(const nlohmann::ordered_json& json);

// A schema {"name", "description", "parameters"} as the API has it, and back. Throws FormatError.
nlohmann::ordered_json tool_to_wire(const nlohmann::ordered_json& schema);
nlohmann::ordered_json tool_from_wire(const nlohmann::ordered_json& json);

// Tokens of one request.
struct WireUsage {
  int64_t prompt = 0;  // all of the prompt
  int64_t completion = 0;
  std::optional<int64_t>
      cached;  // of the prompt: not computed again; nothing: the server is silent
};

nlohmann::ordered_json to_wire(const WireUsage& usage);
// Nothing when that is no usage object.
std::optional<WireUsage> usage_from_wire(const nlohmann::ordered_json& json);

// What {"error": ...} says, in any of the forms that servers have for it.
struct WireError {
  std::string message;
  int code = 0;  // like a status of HTTP; 0: not said
};
// Nothing when the object holds no error.
std::optional<WireError> error_from_wire(const nlohmann::ordered_json& json);

// JSON of foreign bytes, or nothing where it is none: broken UTF-8 is replaced first.
std::optional<nlohmann::ordered_json> json_from_wire(std::string_view text);

// On one line, broken UTF-8 replaced.
std::string text_for_wire(const nlohmann::ordered_json& json);

}  // namespace dsv4::llm
