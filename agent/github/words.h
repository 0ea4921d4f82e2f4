#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/github/artifact.h"
#include "agent/github/event.h"

namespace dsv4::agent::github {

// What the bot writes where people read it, as Markdown. Words that others chose appear in code
// only, where they can neither call anybody, nor refer to anything, nor hide.

// The first line of the one comment of an issue.
std::string sticky_mark(int64_t issue);
// In the body of a pull request: which run has made it.
std::string run_mark(const Event& event);

// Of any text, in a line; and as a block of its own, of which at most `most` bytes of the end stay.
std::string code_span(std::string_view text);
std::string code_block(std::string_view text, size_t most);

// How far a run is.
struct ProgressWords {
  int attempt = 0;  // 0: it reads
  int turn = 0;
  std::string test_command;
  std::string before;  // "passed", "failed" or nothing
  bool at_gate = false;
};
std::string progress_text(const Event& event, const ProgressWords& progress);

// How a run ended: a table, and the end of the test log.
std::string outcome_text(const Event& event, const Outcome& outcome, std::string_view test_log);

// The first words of the comment, in front of outcome_text().
std::string published_text(const std::string& pull_request);
std::string tried_text(const Outcome& outcome);
std::string refused_text(const std::string& why);

std::string pull_request_title(const Event& event);
std::string pull_request_body(const Event& event, const Outcome& outcome,
                              std::string_view test_log);
// No word of anybody else: "fixes #1" in it would close another issue.
std::string commit_message(const Event& event);
// The line of the message by which the bot knows a commit of its own again.
std::string commit_trailer(int64_t issue);

}  // namespace dsv4::agent::github
