#include "llm/encoding_parts.h"

#include <algorithm>

#include "llm/encoding_json.h"

namespace dsv4::llm {
namespace {

constexpr std::string_view kMaxEffort =
    "Reasoning Effort: Absolute maximum with no shortcuts permitted.\n"
    "You MUST be very thorough in your thinking and comprehensively decompose the problem to "
    "resolve the root cause, rigorously stress-testing your logic against all potential paths, "
    "edge cases, and adversarial scenarios.\n"
    "Explicitly write out your entire deliberation process, documenting every intermediate step, "
    "considered alternative, and rejected hypothesis to ensure absolutely no assumption is left "
    "unchecked.\n\n";

constexpr std::string_view kToolsBefore =
    "## Tools\n\n"
    "You have access to a set of tools to help answer the user's question. You can invoke "
    "tools by writing a \"<｜DSML｜tool_calls>\" block like the following:\n\n"
    "<｜DSML｜tool_calls>\n"
    "<｜DSML｜invoke name=\"$TOOL_NAME\">\n"
    "<｜DSML｜parameter name=\"$PARAMETER_NAME\" "
    "string=\"true|false\">$PARAMETER_VALUE</｜DSML｜parameter>\n"
    "...\n"
    "</｜DSML｜invoke>\n"
    "<｜DSML｜invoke name=\"$TOOL_NAME2\">\n"
    "...\n"
    "</｜DSML｜invoke>\n"
    "</｜DSML｜tool_calls>\n\n"
    "String parameters should be specified as is and set `string=\"true\"`. For all other "
    "types (numbers, booleans, arrays, objects), pass the value in JSON format and set "
    "`string=\"false\"`.\n\n"
    "If thinking_mode is enabled (triggered by <think>), you MUST output your complete "
    "reasoning inside <think>...</think> BEFORE any tool calls or final response.\n\n"
    "Otherwise, output directly after </think> with tool calls or final response.\n\n"
    "### Available Tool Schemas\n\n";

constexpr std::string_view kToolsAfter =
    "\n\nYou MUST strictly follow the above defined tool name and parameter schemas to invoke tool "
    "calls.\n";

void append(std::vector<Segment>& out, std::string_view text, bool markup) {
  if (text.empty()) return;
  if (!out.empty() && out.back().markup == markup) {
    out.back().text += text;
  } else {
    out.push_back({std::string(text), markup});
  }
}

// A name inside a tag. One made of letters, digits and their like cannot hold a marker, so that the
// tag around it may be a single token of a vocabulary.
void append_name(std::vector<Segment>& out, std::string_view name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
  append(out, name, plain);
}

}  // namespace

void append_markup(std::vector<Segment>& out, std::string_view text) { append(out, text, true); }
void append_data(std::vector<Segment>& out, std::string_view text) { append(out, text, false); }

void append_effort(std::vector<Segment>& out, Effort effort) {
  if (effort == Effort::kMax) append_markup(out, kMaxEffort);
}

void append_tools(std::vector<Segment>& out, const std::vector<nlohmann::ordered_json>& schemas) {
  append_markup(out, kToolsBefore);
  for (size_t i = 0; i < schemas.size(); ++i) {
    if (i > 0) append_markup(out, "\n");
    append_data(out, python_json(schemas[i]));
  }
  append_markup(out, kToolsAfter);
}

void append_calls(std::vector<Segment>& out, const std::vector<ToolCall>& calls,
                  NoArguments no_arguments) {
  append_markup(out, "\n\n<｜DSML｜tool_calls>\n");
  for (size_t i = 0; i < calls.size(); ++i) {
    if (i > 0) append_markup(out, "\n");
    append_markup(out, "<｜DSML｜invoke name=\"");
    append_name(out, calls[i].name);
    append_markup(out, "\">\n");
    bool first = true;
    for (const auto& [key, value] : calls[i].arguments.items()) {
      if (!first) append_markup(out, "\n");
      first = false;
      append_markup(out, "<｜DSML｜parameter name=\"");
      append_name(out, key);
      append_markup(out, value.is_string() ? "\" string=\"true\">" : "\" string=\"false\">");
      append_data(out, value.is_string() ? value.get<std::string>() : python_json(value));
      append_markup(out, "</｜DSML｜parameter>");
    }
    if (!first || no_arguments == NoArguments::kEmptyLine) append_markup(out, "\n");
    append_markup(out, "</｜DSML｜invoke>");
  }
  append_markup(out, "\n</｜DSML｜tool_calls>");
}

void append_tool_result(std::vector<Segment>& out, std::string_view text) {
  append_markup(out, "<tool_result>");
  append_data(out, text);
  append_markup(out, "</tool_result>");
}

}  // namespace dsv4::llm
