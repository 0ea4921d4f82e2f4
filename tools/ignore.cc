#include "tools/ignore.h"

#include <algorithm>
#include <functional>

#include "tools/error.h"
#include "tools/text.h"

namespace dsv4::tools {
namespace {

constexpr std::string_view kAlways =
    "__pycache__/\n*.pyc\n*.pyo\n.pytest_cache/\n.mypy_cache/\n.ruff_cache/\n*.o\n*.obj\n*.gch\n"
    "CMakeFiles/\nCMakeCache.txt\nnode_modules/\n.dsv4/\n";

constexpr size_t kIgnoreFileLimit = 1 << 20;

// One character class from pattern[at] (a '['): whether it holds `c`, and where it ends; `end` is 0
// for one that is not closed.
bool in_class(std::string_view pattern, size_t at, char c, size_t& end) {
  size_t k = at + 1;
  const bool negated = k < pattern.size() && (pattern[k] == '!' || pattern[k] == '^');
  if (negated) ++k;
  bool found = false;
  for (const size_t first = k; k < pattern.size(); ++k) {
    if (pattern[k] == ']' && k > first) {
      end = k + 1;
      return found != negated && c != '/';
    }
    if (pattern[k] == '\\' && k + 1 < pattern.size()) ++k;
    const char low = pattern[k];
    char high = low;
    if (k + 2 < pattern.size() && pattern[k + 1] == '-' && pattern[k + 2] != ']') {
      high = pattern[k + 2];
      k += 2;
    }
    found = found || (low <= c && c <= high);
  }
  end = 0;
  return false;
}

class Glob {
 public:
  Glob(std::string_view pattern, std::string_view path) : pattern_(pattern), path_(path) {}

  bool matches(size_t p, size_t s) {
    for (; p < pattern_.size(); ++p) {
      if (--steps_ < 0) return false;
      const char c = pattern_[p];
      if (c == '*') return star(p, s);
      if (s == path_.size()) return false;
      if (c == '?') {
        if (path_[s] == '/') return false;
      } else if (c == '[') {
        size_t end = 0;
        const bool inside = in_class(pattern_, p, path_[s], end);
        if (!inside) return false;
        p = end - 1;
      } else {
        if (c == '\\' && p + 1 < pattern_.size()) ++p;
        if (pattern_[p] != path_[s]) return false;
      }
      ++s;
    }
    return s == path_.size();
  }

 private:
  bool star(size_t p, size_t s) {
    const bool at_start = p == 0 || pattern_[p - 1] == '/';
    size_t after = p;
    while (after < pattern_.size() && pattern_[after] == '*') ++after;
    const bool deep =
        after - p == 2 && at_start && (after == pattern_.size() || pattern_[after] == '/');
    if (deep && after == pattern_.size()) return s < path_.size();
    if (deep) {  // "**/" stands for any number of directories, none included
      for (;;) {
        if (matches(after + 1, s)) return true;
        s = path_.find('/', s);
        if (s == std::string_view::npos || steps_ < 0) return false;
        ++s;
      }
    }
    for (;; ++s) {
      if (matches(after, s)) return true;
      if (s == path_.size() || path_[s] == '/' || steps_ < 0) return false;
    }
  }

  std::string_view pattern_;
  std::string_view path_;
  int steps_ = 20000;
};

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view path) {
  return Glob(pattern, path).matches(0, 0);
}

Ignore::Patterns Ignore::parsed(std::string_view text) {
  Patterns result;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (std::string_view line : split_lines(text)) {
    while (line.ends_with(' ') && !line.ends_with("\\ ")) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    Pattern pattern;
    if (line.starts_with('!')) {
      pattern.negated = true;
      line.remove_prefix(1);
    }
    if (line.ends_with('/')) {
      pattern.directory_only = true;
      line.remove_suffix(1);
    }
    pattern.anchored = line.find('/') != std::string_view::npos;
    if (line.starts_with('/')) line.remove_prefix(1);
    if (line.empty()) continue;
    pattern.glob = line;
    result.push_back(std::move(pattern));
  }
  return result;
}

const Ignore::Patterns& Ignore::of_directory(const std::string& directory) const {
  const auto known = files_.find(directory);
  if (known != files_.end()) return known->second;
  const std::string path = directory.empty() ? ".gitignore" : directory + "/.gitignore";
  Patterns patterns = directory.empty() ? parsed(kAlways) : Patterns();
  if (S_ISREG(tree_.status(path).st_mode)) {
    try {
      Patterns own = parsed(tree_.read(path, kIgnoreFileLimit).bytes);
      std::move(own.begin(), own.end(), std::back_inserter(patterns));
    } catch (const ToolError&) {  // one that cannot be read ignores nothing
    }
  }
  return files_.emplace(directory, std::move(patterns)).first->second;
}

bool Ignore::ignored(const std::string& path, bool is_directory) const {
  const size_t name_at = path.rfind('/') + 1;  // 0 when there is no slash
  std::string directory = name_at == 0 ? "" : path.substr(0, name_at - 1);
  for (;;) {
    const std::string_view below =
        std::string_view(path).substr(directory.empty() ? 0 : directory.size() + 1);
    const Patterns& patterns = of_directory(directory);
    for (auto pattern = patterns.rbegin(); pattern != patterns.rend(); ++pattern) {
      if (pattern->directory_only && !is_directory) continue;
      const std::string_view subject =
          pattern->anchored ? below : std::string_view(path).substr(name_at);
      if (glob_matches(pattern->glob, subject)) return !pattern->negated;
    }
    if (directory.empty()) return false;
    const size_t slash = directory.rfind('/');
    directory.resize(slash == std::string::npos ? 0 : slash);
  }
}

bool Ignore::inside_ignored(const std::string& path) const {
  for (size_t slash = path.find('/'); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    if (ignored(path.substr(0, slash), true)) return true;
  }
  return ignored(path, S_ISDIR(tree_.status(path).st_mode));
}

std::vector<std::string> project_files(const WorkTree& tree, const std::string& path) {
  std::vector<std::string> result;
  const Ignore ignore(tree);
  std::vector<std::string> pending{path};
  while (!pending.empty()) {
    const std::string directory = std::move(pending.back());
    pending.pop_back();
    std::vector<DirectoryEntry> entries;
    try {
      entries = tree.entries(directory);
    } catch (const ToolError&) {  // gone or not readable: nothing to see there
      continue;
    }
    for (const DirectoryEntry& entry : entries) {
      const std::string name = directory.empty() ? entry.name : directory + "/" + entry.name;
      const bool is_directory = S_ISDIR(entry.mode);
      if (!is_directory && !S_ISREG(entry.mode)) continue;
      if (name.size() > WorkTree::kPathLimit || ignore.ignored(name, is_directory)) continue;
      (is_directory ? pending : result).push_back(name);
    }
  }
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace dsv4::tools
