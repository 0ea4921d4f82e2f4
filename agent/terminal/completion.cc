#include "agent/terminal/completion.h"

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
  }
  return out;
}

}  // namespace dsv4::agent::terminal
