#include "agent/context.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <numeric>
#include <set>
#include <string_view>

#include "agent/printable.h"
#include "agent/prompt.h"

namespace dsv4::agent {
namespace {

constexpr std::array<std::string_view, 6> kVendored = {"vendor",       "third_party", "thirdparty",
                                                       "node_modules", "3rdparty",    ".venv"};
constexpr std::array<std::string_view, 10> kLockFiles = {
    "package-lock.json", "yarn.lock",     "pnpm-lock.yaml", "Cargo.lock", "poetry.lock",
    "Gemfile.lock",      "composer.lock", "go.sum",         "uv.lock",    "Pipfile.lock"};
constexpr std::array<std::string_view, 6> kGeneratedEnds = {".min.js", ".min.css", ".map",
                                                            ".pb.go",  "_pb2.py",  ".pb.h"};

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

std::string_view basename(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool below_any(std::string_view path, const auto& directories) {
  for (size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/')) {
    const auto end = directories.end();
    if (std::find(directories.begin(), end, path.substr(0, slash)) != end) return true;
    path.remove_prefix(slash + 1);
  }
  return false;
}

bool is_generated_name(std::string_view path) {
  const std::string_view name = basename(path);
  return std::find(kLockFiles.begin(), kLockFiles.end(), name) != kLockFiles.end() ||
         std::any_of(kGeneratedEnds.begin(), kGeneratedEnds.end(),
                     [&](std::string_view end) { return ends_with(name, end); });
}

// Marks that generators leave in the first lines of a file.
bool says_generated(std::string_view text) {
  const std::string_view head = text.substr(0, 1024);
  return head.find("@generated") != std::string_view::npos ||
         (head.find("Code generated ") != std::string_view::npos &&
          head.find("DO NOT EDIT") != std::string_view::npos);
}

std::string reason_by_name(const TreeEntry& entry) {
  if (entry.kind == EntryKind::kLink) return "a link";
  if (entry.foreign) return "in a submodule or a nested repository";
  if (!is_utf8(entry.path) || printable_line(entry.path, 4096) != entry.path) {
    return "its name cannot be shown";
  }
  if (below_any(entry.path, kVendored)) return "vendored";
  if (is_generated_name(entry.path)) return "generated";
  if (entry.size > kLargestShown) return "over 512 KiB";
  return "";
}

std::string read_file(const std::filesystem::path& file, uint64_t size) {
  std::ifstream in(file, std::ios::binary);
  std::string text(size, '\0');
  in.read(text.data(), static_cast<std::streamsize>(size));
  text.resize(static_cast<size_t>(in.gcount()));
  return text;
}

constexpr const char* kInstructions = "AGENTS.md";

// Whether it can be shown: UTF-8, and no NUL in it.
bool is_text(const std::string& bytes) {
  return bytes.find('\0') == std::string::npos && is_utf8(bytes);
}

void end_in_one_newline(std::string* text) {
  while (!text->empty() && text->back() == '\n') text->pop_back();
  if (!text->empty()) *text += '\n';
}

std::set<std::string> words_of(std::string_view text) {
  std::set<std::string> words;
  std::string word;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
      word += c;
    } else {
      if (word.size() >= 3) words.insert(word);
      word.clear();
    }
  }
  if (word.size() >= 3) words.insert(word);
  return words;
}

// How near a file is to the issue: its path or name is mentioned, then shared words of any kind.
int64_t nearness(const ContextFile& file, const std::string& issue,
                 const std::set<std::string>& issue_words) {
  int64_t score = 0;
  if (issue.find(file.path) != std::string::npos) score += 1'000'000;
  if (issue.find(basename(file.path)) != std::string::npos) score += 100'000;
  for (const std::string& word : words_of(file.text)) {
    if (issue_words.count(word) != 0) score += static_cast<int64_t>(word.size());
  }
  return score;
}

// Indices of the files, farthest from the issue first.
std::vector<size_t> farthest_first(const std::vector<ContextFile>& files,
                                   const std::string& issue) {
  const std::set<std::string> issue_words = words_of(issue);
  std::vector<int64_t> scores;
  scores.reserve(files.size());
  for (const ContextFile& file : files) scores.push_back(nearness(file, issue, issue_words));
  std::vector<size_t> order(files.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return scores[a] < scores[b]; });
  return order;
}

}  // namespace

