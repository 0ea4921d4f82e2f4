#include "agent/terminal/completion.h"

#include <optional>
#include <set>

#include "agent/terminal/slash.h"

namespace dsv4::agent::terminal {
namespace {

constexpr size_t kMost = 100;

// "src/" for src/a.cc and src/b.cc, and a whole name where nothing is below it.
std::set<std::string> next_parts(const std::string& begun, const std::vector<std::string>& paths) {
  std::set<std::string> parts;
  for (const std::string& path : paths) {
    if (!path.starts_with(begun)) continue;
    const size_t slash = path.find('/', begun.size());
    parts.insert(slash == std::string::npos ? path : path.substr(0, slash + 1));
    if (parts.size() == kMost) break;
  }
  return parts;
}

std::set<std::string> by_name(const std::string& part, const std::vector<std::string>& paths) {
  std::set<std::string> found;
  for (const std::string& path : paths) {
    if (path.find(part, path.rfind('/') + 1) == std::string::npos) continue;
    found.insert(path);
    if (found.size() == kMost) break;
  }
  return found;
}

constexpr size_t kShown = 6;

Line usage_line(const SlashCommand& command) {
  Line line(slash_usage(command), Style::kStrong);
  return line.add("  " + std::string(command.summary), Style::kDim).fold(Line::Fold::kClip);
}

const SlashCommand* command_named(std::string_view name) {
  for (const SlashCommand& command : slash_commands()) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

Line suggestion(const std::string& candidate) {
  const SlashCommand* command =
      candidate.starts_with("/") ? command_named(std::string_view(candidate).substr(1)) : nullptr;
  return command != nullptr ? usage_line(*command) : Line(candidate).fold(Line::Fold::kClip);
}

}  // namespace

Completion complete_input(const std::string& text, size_t cursor,
                          const std::vector<std::string>& paths) {
  Completion out;
  const std::string before = text.substr(0, cursor);
  const size_t blank = before.find_last_of(" \t\n");
  out.from = blank == std::string::npos ? 0 : blank + 1;
  const std::string word = before.substr(out.from);
  if (word.starts_with("@")) {
    const std::string begun = word.substr(1);
    std::set<std::string> found = next_parts(begun, paths);
    if (found.empty() && !begun.empty()) found = by_name(begun, paths);
    for (const std::string& path : found) out.candidates.push_back("@" + path);
  } else if (word.starts_with("/") && out.from == 0) {
    for (const SlashCommand& command : slash_commands()) {
      const std::string name = "/" + std::string(command.name);
      if (name.starts_with(word)) out.candidates.push_back(name);
    }
  } else if (before.starts_with("/approve ") && before.find_first_of(" \t\n") + 1 == out.from) {
    for (const Approval approval : {Approval::kReadOnly, Approval::kAsk, Approval::kAuto}) {
      const std::string name(approval_name(approval));
      if (name.starts_with(word)) out.candidates.push_back(name);
    }
  }
  return out;
}

Lines suggestions(const std::string& text, size_t cursor, const std::vector<std::string>& paths) {
  const Completion found = complete_input(text, cursor, paths);
  const bool there = found.candidates.size() == 1 &&
                     found.candidates[0] == text.substr(found.from, cursor - found.from);
  const bool path = !found.candidates.empty() && found.candidates[0].starts_with("@");
  Lines lines;
  if (there && path) return lines;
  if (found.candidates.empty()) {
    const std::optional<Slash> slash = parse_slash(text);
    if (slash && slash->command != nullptr) lines.push_back(usage_line(*slash->command));
    return lines;
  }
  // One row too many is as long as the words that say so.
  const size_t count = found.candidates.size();
  const size_t shown = count <= kShown + 1 ? count : kShown;
  for (size_t i = 0; i < shown; ++i) lines.push_back(suggestion(found.candidates[i]));
  if (count > shown) {
    lines.push_back(Line("... " + std::to_string(count - shown) + " more", Style::kDim));
  }
  return lines;
}

}  // namespace dsv4::agent::terminal
