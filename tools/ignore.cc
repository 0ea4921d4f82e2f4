#include "tools/ignore.h"

#include <algorithm>
#include <iterator>

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
    constexpr std::string_view kWild = "*?[\\";
    if (line.find_first_of(kWild) == std::string_view::npos) {
      pattern.kind = Pattern::Kind::kWhole;
    } else if (line.starts_with('*') && !pattern.anchored &&
               line.find_first_of(kWild, 1) == std::string_view::npos) {
      pattern.kind = Pattern::Kind::kEnding;
      line.remove_prefix(1);
    }
    pattern.glob = line;
    result.push_back(std::move(pattern));
  }
  return result;
}

bool Ignore::Pattern::matches(std::string_view subject) const {
  if (kind == Kind::kWhole) return subject == glob;
  if (kind == Kind::kEnding) return subject.ends_with(glob) && subject.find('/') == subject.npos;
  return glob_matches(glob, subject);
}

Ignore::LevelPointer Ignore::entered(LevelPointer above, const std::string& directory,
                                     bool has_file) const {
  Patterns patterns = directory.empty() ? parsed(kAlways) : Patterns();
  const std::string path = directory.empty() ? ".gitignore" : directory + "/.gitignore";
  std::vector<char> buffer;
  if (has_file) {  // one that cannot be read ignores nothing
    const auto text = tree_.try_read(path, kIgnoreFileLimit, buffer);
    Patterns own = parsed(text.value_or(""));
    std::move(own.begin(), own.end(), std::back_inserter(patterns));
  }
  if (patterns.empty()) return above;
  const size_t skipped = directory.empty() ? 0 : directory.size() + 1;
  return std::make_shared<const Level>(Level{std::move(above), skipped, std::move(patterns)});
}

Ignore::LevelPointer Ignore::around(const std::string& directory) const {
  LevelPointer level;
  for (size_t end = 0; end < directory.size();) {  // from the root down
    const std::string above = directory.substr(0, end);
    const std::string file = end == 0 ? ".gitignore" : above + "/.gitignore";
    level = entered(std::move(level), above, S_ISREG(tree_.status(file).st_mode));
    end = std::min(directory.find('/', end == 0 ? 0 : end + 1), directory.size());
  }
  return level;
}

bool Ignore::ignored(const Level* level, std::string_view path, bool is_directory) {
  const std::string_view name = path.substr(path.rfind('/') + 1);  // all of it without a slash
  for (; level; level = level->above.get()) {
    for (auto pattern = level->patterns.rbegin(); pattern != level->patterns.rend(); ++pattern) {
      if (pattern->directory_only && !is_directory) continue;
      if (pattern->matches(pattern->anchored ? path.substr(level->skipped) : name)) {
        return !pattern->negated;
      }
    }
  }
  return false;
}

// What holds inside the directory.
Ignore::LevelPointer Ignore::level_of(const std::string& directory) const {
  const auto known = levels_.find(directory);
  if (known != levels_.end()) return known->second;
  LevelPointer above;
  if (!directory.empty()) {
    const size_t slash = directory.rfind('/');
    above = level_of(slash == std::string::npos ? "" : directory.substr(0, slash));
  }
  const std::string file = directory.empty() ? ".gitignore" : directory + "/.gitignore";
  const bool has_file = S_ISREG(tree_.status(file).st_mode);
  return levels_.emplace(directory, entered(std::move(above), directory, has_file)).first->second;
}

bool Ignore::ignored(const std::string& path, bool is_directory) const {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "" : path.substr(0, slash);
  return ignored(level_of(directory).get(), path, is_directory);
}

bool Ignore::inside_ignored(const std::string& path) const {
  for (size_t slash = path.find('/'); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    if (ignored(path.substr(0, slash), true)) return true;
  }
  return ignored(path, S_ISDIR(tree_.status(path).st_mode));
}

}  // namespace dsv4::tools
