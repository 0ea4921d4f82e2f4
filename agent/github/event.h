#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "agent/error.h"
#include "agent/github/environment.h"
#include "agent/github/inputs.h"

namespace dsv4::agent::github {

// The event is about something else: nothing is to be done, and nothing is wrong.
class NotForUs : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The event asks for a run that is not to be: the sentence says why. Exit code 2.
class Refused : public UsageError {
 public:
  using UsageError::UsageError;
};

enum class Trigger { kLabel, kComment, kManual };

// What happened, as GitHub wrote it down: later changes to the issue do not count.
struct Event {
  Trigger trigger = Trigger::kManual;
  std::string repository;  // "owner/name"
  int64_t issue = 0;
  std::string actor;  // who asks
  bool bot = false;   // ... and is none of flesh and blood
  // What anybody may have written. Of a manual run it is not in the event: it has to be asked for.
  bool has_text = false;
  std::string title;
  std::string body;
  std::string comment;  // the one with the phrase
  std::string sha;      // the commit that the event is about, 40 digits
  std::string branch;   // the one that it was at the head of
  std::string run_id;   // of the workflow; attempts of one run have the same
  std::string run_url;
};

// Reads the event of a job from its environment and the file that GITHUB_EVENT_PATH names. Throws
// NotForUs, Refused, and UsageError for what GitHub would not write.
Event read_event(const Environment& environment, const Inputs& inputs);

// Whether a comment asks for a run: the phrase begins a line, letter for letter, outside code and
// quotations (PlainLines), and nothing but blanks follows its last word directly.
bool has_phrase(const std::string& comment, const std::string& phrase);

// Forty small hexadecimal digits.
bool is_sha(std::string_view text);

}  // namespace dsv4::agent::github
