#include <algorithm>
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

// A turn's text, and where in it the markers are tokens. A marker that is only spelled, as in a
// file that the model copies, is text like any other.
class Turn {
 public:
  explicit Turn(std::span<const Segment> segments) {
    for (const Segment& segment : segments) {
      const size_t begin = text_.size();
      text_ += utf8_replace_broken(segment.text);
      if (segment.markup) markup_.emplace_back(begin, text_.size());
    }
  }

  const std::string& text() const { return text_; }

  // Whether `tag` stands at `at` with its marker as a token.
  bool has(std::string_view tag, size_t at) const {
    if (!std::string_view(text_).substr(at).starts_with(tag)) return false;
    const size_t inside = tag.find(marker::kDsml);
    return is_markup(at + (inside == std::string_view::npos ? 0 : inside));
  }

  // The first place from `from` on where has() holds.
  size_t find(std::string_view tag, size_t from) const {
    size_t at = text_.find(tag, from);
    while (at != std::string::npos && !has(tag, at)) at = text_.find(tag, at + 1);
    return at;
  }

 private:
  bool is_markup(size_t at) const {
    auto after = std::upper_bound(markup_.begin(), markup_.end(), at,
                                  [](size_t place, const auto& run) { return place < run.first; });
    return after != markup_.begin() && at < std::prev(after)->second;
  }

  std::string text_;
  std::vector<std::pair<size_t, size_t>> markup_;
};

// Reads the block of calls in a turn, from `at` to `end`.
class CallReader {
 public:
  CallReader(const Turn& turn, size_t at, size_t end) : turn_(turn), at_(at), end_(end) {}

  std::vector<ToolCall> run() {
    if (!take_tag(kCalls)) {
      throw Malformed("the block of calls must begin with " + std::string(kCalls) + found());
    }
    std::vector<ToolCall> calls;
    for (;;) {
      skip_blanks();
      if (take_tag(kEndCalls)) break;
      if (!take_tag(kInvoke)) {
        throw Malformed("expected " + std::string(kInvoke) + " name=\"...\"> or " +
                        std::string(kEndCalls) + found());
      }
      calls.push_back(call());
    }
    skip_blanks();
    if (!rest().empty()) throw Malformed("nothing may follow " + std::string(kEndCalls) + found());
    if (calls.empty()) throw Malformed("the block of calls has no call in it");
    return calls;
  }

 private:
  ToolCall call() {
    ToolCall out{attribute("name", kInvoke), nlohmann::ordered_json::object()};
    expect(">", "expected > at the end of the tag " + std::string(kInvoke));
    for (;;) {
      skip_blanks();
      if (take_tag(kEndInvoke)) return out;
      if (!take_tag(kParameter)) {
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
    const size_t end = turn_.find(kEndParameter, at_);
    if (end >= end_) {
      throw Malformed("the parameter " + shown(name) + " does not end with " +
                      std::string(kEndParameter));
    }
    const std::string_view value = rest().substr(0, end - at_);
    at_ = end + kEndParameter.size();
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
    const size_t end = rest().find('"');
    if (end == std::string_view::npos ||
        rest().substr(0, end).find('\n') != std::string_view::npos) {
      throw Malformed("the text after " + opening + " has no closing quote");
    }
    const std::string value(rest().substr(0, end));
    at_ += end + 1;
    return value;
  }

  std::string_view rest() const { return std::string_view(turn_.text()).substr(at_, end_ - at_); }

  bool take_tag(std::string_view tag) {
    if (!rest().starts_with(tag) || !turn_.has(tag, at_)) return false;
    at_ += tag.size();
    return true;
  }

  void expect(std::string_view text, const std::string& complaint) {
    if (!rest().starts_with(text)) throw Malformed(complaint + found());
    at_ += text.size();
  }

  std::string found() const {
    return rest().empty() ? ", but the turn ended" : ", found " + shown(rest());
  }

  void skip_blanks() {
    const size_t blanks = rest().find_first_not_of(" \t\r\n");
    at_ = blanks == std::string_view::npos ? end_ : at_ + blanks;
  }

  const Turn& turn_;
  size_t at_;
  size_t end_;
};

}  // namespace

Reply parse_reply(std::string_view turn, bool thinking) {
  const Segment all{std::string(turn), true};
  return parse_reply(std::span(&all, 1), thinking);
}

Reply parse_reply(std::span<const Segment> segments, bool thinking) {
  const Turn turn(segments);
  Reply reply;
  reply.raw = turn.text();
  const std::string_view text = reply.raw;
  const size_t end = text.size() - (text.ends_with(marker::kEnd) ? marker::kEnd.size() : 0);
  size_t at = 0;
  if (thinking) {
    const size_t thought = std::min(turn.find(marker::kEndThink, 0), end);
    reply.reasoning = std::string(text.substr(0, thought));
    if (thought == end) {
      reply.malformed = "the reasoning does not end: write </think> before the answer or the calls";
      return reply;
    }
    at = thought + marker::kEndThink.size();
  }
  // Any tag of the format counts as an attempt to call: an answer has no use for one.
  const size_t calls = std::min({turn.find("<｜DSML｜", at), turn.find("</｜DSML｜", at), end});
  std::string_view content = text.substr(at, calls - at);
  if (calls != end) {
    if (content.ends_with("\n\n")) content.remove_suffix(2);
    try {
      reply.calls = CallReader(turn, calls, end).run();
    } catch (const Malformed& problem) {
      reply.malformed = problem.what();
    }
  }
  reply.content = std::string(content);
  return reply;
}

}  // namespace dsv4::llm
