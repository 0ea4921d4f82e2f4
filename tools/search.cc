#include "tools/search.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <memory>

#include "tools/error.h"
#include "tools/ignore.h"
#include "tools/text.h"
#include "tools/workspace.h"

namespace dsv4::tools {
namespace {

constexpr size_t kResults = 500;
constexpr size_t kLineShown = 300;
constexpr size_t kFileLimit = 8 << 20;
constexpr size_t kGlobs = 64;
constexpr uint32_t kMatchSteps = 1'000'000;  // for one line
constexpr std::chrono::seconds kTime{20};    // for one call

// A compiled pattern that gives up instead of backtracking without end.
class Regex {
 public:
  explicit Regex(const std::string& pattern) {
    int code = 0;
    PCRE2_SIZE offset = 0;
    code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                              PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C, &code,
                              &offset, nullptr));
    if (!code_) {
      std::array<PCRE2_UCHAR, 200> message{};
      pcre2_get_error_message(code, message.data(), message.size());
      throw ToolError("search: the pattern is no regular expression (" +
                      std::string(reinterpret_cast<const char*>(message.data())) +
                      " at character " + std::to_string(offset) +
                      "); put a backslash before special characters.");
    }
    pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE);
    data_.reset(pcre2_match_data_create(1, nullptr));
    context_.reset(pcre2_match_context_create(nullptr));
    pcre2_set_match_limit(context_.get(), kMatchSteps);
    pcre2_set_depth_limit(context_.get(), 10'000);
    pcre2_set_heap_limit(context_.get(), 20'000);  // KiB
  }

  enum class Found { kYes, kNo, kTooCostly };
  Found find(std::string_view line) const {
    const int result = pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(line.data()),
                                   line.size(), 0, 0, data_.get(), context_.get());
    if (result >= 0) return Found::kYes;
    return result == PCRE2_ERROR_NOMATCH ? Found::kNo : Found::kTooCostly;
  }

 private:
  template <auto Free>
  struct Freed {
    template <typename T>
    void operator()(T* object) const {
      Free(object);
    }
  };
  std::unique_ptr<pcre2_code, Freed<pcre2_code_free>> code_;
  std::unique_ptr<pcre2_match_data, Freed<pcre2_match_data_free>> data_;
  std::unique_ptr<pcre2_match_context, Freed<pcre2_match_context_free>> context_;
};

// The first {a,b} of a glob written out, again and again; at most kGlobs results.
std::vector<std::string> without_braces(const std::string& glob) {
  std::vector<std::string> done;
  std::vector<std::string> pending{glob};
  while (!pending.empty() && done.size() + pending.size() < kGlobs) {
    const std::string next = std::move(pending.back());
    pending.pop_back();
    const size_t open = next.find('{');
    const size_t close = open == std::string::npos ? open : next.find('}', open);
    if (close == std::string::npos) {
      done.push_back(next);
      continue;
    }
    size_t begin = open + 1;
    while (begin <= close && pending.size() < kGlobs) {
      const size_t end = std::min(next.find(',', begin), close);
      pending.push_back(next.substr(0, open) + next.substr(begin, end - begin) +
                        next.substr(close + 1));
      begin = end + 1;
    }
  }
  std::move(pending.begin(), pending.end(), std::back_inserter(done));  // as they are
  return done;
}

// ripgrep's --glob: matched against the name, or the whole path when it has a slash; with ! the
// files that do not match.
class FileFilter {
 public:
  explicit FileFilter(std::string glob) {
    if (glob.empty()) return;
    if (glob.starts_with('!')) {
      negated_ = true;
      glob.erase(0, 1);
    }
    for (std::string& one : without_braces(glob)) {
      const bool whole = one.find('/') != std::string::npos;
      if (one.starts_with('/')) one.erase(0, 1);
      if (one.ends_with('/')) one += "**";
      globs_.push_back({whole, std::move(one)});
    }
  }

