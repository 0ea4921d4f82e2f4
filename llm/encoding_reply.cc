#include <nlohmann/json.hpp>

#include "llm/encoding.h"
#include "llm/encoding_json.h"
#include "llm/error.h"
#include "llm/utf8.h"

namespace dsv4::llm {
namespace {

constexpr std::string_view kCalls = "<｜DSML｜tool_calls>";
constexpr std::string_view kEndCalls = "</｜DSML｜tool_calls>";
constexpr std::string_view kInvoke = "<｜DSML｜invoke";
constexpr std::string_view kEndInvoke = "</｜DSML｜invoke>";
constexpr std::string_view kParameter = "<｜DSML｜parameter";
constexpr std::string_view kEndParameter = "</｜DSML｜parameter>";

// What is wrong with the block of calls, as a sentence for the model.
class Malformed : public Error {
 public:
  using Error::Error;
};

std::string shown(std::string_view text) {
  return "'" + utf8_replace_broken(text.substr(0, 60)) + "'";
}

// Reads the block of calls from left to right.
class CallReader {
 public:
  explicit CallReader(std::string_view text) : rest_(text) {}

  std::vector<ToolCall> run() {
    expect(kCalls, "the block of calls must begin with " + std::string(kCalls));
    std::vector<ToolCall> calls;
    for (;;) {
      skip_blanks();
      if (take(kEndCalls)) break;
      if (!rest_.starts_with(kInvoke)) {
        throw Malformed("expected " + std::string(kInvoke) + " name=\"...\"> or " +
                        std::string(kEndCalls) + found());
      }
      calls.push_back(call());
    }
    skip_blanks();
    if (!rest_.empty()) throw Malformed("nothing may follow " + std::string(kEndCalls) + found());
    if (calls.empty()) throw Malformed("the block of calls has no call in it");
    return calls;
  }

 private:
  ToolCall call() {
    take(kInvoke);
    ToolCall out{attribute("name", kInvoke), nlohmann::ordered_json::object()};
    expect(">", "expected > at the end of the tag " + std::string(kInvoke));
    for (;;) {
      skip_blanks();
      if (take(kEndInvoke)) return out;
      if (!take(kParameter)) {
        throw Malformed("the call of " + shown(out.name) + ": expected " + std::string(kParameter) +
                        " name=\"...\" string=\"true|false\"> or " + std::string(kEndInvoke) +
                        found());
      }
      parameter(out);
    }
  }

  void parameter(ToolCall& call) {
    const std::string name = attribute("name", kParameter);
    const std::string kind = attribute("string", kParameter);
    if (kind != "true" && kind != "false") {
      throw Malformed("the parameter " + shown(name) + ": string must be \"true\" or \"false\"");
    }
    expect(">", "expected > at the end of the tag " + std::string(kParameter));
    const size_t end = rest_.find(kEndParameter);
    if (end == std::string_view::npos) {
      throw Malformed("the parameter " + shown(name) + " does not end with " +
                      std::string(kEndParameter));
    }
    const std::string_view value = rest_.substr(0, end);
    rest_.remove_prefix(end + kEndParameter.size());
    if (call.arguments.contains(name)) {
      throw Malformed("the parameter " + shown(name) + " is given twice");
    }
    if (kind == "true") {
      call.arguments[name] = std::string(value);
      return;
    }
    try {
      call.arguments[name] = parse_foreign_json(value, name);
    } catch (const FormatError&) {
      throw Malformed("the parameter " + shown(name) + " is not JSON: " + shown(value) +
                      "; write text with string=\"true\"");
    }
  }

  // name="..." and the blanks before it.
  std::string attribute(std::string_view name, std::string_view tag) {
    skip_blanks();
    const std::string opening = std::string(name) + "=\"";
    expect(opening, "expected " + opening + "...\" in the tag " + std::string(tag));
    const size_t end = rest_.find('"');
    if (end == std::string_view::npos ||
        rest_.substr(0, end).find('\n') != std::string_view::npos) {
      throw Malformed("the text after " + opening + " has no closing quote");
    }
    const std::string value(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return value;
  }

  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  void expect(std::string_view text, const std::string& complaint) {
    if (!take(text)) throw Malformed(complaint + found());
  }

  std::string found() const {
    return rest_.empty() ? ", but the turn ended" : ", found " + shown(rest_);
  }

  void skip_blanks() {
    const size_t blanks = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(blanks == std::string_view::npos ? rest_.size() : blanks);
  }

  std::string_view rest_;
};

}  // namespace

Reply parse_reply(std::string_view turn, bool thinking) {
  Reply reply;
  reply.raw = utf8_replace_broken(turn);
  std::string_view text = reply.raw;
  if (text.ends_with(marker::kEnd)) text.remove_suffix(marker::kEnd.size());
  if (thinking) {
    const size_t end = text.find(marker::kEndThink);
    reply.reasoning = std::string(text.substr(0, end));
    if (end == std::string_view::npos) {
      reply.malformed = "the reasoning does not end: write </think> before the answer or the calls";
      return reply;
    }
    text.remove_prefix(end + marker::kEndThink.size());
  }
  // Any tag of the format counts as an attempt to call: an answer has no use for one.
  const size_t calls = std::min(text.find("<｜DSML｜"), text.find("</｜DSML｜"));
  std::string_view content = text.substr(0, calls);
  if (calls != std::string_view::npos) {
    if (content.ends_with("\n\n")) content.remove_suffix(2);
    try {
      reply.calls = CallReader(text.substr(calls)).run();
    } catch (const Malformed& problem) {
      reply.malformed = problem.what();
    }
  }
  reply.content = std::string(content);
  return reply;
}

}  // namespace dsv4::llm
