#include "agent/github/event.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "agent/github/plain_lines.h"
#include "agent/github/untrusted.h"
#include "agent/printable.h"

namespace dsv4::agent::github {
namespace {

using nlohmann::json;

constexpr size_t kLargestEvent = 32u << 20;  // bytes; GitHub's limit is 25 MB

json read_payload(const std::string& file) {
  std::error_code error;
  std::ifstream in;
  // A pipe would be waited for.
  if (std::filesystem::is_regular_file(file, error)) in.open(file, std::ios::binary);
  std::string text(kLargestEvent + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  if (text.empty() || text.size() > kLargestEvent) {
    throw UsageError("the event in " + printable_line(file, 200) + " cannot be read");
  }
  json payload = json::parse(text, nullptr, false);
  if (!payload.is_object()) {
    throw UsageError("the event in " + printable_line(file, 200) + " is not a JSON object");
  }
  return payload;
}

const json& member(const json& object, const char* name, json::value_t type) {
  const auto found = object.find(name);
  if (found == object.end() || found->type() != type) {
    throw UsageError(std::string("the event has no '") + name +
                     "', or it is not what it should be");
  }
  return *found;
}

const json& object_in(const json& object, const char* name) {
  return member(object, name, json::value_t::object);
}

std::string text_in(const json& object, const char* name) {
  return member(object, name, json::value_t::string).get<std::string>();
}

// Null where GitHub has nothing: the body of an issue.
std::string text_or_nothing(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

void take_issue(const json& payload, Event* event) {
  const json& issue = object_in(payload, "issue");
  event->issue = member(issue, "number", json::value_t::number_unsigned).get<int64_t>();
  if (event->issue < 1) throw UsageError("the event's issue has no number");
  event->has_text = true;
  event->title = text_in(issue, "title");
  event->body = text_or_nothing(issue, "body");
  if (issue.contains("pull_request")) {
    throw Refused("#" + std::to_string(event->issue) +
                  " is a pull request: its code may be anybody's, so the bot works on issues only");
  }
  if (text_in(issue, "state") != "open") {
    throw Refused("issue #" + std::to_string(event->issue) + " is closed: open it again first");
  }
}

void read_label(const json& payload, const Inputs& inputs, Event* event) {
  const std::string action = text_in(payload, "action");
  if (action != "labeled") throw NotForUs("the issue was " + action + ", not labeled");
  const std::string label = text_in(object_in(payload, "label"), "name");
  if (label != inputs.label) {
    throw NotForUs("the label is '" + label + "', not '" + inputs.label + "'");
  }
  event->trigger = Trigger::kLabel;
  take_issue(payload, event);
}

void read_comment(const json& payload, const Inputs& inputs, Event* event) {
  const std::string action = text_in(payload, "action");
  if (action != "created") throw NotForUs("the comment was " + action + ", not created");
  event->trigger = Trigger::kComment;
  event->comment = text_in(object_in(payload, "comment"), "body");
  if (!has_phrase(event->comment, inputs.phrase)) {
    throw NotForUs("no line of the comment begins with '" + inputs.phrase + "'");
  }
  take_issue(payload, event);
}

void read_manual(const json& payload, const Inputs& inputs, Event* event) {
  event->trigger = Trigger::kManual;
  if (inputs.issue) {
    event->issue = *inputs.issue;
    return;
  }
  const auto given = payload.find("inputs");
  std::string text;
  if (given != payload.end() && given->is_object()) text = text_or_nothing(*given, "issue");
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), event->issue);
  if (error != std::errc() || end != text.data() + text.size() || event->issue < 1) {
    throw UsageError("the manual run names no issue: give its number as the input 'issue'");
  }
}

bool is_word(std::string_view text, std::string_view more) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           more.find(c) != std::string_view::npos;
  });
}

