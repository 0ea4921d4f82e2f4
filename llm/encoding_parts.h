#pragma once

#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "llm/conversation.h"
#include "llm/encoding.h"

namespace dsv4::llm {

// The building blocks of a prompt, shared by encode_messages (a whole chat at once) and
// PromptBuilder (a conversation as it grows). Each appends to `out`.

void append_markup(std::vector<Segment>& out, std::string_view text);
void append_data(std::vector<Segment>& out, std::string_view text);

// The paragraph that stands in front of everything for this effort.
void append_effort(std::vector<Segment>& out, Effort effort);

// The section that describes the tools, a schema {"name", "description", "parameters"} each.
void append_tools(std::vector<Segment>& out, const std::vector<nlohmann::ordered_json>& schemas);

// What stands between the tags of a call without arguments: the authors' encoder leaves an empty
// line; the embedded model writes none.
enum class NoArguments { kEmptyLine, kNothing };

// A block of calls as the model writes it, the blank line before it included.
void append_calls(std::vector<Segment>& out, const std::vector<ToolCall>& calls,
                  NoArguments no_arguments = NoArguments::kEmptyLine);

void append_tool_result(std::vector<Segment>& out, std::string_view text);

}  // namespace dsv4::llm
