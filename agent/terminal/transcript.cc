#include "agent/terminal/transcript.h"

#include <algorithm>
#include <cstdio>
#include <span>
#include <vector>

#include "agent/gate.h"
#include "agent/loop.h"
#include "agent/printable.h"
#include "agent/terminal/code.h"
#include "tools/text.h"

namespace dsv4::agent::terminal {
namespace {

constexpr size_t kBar = 20;
constexpr size_t kReportLines = 12;  // of failing tests; the whole is kept
constexpr size_t kEditLines = 6;     // of each side of one edit
constexpr size_t kMostEditLines = 24;
constexpr size_t kMostKept = 32 << 20;
constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
constexpr uint64_t kLongCopy = 64u << 20;
constexpr int64_t kLongRead = 512;  // tokens

Line one_line(std::string_view text, Style style) {
  return Line(text, style).fold(Line::Fold::kClip);
}

Line progress(const std::string& what, double share, const std::string& detail) {
  return one_line(what + " " + progress_bar(share, kBar) + " " + detail, Style::kPlain);
}

double share_of(int64_t done, int64_t total) {
  return total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 1;
}

std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

// The lines behind the first one, so many at most.
Lines report_lines(std::string_view text) {
  Lines lines;
  for (size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at)) {
    if (++at >= text.size()) break;
    if (lines.size() == kReportLines) {
      lines.push_back(one_line("      ...", Style::kDim));
      break;
    }
    lines.push_back(one_line("      " + std::string(first_line(text.substr(at))), Style::kPlain));
  }
  return lines;
}

Style style_of(const tools::Outcome& outcome) {
  if (outcome.test) return outcome.test->passed ? Style::kGood : Style::kBad;
  return outcome.error ? Style::kBad : Style::kDim;
}

void append(Lines& lines, Lines more) {
  for (Line& line : more) lines.push_back(std::move(line));
}

std::vector<std::string_view> lines_in(const nlohmann::ordered_json& arguments, const char* key) {
  const auto text = arguments.find(key);
  if (text == arguments.end() || !text->is_string()) return {};
  return tools::split_lines(text->get_ref<const std::string&>());
}

// Of one side of an edit.
void append_side(Lines& lines, std::span<const std::string_view> side, const char* mark,
                 Style style) {
  const size_t count = side.size() <= kEditLines ? side.size() : kEditLines - 1;
  for (size_t i = 0; i < count; ++i) {
    lines.push_back(one_line("      " + (mark + std::string(side[i])), style));
  }
  if (count < side.size()) {
    lines.push_back(one_line(
        std::string("      ") + mark + "... " + std::to_string(side.size() - count) + " more lines",
        style));
  }
}

// What an edit takes away and puts there, without the lines that both have around it.
void append_edit(Lines& lines, const nlohmann::ordered_json& edit) {
  if (!edit.is_object()) return;
  const std::vector<std::string_view> before = lines_in(edit, "old");
  const std::vector<std::string_view> after = lines_in(edit, "new");
  std::span<const std::string_view> old(before);
  std::span<const std::string_view> fresh(after);
  while (!old.empty() && !fresh.empty() && old.front() == fresh.front()) {
    old = old.subspan(1);
    fresh = fresh.subspan(1);
  }
  while (!old.empty() && !fresh.empty() && old.back() == fresh.back()) {
    old = old.first(old.size() - 1);
    fresh = fresh.first(fresh.size() - 1);
  }
  append_side(lines, old, "- ", Style::kBad);
  append_side(lines, fresh, "+ ", Style::kGood);
}

Lines edit_lines(const llm::ToolCall& call) {
  Lines lines;
  const auto edits = call.arguments.find("edits");
  if (edits == call.arguments.end() || !edits->is_array()) {
    append_edit(lines, call.arguments);
    return lines;
  }
  for (const auto& edit : *edits) {
    if (lines.size() > kMostEditLines) {
      lines.push_back(one_line("      ...", Style::kDim));
      break;
    }
    append_edit(lines, edit);
  }
  return lines;
}

// Where an edit is, in the words of its call.
std::string edit_place(const llm::ToolCall& call) {
  llm::ToolCall place{call.name, nlohmann::ordered_json::object()};
  for (const char* key : {"path", "symbol"}) {
    if (call.arguments.contains(key)) place.arguments[key] = call.arguments[key];
  }
  return call_summary(place);
}

Lines text_lines(std::string_view text) { return code_lines(tools::Language::kNone, text); }

}  // namespace

