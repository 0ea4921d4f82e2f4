#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dsv4::agent {

// What the head of an issue may say about the task. Keys that are not ours are left alone: issues
// from other systems have their own.
struct FrontMatter {
  std::optional<std::string> test;   // the command that decides
  std::optional<std::string> repo;   // directory, relative to the issue's
  std::optional<std::string> setup;  // command run once in every fresh copy before the tests
  std::optional<std::chrono::milliseconds> timeout;  // of one run of the tests
  std::vector<std::string> tests;  // files put back as they were before the tests decide
};

struct ParsedIssue {
  FrontMatter front;
  std::string body;  // what follows the front matter
};

// Splits an issue into front matter and body. Front matter is a first line "---", lines "key:
// value" (values plain or in quotes; `tests:` also as a list of "- file" lines) and a closing line
// "---"; a text that only looks like it in its first line is a body. A pure function of any bytes.
// Throws UsageError when one of our keys has a value that cannot be used.
ParsedIssue parse_front_matter(std::string_view text);

}  // namespace dsv4::agent