  bool lets_through(const std::string& path) const {
    for (const auto& [whole, glob] : globs_) {
      const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
      if (glob_matches(glob, whole ? std::string_view(path) : name)) return !negated_;
    }
    return negated_ || globs_.empty();
  }

  // ripgrep passes over hidden files unless the glob asks for them.
  bool names_hidden() const {
    for (const auto& [whole, glob] : globs_) {
      if (glob.starts_with('.') || glob.find("/.") != std::string::npos) return true;
    }
    return false;
  }

 private:
  bool negated_ = false;
  std::vector<std::pair<bool, std::string>> globs_;
};

bool is_hidden(std::string_view path) {
  return path.starts_with('.') || path.find("/.") != std::string_view::npos;
}

class Searcher {
 public:
  Searcher(const WorkTree& files, const Regex& regex, std::stop_token cancel)
      : files_(files), regex_(regex), cancel_(std::move(cancel)) {}

  bool full() const { return full_; }

  void search(const std::string& path) {
    FileContent content;
    try {
      content = files_.read(path, kFileLimit);
    } catch (const ToolError&) {
      ++skipped_;
      return;
    }
    if (is_binary(content.bytes)) return;
    size_t number = 0;
    for (const std::string_view line : split_lines(content.bytes)) {
      ++number;
      if (number % 256 == 0 && out_of_time()) return;
      const Regex::Found found = regex_.find(line);
      if (found == Regex::Found::kTooCostly) {
        throw ToolError("search: the pattern takes too long on " + shown(path) + " line " +
                        std::to_string(number) + "; make it simpler, without nested repeats.");
      }
      if (found == Regex::Found::kNo) continue;
      if (count_++ == kResults) {
        full_ = true;
        return;
      }
      text_ += (text_.empty() ? "" : "\n") + shown(path) + ":" + std::to_string(number) + ":" +
               clipped(line, kLineShown);
    }
    out_of_time();
  }

  std::string result(const std::string& pattern) const {
    std::string text = text_.empty() ? "No match for " + clipped(pattern, 200) + "." : text_;
    if (count_ > kResults) {
      text += "\n[... more than " + std::to_string(kResults) +
              " matches; give path or glob, or a narrower pattern ...]";
    } else if (full_) {
      text += "\n[... stopped after " + std::to_string(kTime.count()) +
              " s; give path or glob to search less ...]";
    }
    if (skipped_ > 0) {
      text += "\n[... " + std::to_string(skipped_) + " files too large or not readable ...]";
    }
    return text;
  }

 private:
  bool out_of_time() {
    full_ = full_ || cancel_.stop_requested() || std::chrono::steady_clock::now() - start_ > kTime;
    return full_;
  }

  const WorkTree& files_;
  const Regex& regex_;
  std::stop_token cancel_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::string text_;
  size_t count_ = 0;
  size_t skipped_ = 0;
  bool full_ = false;
};

}  // namespace

Outcome run_search(Workspace& workspace, const Arguments& arguments, std::stop_token cancel) {
  const std::string pattern = *arguments.text("pattern");
  const std::string path = WorkTree::clean(arguments.text("path").value_or(""));
  const FileFilter filter(arguments.text("glob").value_or(""));
  const Regex regex(pattern);
  Searcher searcher(workspace.files, regex, std::move(cancel));
  const mode_t mode = workspace.files.status(path).st_mode;
  if (!S_ISDIR(mode)) {
    workspace.files.read(path, kFileLimit);  // says why it cannot be searched
    searcher.search(path);
    return {.text = searcher.result(pattern)};
  }
  const bool hidden = filter.names_hidden() || is_hidden(path);
  for (const std::string& file : project_files(workspace.files, path)) {
    if (searcher.full()) break;
    if ((!hidden && is_hidden(file)) || !filter.lets_through(file)) continue;
    searcher.search(file);
  }
  return {.text = searcher.result(pattern)};
}

}  // namespace dsv4::tools