void Transcript::on_note(const std::string& sentence) {
  display_.add({Line(sentence, Style::kDim).fold(Line::Fold::kWords)});
}

void Transcript::on_copy(uint64_t done_bytes, uint64_t total_bytes) {
  if (total_bytes < kLongCopy) return;  // it is over before it could be read
  const bool done = done_bytes >= total_bytes;
  display_.activity(
      done ? Line()
           : progress("copying",
                      share_of(static_cast<int64_t>(done_bytes), static_cast<int64_t>(total_bytes)),
                      byte_count(done_bytes) + " of " + byte_count(total_bytes)));
}

Lines Transcript::tests(const std::string& command, const tools::TestReport& report) {
  Lines lines = {one_line("tests: " + command, Style::kPlain)};
  if (report.passed) {
    lines.push_back(one_line("    they pass", Style::kGood));
    return lines;
  }
  lines.push_back(one_line("    they fail: " + sandbox::describe(report.result), Style::kBad));
  append(lines, report_lines(report.text));
  return lines;
}

void Transcript::on_first_tests(const std::string& command, const tools::TestReport& report) {
  display_.add(tests(command, report));
}

void Transcript::on_context(const RepositoryContext& context, int64_t tokens) {
  const auto outlines = std::count_if(context.files.begin(), context.files.end(),
                                      [](const ContextFile& file) { return file.outline; });
  std::string text = "context: " + grouped(static_cast<int64_t>(context.files.size())) +
                     " files, " + grouped(tokens) + " tokens";
  if (outlines > 0) text += ", " + grouped(outlines) + " of them as outlines";
  for (const ContextFile& file : context.instructions) text += ", with " + file.path;
  if (!context.left_out.empty()) {
    text += ", " + grouped(static_cast<int64_t>(context.left_out.size())) + " files left out";
  }
  on_note(text);
}

void Transcript::on_prefill(int64_t done, int64_t total) {
  const std::string detail = pace_.describe(done, total);
  if (done < total) return display_.activity(progress("reading", share_of(done, total), detail));
  display_.activity({});
  // A long read is worth a line that stays; short ones between turns are not.
  if (total >= kLongRead) on_note("read " + detail);
}

void Transcript::on_attempt(int number, const llm::Sampling& sampling) {
  char how[64] = "greedy";
  if (sampling.temperature > 0) {
    std::snprintf(how, sizeof how, "temperature %.2g, seed %llu", sampling.temperature,
                  static_cast<unsigned long long>(sampling.seed));
  }
  display_.add({Line("attempt " + std::to_string(number) + " (" + how + ")", Style::kStrong)});
}

void Transcript::end_text() {
  Lines lines = markdown_.finish();
  if (!lines.empty()) display_.add(std::move(lines));
  display_.begun({});
  spoken_.clear();
}

void Transcript::on_turn(int) { end_text(); }

void Transcript::on_text(std::string_view piece) {
  const std::string text = spoken_.push(piece);
  if (text.empty()) return;
  Lines lines = markdown_.push(text);
  if (!lines.empty()) display_.add(std::move(lines));
  display_.begun(markdown_.begun());
}

void Transcript::on_taken_back(const llm::Reply&, const std::string& reason) {
  ++taken_back_;
  last_reason_ = reason;
  end_text();
}

void Transcript::on_reply(const llm::Reply& reply, const llm::Usage& usage, int64_t window) {
  end_text();
  if (taken_back_ > 0) {
    on_note("  took back " + grouped(static_cast<int64_t>(taken_back_)) +
            (taken_back_ == 1 ? " turn" : " turns") + ", the last because " + last_reason_);
    taken_back_ = 0;
  }
  if (reply.finish == llm::Finish::kCancelled) on_note("(the turn was stopped here)");
  on_usage(usage, window);
}

void Transcript::on_usage(const llm::Usage& usage, int64_t window) {
  display_.meter({usage.context, window, usage.bytes});
}

void Transcript::on_call(const llm::ToolCall& call) {
  display_.activity(one_line(call.name + call_summary(call), Style::kPlain));
}

