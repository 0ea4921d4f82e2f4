#include "tools/search.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iterator>
#include <mutex>

#include "tools/error.h"
#include "tools/ignore.h"
#include "tools/line_pattern.h"
#include "tools/parallel.h"
#include "tools/text.h"
#include "tools/walk.h"
#include "tools/workspace.h"

namespace dsv4::tools {
namespace {

constexpr size_t kResults = 500;
constexpr size_t kLineShown = 300;
constexpr size_t kFileLimit = 8 << 20;
constexpr size_t kGlobs = 64;
constexpr size_t kBatch = 64;              // files that a thread takes at a time
constexpr std::chrono::seconds kTime{20};  // for one call

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

// What was found in some files that follow each other.
struct Batch {
  std::vector<std::string> lines{};  // as shown, at most one more than kResults
  size_t skipped = 0;
  std::string problem{};  // why nothing more was looked at
  bool done = false;
};

// One call. Files are searched by several threads, and the result is what one would have found.
class Searcher {
 public:
  Searcher(const WorkTree& files, const LinePattern& pattern, std::stop_token cancel)
      : files_(files), pattern_(pattern), cancel_(std::move(cancel)) {}

  void search_text(const std::string& path, std::string_view text) {
    LinePattern::Matcher matcher(pattern_);
    batches_.resize(1);
    look_in(path, text, matcher, batches_[0]);
    batches_[0].done = true;
  }

  void search_files(const std::vector<std::string>& paths) {
    batches_.resize((paths.size() + kBatch - 1) / kBatch);
    const size_t threads = std::min(thread_count(), (batches_.size() + 1) / 2);
    on_threads(std::max<size_t>(1, threads), [&](size_t) { work(paths); });
  }

  std::string result(const std::string& pattern) const {
    std::string text;
    size_t count = 0;
    size_t skipped = 0;
    for (const Batch& batch : batches_) {
      for (const std::string& line : batch.lines) {
        if (count++ == kResults) break;
        text += (text.empty() ? "" : "\n") + line;
      }
      if (count > kResults) break;
      if (!batch.problem.empty()) throw ToolError(batch.problem);
      skipped += batch.skipped;
    }
    if (count == 0) text = "No match for " + clipped(pattern, 200) + ".";
    if (count > kResults) {
      text += "\n[... more than " + std::to_string(kResults) +
              " matches; give path or glob, or a narrower pattern ...]";
    } else if (late_) {
      text += "\n[... stopped after " + std::to_string(kTime.count()) +
              " s; give path or glob to search less ...]";
    }
    if (skipped > 0) {
      text += "\n[... " + std::to_string(skipped) + " files too large or not readable ...]";
    }
    return text;
  }

 private:
  void work(const std::vector<std::string>& paths) {
    LinePattern::Matcher matcher(pattern_);
    std::vector<char> buffer;
    while (!enough_) {
      const size_t number = next_++;
      if (number >= batches_.size()) return;
      Batch& batch = batches_[number];
      const size_t end = std::min(paths.size(), (number + 1) * kBatch);
      for (size_t k = number * kBatch; k < end && goes_on(batch); ++k) {
        const auto text = files_.try_read(paths[k], kFileLimit, buffer);
        if (text) {
          look_in(paths[k], *text, matcher, batch);
        } else {
          ++batch.skipped;
        }
      }
      finish(batch);
    }
  }

  bool goes_on(const Batch& batch) {
    return batch.problem.empty() && batch.lines.size() <= kResults && !out_of_time();
  }

  // Once the batches up to one hold enough, those behind it do not matter.
  void finish(Batch& batch) {
    const std::lock_guard lock(mutex_);
    batch.done = true;
    for (; finished_ < batches_.size() && batches_[finished_].done; ++finished_) {
      found_ += batches_[finished_].lines.size();
      if (found_ > kResults || !batches_[finished_].problem.empty()) enough_ = true;
    }
  }

  void look_in(const std::string& path, std::string_view text, LinePattern::Matcher& matcher,
               Batch& batch) {
    if (is_binary(text)) return;
    const auto costly = matcher.find(text, [&](size_t number, std::string_view line) {
      batch.lines.push_back(shown(path) + ":" + std::to_string(number) + ":" +
                            clipped(line, kLineShown));
      return batch.lines.size() <= kResults;
    });
    if (costly) {
      batch.problem = "search: the pattern takes too long on " + shown(path) + " line " +
                      std::to_string(*costly) + "; make it simpler, without nested repeats.";
    }
  }

  bool out_of_time() {
    if (cancel_.stop_requested() || std::chrono::steady_clock::now() - start_ > kTime) {
      late_ = enough_ = true;
    }
    return late_;
  }

  const WorkTree& files_;
  const LinePattern& pattern_;
  std::stop_token cancel_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::vector<Batch> batches_;
  std::atomic<size_t> next_ = 0;
  std::atomic<bool> enough_ = false;
  std::atomic<bool> late_ = false;
  std::mutex mutex_;
  size_t finished_ = 0;  // batches from the first on that are done, and what they found
  size_t found_ = 0;
};

}  // namespace

Outcome run_search(Workspace& workspace, const Arguments& arguments, std::stop_token cancel) {
  const std::string wanted = *arguments.text("pattern");
  const std::string path = workspace.files.cleaned(arguments.text("path").value_or(""));
  const FileFilter filter(arguments.text("glob").value_or(""));
  const LinePattern pattern(wanted);
  Searcher searcher(workspace.files, pattern, std::move(cancel));
  if (const auto kept = workspace.outputs.find(path)) {
    searcher.search_text(path, *kept);
    return {.text = searcher.result(wanted)};
  }
  const mode_t mode = workspace.files.status(path).st_mode;
  if (!S_ISDIR(mode)) {
    searcher.search_text(path, workspace.files.read(path, kFileLimit).bytes);
    return {.text = searcher.result(wanted)};
  }
  const bool hidden = filter.names_hidden() || is_hidden(path);
  std::vector<std::string> files;
  for (Walked& found : walk(workspace.files, {.from = path, .hidden = hidden})) {
    if (filter.lets_through(found.path)) files.push_back(std::move(found.path));
  }
  searcher.search_files(files);
  return {.text = searcher.result(wanted)};
}

}  // namespace dsv4::tools
