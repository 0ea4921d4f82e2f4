#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "agent/chat.h"
#include "agent/error.h"
#include "agent/printable.h"
#include "agent/prompt.h"

namespace dsv4::agent {
namespace {

namespace fs = std::filesystem;

// The words that begin with @, without it and without punctuation behind them; each once.
std::vector<std::string> named_paths(const std::string& message) {
  std::vector<std::string> paths;
  std::istringstream words(message);
  for (std::string word; words >> word;) {
    if (word.size() < 2 || word[0] != '@') continue;
    std::string path = word.substr(1);
    while (!path.empty() && std::string_view(".,;:!?)").find(path.back()) != std::string::npos) {
      path.pop_back();
    }
    if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
  }
  return paths;
}

std::optional<std::string> text_of(const fs::path& file) {
  std::error_code error;
  if (!fs::is_regular_file(file, error) || fs::file_size(file, error) > kLargestShown) {
    return std::nullopt;
  }
  std::ifstream in(file, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (text.find('\0') != std::string::npos) return std::nullopt;
  text = to_utf8(text);
  if (!text.empty() && text.back() != '\n') text += '\n';
  return text;
}

// Where the path lies if it is one of the copy: links out of it do not count.
std::optional<fs::path> inside(const fs::path& root, const std::string& path) {
  std::error_code error;
  const fs::path real = fs::weakly_canonical(root / path, error);
  const fs::path base = fs::weakly_canonical(root, error);
  const fs::path relative = real.lexically_relative(base);
  if (error || relative.empty() || *relative.begin() == ".." || *relative.begin() == ".git") {
    return std::nullopt;
  }
  return real;
}

std::optional<fs::path> anywhere(const std::string& path) {
  if (path.starts_with("~/")) {
    const char* home = std::getenv("HOME");
    return home == nullptr ? std::nullopt : std::optional(fs::path(home) / path.substr(2));
  }
  return path.starts_with("/") || path.starts_with("../") ? std::optional(fs::path(path))
                                                          : std::nullopt;
}

bool is_shown(const RepositoryContext& context, const std::string& path, const std::string& text) {
  return std::any_of(context.files.begin(), context.files.end(), [&](const ContextFile& file) {
    return !file.outline && file.path == path && file.text == text;
  });
}

}  // namespace

std::string message_text(const std::string& message, const fs::path& root,
                         const RepositoryContext& context, bool typed) {
  std::string text = message;
  for (const std::string& path : named_paths(message)) {
    std::optional<fs::path> file = path.starts_with("/") ? std::nullopt : inside(root, path);
    if (!file && typed) file = anywhere(path);
    const auto content = file ? text_of(*file) : std::nullopt;
    if (!content || is_shown(context, path, *content)) continue;
    text += "\n\n" + file_text({to_utf8(path), *content, false});
  }
  return text;
}

bool reads_as_issue(const std::string& message) {
  constexpr int kFewest = 3;
  std::istringstream in(message);
  int words = 0;
  std::string word;
  std::string last;
  for (; in >> word; ++words) last = word;
  return words >= kFewest && last.back() != '?';
}

}  // namespace dsv4::agent
