#include "agent/github/path_rules.h"

#include <algorithm>
#include <array>
#include <vector>

#include "agent/github/invisible.h"
#include "agent/printable.h"
#include "sandbox/protected_names.h"

namespace dsv4::agent::github {
namespace {

// At any depth, in small letters, beside sandbox/protected_names.h: what a service acts on, and
// what git runs for people.
constexpr auto kFolders =
    std::to_array<std::string_view>({".teamcity", ".azure-pipelines", ".semaphore", ".builds",
                                     ".git-hooks", "githooks", "git-hooks", ".hooks"});
constexpr auto kFiles = std::to_array<std::string_view>(
    {"action.yml", "action.yaml", ".build.yml", "buildspec.yml", "codeowners", ".mergify.yml",
     "renovate.json", "dependabot.yml", "netlify.toml", "vercel.json", ".overcommit.yml",
     ".huskyrc", ".huskyrc.json"});
constexpr auto kEditorFolders =
    std::to_array<std::string_view>({".vscode", ".idea", ".devcontainer", ".fleet", ".zed"});
constexpr auto kGitFiles =
    std::to_array<std::string_view>({".gitmodules", ".gitattributes", ".gitconfig", ".envrc"});

template <size_t N>
bool is_in(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The name as a file system might read it that ignores case, characters that are not seen, dots and
// blanks at the end, and what follows a colon.
std::string folded(std::string_view name) {
  std::string out = without_invisible(name).text;
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  out.resize(std::min(out.find(':'), out.size()));
  while (!out.empty() && (out.back() == '.' || out.back() == ' ')) out.pop_back();
  return out;
}

std::optional<std::string> why_not_name(std::string_view name, bool folder) {
  if (name.empty() || name == "." || name == "..") return "is no plain path";
  const std::string plain = folded(name);
  if (plain.empty()) return "is no plain path";
  if (plain == ".git" || (plain.starts_with("git~") && plain.size() <= 6)) {
    return "is git's own";
  }
  const bool known = sandbox::ProtectedNames().hold(plain) || is_in(kFolders, plain) ||
                     (!folder && is_in(kFiles, plain));
  if (known) return "is part of the continuous integration, or a hook";
  if (is_in(kEditorFolders, plain)) return "is what an editor acts on";
  if (!folder && is_in(kGitFiles, plain)) return "is what git or a shell acts on";
  if (!folder && plain == ".dsv4-agent.toml") return "says how this bot works";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> why_not_touch(std::string_view path) {
  if (path.empty() || path.size() > 1000 || !is_utf8(path)) return "is no plain path";
  if (path.find('\\') != std::string_view::npos || printable(path) != path ||
      without_invisible(path).characters > 0 ||
      path.find_first_of("\n\t") != std::string_view::npos) {
    return "has characters in its name that are read in different ways";
  }
  for (size_t at = 0; at <= path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    if (auto why = why_not_name(path.substr(at, end - at), end < path.size())) return why;
    at = end + 1;
  }
  return std::nullopt;
}

}  // namespace dsv4::agent::github
