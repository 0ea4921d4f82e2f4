#include "agent/github/words.h"

#include <algorithm>
#include <cstdio>

#include "agent/duration.h"
#include "agent/github/untrusted.h"
#include "agent/printable.h"

namespace dsv4::agent::github {
namespace {

constexpr size_t kLongestLog = 12'000;  // bytes; a comment may have 65,536 characters

size_t longest_run(std::string_view text, char c) {
  size_t longest = 0;
  size_t length = 0;
  for (const char each : text) {
    length = each == c ? length + 1 : 0;
    longest = std::max(longest, length);
  }
  return longest;
}

void row(std::string* table, const std::string& name, const std::string& value) {
  *table += "| " + name + " | " + value + " |\n";
}

// In a table a bar ends a cell, in code too.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : code_span(text)) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string verdict(const std::string& word) { return word.empty() ? "not run" : word; }

}  // namespace

std::string sticky_mark(int64_t issue) {
  return "<!-- dsv4-agent:issue-" + std::to_string(issue) + " -->";
}

std::string run_mark(const Event& event) {
  return "<!-- dsv4-agent:issue-" + std::to_string(event.issue) + ":run-" + event.run_id + " -->";
}

std::string code_span(std::string_view text) {
  const std::string line = printable_line(text, 500);
  if (line.find_first_not_of(' ') == std::string::npos) return "";
  const std::string ticks(longest_run(line, '`') + 1, '`');
  const bool edge = line.front() == '`' || line.back() == '`';
  return edge ? ticks + " " + line + " " + ticks : ticks + line + ticks;
}

std::string code_block(std::string_view text, size_t most) {
  std::string shown = printable(text);
  if (shown.size() > most) {
    const size_t line = shown.find('\n', shown.size() - most);
    shown = "...\n" + shown.substr(line == std::string::npos ? shown.size() - most : line + 1);
    shown = to_utf8(shown);
  }
  if (!shown.empty() && shown.back() != '\n') shown += '\n';
  const std::string fence(std::max<size_t>(longest_run(shown, '`') + 1, 3), '`');
  return fence + "text\n" + shown + fence + "\n";
}

std::string progress_text(const Event& event, const ProgressWords& progress) {
  std::string out = "**dsv4-agent** works on this issue: [run](" + event.run_url + "), commit " +
                    event.sha.substr(0, 12) + ".\n\n";
  if (!progress.test_command.empty()) {
    out += "- tests: " + code_span(progress.test_command) +
           ", before: " + verdict(progress.before) + "\n";
  }
  if (progress.attempt == 0) return out + "- reads the repository\n";
  out += "- attempt " + std::to_string(progress.attempt) + ", turn " +
         std::to_string(progress.turn) + "\n";
  if (progress.at_gate) out += "- a patch was tried on a fresh copy\n";
  return out;
}

std::string outcome_text(const Event& event, const Outcome& outcome, std::string_view test_log) {
  std::string out = "| | |\n|---|---|\n";
  row(&out, "status", cell(outcome.status));
  if (!outcome.error.empty()) row(&out, "because", cell(outcome.error));
  row(&out, "tests", cell(outcome.test_command));
  row(&out, "before, after", verdict(outcome.before) + ", " + verdict(outcome.after));
  row(&out, "attempts, turns, tool calls",
      std::to_string(outcome.attempts) + ", " + std::to_string(outcome.turns) + ", " +
          std::to_string(outcome.tool_calls));
  row(&out, "tokens of context, generated",
      std::to_string(outcome.context) + ", " + std::to_string(outcome.generated));
  row(&out, "time",
      describe_duration(std::chrono::milliseconds(static_cast<int64_t>(outcome.seconds * 1000))));
  row(&out, "model", cell(outcome.model));
  row(&out, "commit, run",
      event.sha.substr(0, 12) + ", [" + event.run_id + "](" + event.run_url + ")");
  if (!test_log.empty()) {
    out += "\n<details>\n<summary>The end of the test log</summary>\n\n" +
           code_block(test_log, kLongestLog) + "\n</details>\n";
  }
  return out;
}

std::string published_text(const std::string& pull_request) {
  return "**dsv4-agent** has a patch: " + pull_request +
         ". The tests passed with it in a fresh copy; nobody has read it yet.\n\n";
}

std::string tried_text(const Outcome& outcome) {
  if (outcome.status == "gave_up") {
    return "**dsv4-agent** has tried and found no patch that makes the tests pass.\n\n";
  }
  return "**dsv4-agent** could not work on this issue.\n\n";
}

std::string refused_text(const std::string& why) {
  return "**dsv4-agent** has a patch that is not published: " + code_span(why) + "\n\n";
}

// Neither words that close other issues when the title becomes that of a commit, nor names.
std::string pull_request_title(const Event& event) {
  std::string title = clean_title(event.title).text;
  for (size_t at = title.find("://"); at != std::string::npos; at = title.find("://", at)) {
    title.replace(at, 3, " ");
  }
  std::erase_if(title, [](char c) { return c == '#' || c == '@'; });
  const std::string start = "Fix #" + std::to_string(event.issue);
  return title.empty() ? start : start + ": " + printable_line(title, 200);
}

std::string pull_request_body(const Event& event, const Outcome& outcome,
                              std::string_view test_log) {
  return run_mark(event) + "\nFixes #" + std::to_string(event.issue) +
         "\n\nThis patch was written by a program. Its tests passed in a fresh copy of " +
         event.sha.substr(0, 12) + "; nobody has read it yet.\n\n" +
         outcome_text(event, outcome, test_log);
}

std::string commit_trailer(int64_t issue) { return "Dsv4-agent-issue: " + std::to_string(issue); }

std::string commit_message(const Event& event) {
  return "Fix issue #" + std::to_string(event.issue) +
         "\n\nWritten by dsv4-agent; its tests passed in a fresh copy of the parent commit.\n\n" +
         commit_trailer(event.issue) + "\nDsv4-agent-run: " + event.run_id + "\n";
}

}  // namespace dsv4::agent::github