// "owner/name" as GitHub allows them: what may stand in an address as it is.
bool is_repository(const std::string& text) {
  const size_t slash = text.find('/');
  const std::string name = slash == std::string::npos ? "" : text.substr(slash + 1);
  return is_word(text.substr(0, slash), "-_") && is_word(name, "-_.") && name != "." &&
         name != "..";
}

void read_sender(const json& payload, Event* event) {
  const json& sender = object_in(payload, "sender");
  event->actor = text_in(sender, "login");
  const bool app = event->actor.ends_with("[bot]");
  event->bot = app || text_or_nothing(sender, "type") == "Bot";
  const size_t length = event->actor.size() - (app ? 5 : 0);
  if (!is_word(std::string_view(event->actor).substr(0, length), "-_")) {
    throw UsageError("the event's sender has no valid name");
  }
}

std::string branch_of(const json& payload, const Event& event) {
  if (event.trigger != Trigger::kManual) {
    return text_in(object_in(payload, "repository"), "default_branch");
  }
  const std::string ref = text_in(payload, "ref");
  constexpr std::string_view kHeads = "refs/heads/";
  if (!ref.starts_with(kHeads)) {
    throw Refused("the manual run was started on " + ref + ", which is no branch");
  }
  return ref.substr(kHeads.size());
}

// Whether a line, one of plain text where that is asked for, is the phrase or begins with it.
bool begins_a_line(std::string_view text, std::string_view phrase, bool plain) {
  PlainLines lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const bool here = !plain || lines.plain();
    lines.add(line);
    if (!here || !line.starts_with(phrase)) continue;
    const std::string_view after = line.substr(phrase.size());
    if (after.empty() || after[0] == ' ' || after[0] == '\t' || after[0] == '\r') return true;
  }
  return false;
}

}  // namespace

bool is_sha(std::string_view text) {
  return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool has_phrase(const std::string& comment, const std::string& phrase) {
  // With invisible characters in it the phrase is only spoken of.
  if (!begins_a_line(comment, phrase, false)) return false;
  return begins_a_line(clean_untrusted(comment).text, phrase, true);
}

Event read_event(const Environment& environment, const Inputs& inputs) {
  const std::string name = environment.required("GITHUB_EVENT_NAME");
  const json payload = read_payload(environment.required("GITHUB_EVENT_PATH"));
  Event event;
  event.repository = environment.required("GITHUB_REPOSITORY");
  const std::string full_name = text_in(object_in(payload, "repository"), "full_name");
  if (full_name != event.repository) {
    throw UsageError("the event is about " + printable_line(full_name, 100) + ", the job about " +
                     printable_line(event.repository, 100));
  }
  if (!is_repository(event.repository)) throw UsageError("GITHUB_REPOSITORY is not owner/name");
  read_sender(payload, &event);
  if (name == "issues") {
    read_label(payload, inputs, &event);
  } else if (name == "issue_comment") {
    read_comment(payload, inputs, &event);
  } else if (name == "workflow_dispatch") {
    read_manual(payload, inputs, &event);
  } else {
    throw NotForUs("the event is '" + name +
                   "'; the bot starts with issues, issue_comment and workflow_dispatch");
  }
  event.sha = environment.required("GITHUB_SHA");
  if (!is_sha(event.sha)) throw UsageError("GITHUB_SHA is not a commit's name");
  event.branch = inputs.base_branch ? *inputs.base_branch : branch_of(payload, event);
  if (!is_branch_name(event.branch)) throw UsageError("the event's branch has no valid name");
  event.run_id = environment.required("GITHUB_RUN_ID");
  if (event.run_id.find_first_not_of("0123456789") != std::string::npos) {
    throw UsageError("GITHUB_RUN_ID is not a number");
  }
  event.run_url = environment.find("GITHUB_SERVER_URL").value_or("https://github.com") + "/" +
                  event.repository + "/actions/runs/" + event.run_id;
  return event;
}

}  // namespace dsv4::agent::github
