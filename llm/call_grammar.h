#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm/json_shape.h"

namespace dsv4::llm {

// The values that an argument of a call may have, given the names of the turn's earlier calls, the
// tool, the parameter, and the arguments written before it in the same call. Nothing: any text.
// Must not throw.
using ArgumentChoices = std::function<std::optional<std::vector<std::string>>(
    const std::vector<std::string>& earlier, const std::string& tool, const std::string& parameter,
    const nlohmann::ordered_json& arguments)>;

// The tags of a block of calls (deepseek-v4.md section 6).
namespace call_tag {
inline constexpr std::string_view kAny = "<｜DSML｜";      // no text may hold it but as kOpen
inline constexpr std::string_view kAnyEnd = "</｜DSML｜";  // nor this one outside a block
inline constexpr std::string_view kOpen = "<｜DSML｜tool_calls>\n";
inline constexpr std::string_view kClose = "</｜DSML｜tool_calls>";
inline constexpr std::string_view kEndCall = "</｜DSML｜invoke>\n";
inline constexpr std::string_view kEndValue =
    "</｜DSML｜parameter>";  // ends a value wherever it is
}  // namespace call_tag

// Texts of which one comes next. None is the beginning of another.
class Continuations {
 public:
  struct One {
    std::string text;
    size_t data = 0;   // so many bytes at its front are the value of an argument
    size_t means = 0;  // to whoever made the list
  };
  explicit Continuations(std::vector<One> all);
  // Values of an argument, each with the tag that ends it. Those that no call can hold are left
  // out.
  explicit Continuations(std::vector<std::string> values);

  size_t size() const { return all_.size(); }
  const One& operator[](size_t i) const { return all_[i]; }

  // Those of [begin, end), which agree in their first `at` bytes, that have `byte` there.
  struct Range {
    size_t begin = 0, end = 0;
  };
  Range narrow(Range range, size_t at, char byte) const;

 private:
  std::vector<One> all_;  // sorted
};

// What the schemas of the tools allow in a call.
struct CallGrammar {
  static constexpr size_t kEnd = static_cast<size_t>(-1);

  struct Parameter {
    std::string name;
    bool text = true;                 // the value is the text itself, not JSON
    JsonShape shape;                  // of a JSON value
    std::vector<std::string> values;  // the schema's "enum" of texts; empty: any
  };
  struct Tool {
    std::string name;
    std::vector<Parameter> parameters;
    // Element i: what may come when the parameters before i are done; means the parameter, or kEnd.
    std::vector<std::shared_ptr<const Continuations>> after;
  };

  // tools: {"name","parameters":{"properties","required"}}.
  CallGrammar(const std::vector<nlohmann::ordered_json>& tools, ArgumentChoices argument_choices);

  std::vector<Tool> tools;
  ArgumentChoices choices;
  // What begins a call: means the tool. After the first one the block may close: kEnd.
  std::shared_ptr<const Continuations> first_call, next_call;
  std::shared_ptr<const Continuations> rest_of_open;       // of kOpen after kAny
  std::shared_ptr<const Continuations> rest_of_end_value;  // the line's end after kEndValue
};

}  // namespace dsv4::llm
