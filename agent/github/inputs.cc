#include "agent/github/inputs.h"

#include <git2.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "agent/error.h"
#include "agent/git.h"
#include "agent/printable.h"

namespace dsv4::agent::github {
namespace {

constexpr std::array kInputs = {
    InputRow{"issue", "", "number of the issue, for a manual run"},
    InputRow{"repo", ".", "directory in the checkout that the task is about"},
    InputRow{"test", "", "command that decides; else what is detected"},
    InputRow{"setup", "", "command run once in every fresh copy, before its tests"},
    InputRow{"model", "", "directory of a DeepSeek-V4 checkpoint; else the embedded model"},
    InputRow{"endpoint", "",
             "URL of an OpenAI-compatible server, in place of a model; its key is the variable "
             "DSV4_API_KEY"},
    InputRow{"attempts", "", "attempts, each from the start; 8 when left out"},
    InputRow{"parallel", "", "attempts at the same time; 1 when left out"},
    InputRow{"max-turns", "", "turns of one attempt"},
    InputRow{"max-tokens", "", "tokens generated in one attempt"},
    InputRow{"time-limit", "", "for everything, such as 20m; 30m when left out"},
    InputRow{"seed", "", "of the later attempts"},
    InputRow{"allow-net", "", "HOST:PORT,... that commands may reach; none when left out"},
    InputRow{"allowed-actors", "",
             "who may start a run, separated by commas, bots too; else "
             "everybody with write access who is no bot"},
    InputRow{"label", "dsv4-agent", "label that starts a run when it is put on an issue"},
    InputRow{"phrase", "/dsv4 fix", "starts a run at the beginning of a line of a comment"},
    InputRow{"labels", "", "put on the pull request, separated by commas"},
    InputRow{"base-branch", "", "branch to start from and to merge into; else the event's"},
    InputRow{"branch-prefix", "dsv4-agent/", "before `issue-N`: the branch of the patch"},
    InputRow{"progress", "auto",
             "auto: one comment on the issue says how far the run is, where the "
             "token may write one; off: it says only how it ended"},
    InputRow{"out", "dsv4-agent-out",
             "directory of patch, report and logs, outside of the checkout"},
};

std::vector<std::string> listed(const std::string& text) {
  std::vector<std::string> out;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find_first_of(",\n", at), text.size());
    const std::string word = text.substr(at, end - at);
    const size_t first = word.find_first_not_of(" \t\r");
    if (first != std::string::npos) {
      out.push_back(word.substr(first, word.find_last_not_of(" \t\r") - first + 1));
    }
    at = end + 1;
  }
  return out;
}

std::string text_of(const Environment& environment, std::string_view name) {
  const auto row = std::find_if(kInputs.begin(), kInputs.end(),
                                [&](const InputRow& each) { return each.name == name; });
  return environment.find(input_variable(name)).value_or(std::string(row->fallback));
}

std::string one_line(const Environment& environment, std::string_view name) {
  std::string text = text_of(environment, name);
  if (text.find_first_of("\n\r") != std::string::npos) {
    throw UsageError("the input " + std::string(name) + " has more than one line");
  }
  return text;
}

std::optional<std::string> given(const Environment& environment, std::string_view name) {
  std::string text = one_line(environment, name);
  if (text.find_first_not_of(" \t") == std::string::npos) return std::nullopt;
  return text;
}

// A directory inside the checkout; links are looked at when it is opened.
std::string inner_directory(const std::string& text) {
  const std::filesystem::path path = std::filesystem::path(text).lexically_normal();
  const bool outside = path.is_absolute() || (!path.empty() && *path.begin() == "..");
  if (outside) {
    throw UsageError("the input repo: " + printable_line(text, 100) +
                     " is not a directory inside the checkout");
  }
  const std::string plain = path.generic_string();
  if (plain == "." || plain.empty()) return "";
  return plain.ends_with('/') ? plain.substr(0, plain.size() - 1) : plain;
}

}  // namespace

std::span<const InputRow> input_table() { return kInputs; }

std::string input_variable(std::string_view name) {
  std::string out = "INPUT_" + std::string(name);
  for (char& c : out) {
    if (c == '-') c = '_';
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return out;
}

bool is_branch_name(const std::string& name) {
  const GitLibrary library;
  int valid = 0;
  return git_branch_name_is_valid(&valid, name.c_str()) == 0 && valid == 1;
}

Inputs read_inputs(const Environment& environment) {
  Inputs out;
  if (const auto text = given(environment, "issue")) {
    int64_t number = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (error != std::errc() || end != text->data() + text->size() || number < 1) {
      throw UsageError("the input issue: " + printable_line(*text, 40) +
                       " is not an issue's number");
    }
    out.issue = number;
  }
  out.repo = inner_directory(one_line(environment, "repo"));
  out.setup = given(environment, "setup");
  out.label = one_line(environment, "label");
  out.phrase = one_line(environment, "phrase");
  out.allowed_actors = listed(text_of(environment, "allowed-actors"));
  out.labels = listed(text_of(environment, "labels"));
  out.base_branch = given(environment, "base-branch");
  out.branch_prefix = one_line(environment, "branch-prefix");
  out.out = one_line(environment, "out");
  const std::string progress = one_line(environment, "progress");
  if (progress != "auto" && progress != "off") {
    throw UsageError("the input progress: " + printable_line(progress, 40) + " is not auto or off");
  }
  out.progress = progress == "auto";
  if (!is_branch_name(out.branch_prefix + "issue-1")) {
    throw UsageError("the input branch-prefix: " + printable_line(out.branch_prefix, 100) +
                     " does not make a branch's name");
  }
  if (out.base_branch && !is_branch_name(*out.base_branch)) {
    throw UsageError("the input base-branch: " + printable_line(*out.base_branch, 100) +
                     " is not a branch's name");
  }
  for (const char* name : {"test", "model", "endpoint", "attempts", "parallel", "max-turns",
                           "max-tokens", "time-limit", "seed", "allow-net"}) {
    if (const auto value = given(environment, name)) {
      out.fix_flags.push_back("--" + std::string(name) + "=" + *value);
    }
  }
  return out;
}

}  // namespace dsv4::agent::github
