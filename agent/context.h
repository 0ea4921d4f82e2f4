#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "agent/repository.h"

namespace dsv4::agent {

// What of a repository the model sees before the issue.
struct ContextFile {
  std::string path;
  std::string text;      // UTF-8, one newline at the end unless empty; or the outline
  bool outline = false;  // the file did not fit: only its functions and classes are shown
};

struct LeftOut {
  std::string path;
  std::string reason;  // "binary", "over 512 KiB", "generated", "vendored", "no room", ...
};

struct RepositoryContext {
  std::vector<ContextFile> instructions;  // AGENTS.md, outermost first; each for its folder
  std::vector<ContextFile> files;         // least-changed first, then by path
  std::vector<LeftOut> left_out;          // by path
};

struct ContextOptions {
  std::filesystem::path root;  // where the listed files are
  std::string issue_path;      // relative to root when the issue lies inside: not shown twice
  std::map<std::string, int> changes;  // how often each file changed lately: the order
  std::vector<ContextFile> outer;      // instructions from above root
};

inline constexpr uint64_t kLargestShown = 512 << 10;  // bytes of one file

// The AGENTS.md of the folders above the root of a repository that is only a part of its work tree,
// outermost first; their paths begin with "../". Links are not followed.
std::vector<ContextFile> outer_instructions(const Repository& repository);

// Applies the rules: text files only, nothing generated, vendored, in a submodule or over
// kLargestShown; AGENTS.md goes to the instructions. Links are not followed.
RepositoryContext read_context(const Listing& listing, const ContextOptions& options);

struct FitOptions {
  int64_t budget = 0;  // tokens for all of it
  std::function<int64_t(const std::string&)> count_tokens;
  std::function<std::string(const std::string& path)> outline;  // empty text: there is none
  std::string issue;                                            // decides what is far from it
};

// Makes the context fit: files become outlines, farthest from the issue first, and are left out
// when that is not enough; then instructions, innermost first. Returns the tokens it takes.
int64_t fit_context(RepositoryContext* context, const FitOptions& options);

}  // namespace dsv4::agent