std::vector<ContextFile> outer_instructions(const Repository& repository) {
  namespace fs = std::filesystem;
  std::vector<ContextFile> found;
  std::string up;
  for (fs::path at = repository.root; at != repository.work_tree && at.has_relative_path();) {
    at = at.parent_path();
    up += "../";
    const fs::path file = at / kInstructions;
    std::error_code error;
    if (!fs::is_regular_file(fs::symlink_status(file, error))) continue;
    const uint64_t size = fs::file_size(file, error);
    if (error || size > kLargestShown) continue;
    std::string text = read_file(file, size);
    if (!is_text(text)) continue;
    end_in_one_newline(&text);
    found.insert(found.begin(), {up + kInstructions, std::move(text), false});
  }
  return found;
}

RepositoryContext read_context(const Listing& listing, const ContextOptions& options) {
  RepositoryContext context;
  for (const TreeEntry& entry : listing.entries) {
    if (!options.issue_path.empty() && entry.path == options.issue_path) continue;
    std::string reason = reason_by_name(entry);
    std::string text;
    if (reason.empty()) {
      text = read_file(options.root / entry.path, entry.size);
      if (!is_text(text)) reason = "binary";
      if (reason.empty() && says_generated(text)) reason = "generated";
    }
    if (!reason.empty()) {
      context.left_out.push_back({entry.path, reason});
      continue;
    }
    end_in_one_newline(&text);
    const bool instructions = basename(entry.path) == kInstructions;
    (instructions ? context.instructions : context.files)
        .push_back({entry.path, std::move(text), false});
  }
  const auto depth = [](const ContextFile& file) {
    return std::count(file.path.begin(), file.path.end(), '/');
  };
  std::stable_sort(context.instructions.begin(), context.instructions.end(),
                   [&](const auto& a, const auto& b) { return depth(a) < depth(b); });
  context.instructions.insert(context.instructions.begin(), options.outer.begin(),
                              options.outer.end());
  const auto changes = [&](const ContextFile& file) {
    const auto found = options.changes.find(file.path);
    return found == options.changes.end() ? 0 : found->second;
  };
  std::stable_sort(context.files.begin(), context.files.end(),
                   [&](const auto& a, const auto& b) { return changes(a) < changes(b); });
  return context;
}

int64_t fit_context(RepositoryContext* context, const FitOptions& options) {
  std::vector<ContextFile>& files = context->files;
  const int64_t whole = options.count_tokens(repository_text(*context));
  if (whole <= options.budget) return whole;
  int64_t total = options.count_tokens(repository_text({context->instructions, {}, {}}));
  std::vector<int64_t> costs;
  costs.reserve(files.size());
  for (const ContextFile& file : files) {
    costs.push_back(options.count_tokens(file_text(file)));
    total += costs.back();
  }
  const std::vector<size_t> order = farthest_first(files, options.issue);
  for (const size_t i : order) {
    if (total <= options.budget) break;
    std::string outline = options.outline(files[i].path);
    end_in_one_newline(&outline);
    const ContextFile shorter{files[i].path, outline, true};
    const int64_t cost = options.count_tokens(file_text(shorter));
    if (outline.empty() || cost >= costs[i]) continue;
    total -= costs[i] - cost;
    costs[i] = cost;
    files[i] = shorter;
  }
  std::vector<bool> dropped(files.size(), false);
  for (const size_t i : order) {
    if (total <= options.budget) break;
    dropped[i] = true;
    total -= costs[i];
    context->left_out.push_back({files[i].path, "no room in the model's window"});
  }
  std::vector<ContextFile> kept;
  for (size_t i = 0; i < files.size(); ++i) {
    if (!dropped[i]) kept.push_back(std::move(files[i]));
  }
  files = std::move(kept);
  while (total > options.budget && !context->instructions.empty()) {
    const ContextFile& innermost = context->instructions.back();
    total -= options.count_tokens(instructions_text(innermost));
    context->left_out.push_back({innermost.path, "no room in the model's window"});
    context->instructions.pop_back();
  }
  std::sort(context->left_out.begin(), context->left_out.end(),
            [](const LeftOut& a, const LeftOut& b) { return a.path < b.path; });
  return options.count_tokens(repository_text(*context));
}

}  // namespace dsv4::agent