void Transcript::remember(const llm::ToolCall& call, const tools::Outcome& outcome) {
  const auto size = [](const Call& each) {
    return each.result.size() + each.call.arguments.dump(-1, ' ', false, kReplace).size();
  };
  kept_.push_back({++calls_, call, outcome.text, outcome.error});
  kept_bytes_ += size(kept_.back());
  while (kept_bytes_ > kMostKept && kept_.size() > 1) {
    kept_bytes_ -= size(kept_.front());
    kept_.pop_front();
  }
}

void Transcript::on_outcome(const llm::ToolCall& call, const tools::Outcome& outcome) {
  remember(call, outcome);
  display_.activity({});
  Line line("[" + std::to_string(calls_) + "] ", Style::kDim);
  line.add(call.name, Style::kStrong);
  if (call.name == "finish" && call.arguments.contains("summary") &&
      call.arguments["summary"].is_string()) {
    line.add(" " + call.arguments["summary"].get<std::string>());
    return display_.add({line.fold(Line::Fold::kWords, 4)});
  }
  const bool edited = call.name == "edit" && !outcome.error && call.arguments.is_object();
  line.add(edited ? edit_place(call) : call_summary(call)).add(" -> ", Style::kDim);
  line.add(first_line(outcome.text), style_of(outcome));
  Lines lines = {line.fold(Line::Fold::kClip)};
  if (edited) append(lines, edit_lines(call));
  if (outcome.test && !outcome.test->passed) append(lines, report_lines(outcome.text));
  display_.add(std::move(lines));
}

void Transcript::on_plan(const std::vector<std::string>& items) {
  Lines lines;
  for (const std::string& item : items) {
    lines.push_back(Line("    - " + item).fold(Line::Fold::kWords, 6));
  }
  display_.add(std::move(lines));
}

void Transcript::on_correction(const std::string& text) {
  display_.add({one_line("corrected: " + text, Style::kBad)});
}

void Transcript::on_attempt_end(const AttemptResult& result) { on_note(describe(result.end)); }

void Transcript::on_gate(const GateResult& result) {
  display_.add({Line((result.passed ? "gate: " : "gate, not passed: ") + result.reason,
                     result.passed ? Style::kGood : Style::kBad)
                    .fold(Line::Fold::kWords)});
}

Lines Transcript::sent(const std::string& message) {
  constexpr size_t kMostLines = 20;
  constexpr size_t kLongestLine = 2000;
  Lines shown = {Line()};  // between it and what came before
  const std::vector<std::string_view> lines = tools::split_lines(message);
  const size_t count = lines.size() <= kMostLines ? lines.size() : kMostLines / 2;
  for (size_t i = 0; i < count; ++i) {
    shown.push_back(
        Line((i == 0 ? "> " : "  ") + tools::clipped(lines[i], kLongestLine), Style::kStrong)
            .fold(Line::Fold::kWords, 2));
  }
  if (count < lines.size()) {
    const auto more = static_cast<int64_t>(lines.size() - count);
    shown.push_back(Line("  ... " + grouped(more) + " more lines", Style::kDim));
  }
  return shown;
}

Lines Transcript::expand(size_t number) const {
  if (kept_.empty()) return {Line("no tool was called yet", Style::kDim)};
  const size_t wanted = number == 0 ? calls_ : number;
  if (wanted < kept_.front().number || wanted > calls_) {
    return {Line("there is no call " + std::to_string(number) + ": there are " +
                     std::to_string(kept_.front().number) + " to " + std::to_string(calls_),
                 Style::kBad)};
  }
  const Call& call = kept_[wanted - kept_.front().number];
  Line head("[" + std::to_string(call.number) + "] ", Style::kDim);
  Lines lines = {head.add(call.call.name, Style::kStrong)};
  std::string path;
  if (call.call.arguments.is_object()) {
    for (const auto& [key, value] : call.call.arguments.items()) {
      const std::string text =
          value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, kReplace);
      if (key == "path") path = text;
      if (text.find('\n') == std::string::npos) {
        lines.push_back(Line(key + ": ", Style::kDim).add(text));
      } else {
        lines.push_back(Line(key + ":", Style::kDim));
        append(lines, code_lines(tools::language_of(path), text));
      }
    }
  }
  lines.push_back(Line(call.error ? "error:" : "result:", Style::kDim));
  append(lines, call.call.name == "diff" ? patch_lines(call.result) : text_lines(call.result));
  return lines;
}

}  // namespace dsv4::agent::terminal
