#include "agent/issue.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <istream>
#include <system_error>

#include "agent/error.h"
#include "agent/printable.h"
#include "agent/standard_input.h"
#include "sandbox/descriptor.h"

namespace dsv4::agent {
namespace {

// At most one byte more than an issue may have: a device without end is refused, not read.
std::string read_bounded(std::istream& in, const std::string& shown) {
  std::string text(kLongestIssue + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  if (in.bad()) throw UsageError("the issue cannot be read from " + shown);
  return text;
}

std::string read_issue_file(const std::filesystem::path& file, const std::string& shown,
                            std::stop_token cancel) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) {
    throw UsageError("there is no file " + shown + ": give the path of an issue, or - for stdin");
  }
  if (std::filesystem::is_directory(status)) {
    throw UsageError(shown + " is a directory: give the issue file inside it");
  }
  // A pipe that nobody writes to yet is opened at once, too.
  const sandbox::Descriptor fd(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd) throw UsageError(shown + " cannot be read: " + std::strerror(errno));
  DescriptorInput in(fd.get(), std::move(cancel));
  return read_bounded(in, shown);
}

std::string trimmed(const std::string& text) {
  const char* blank = " \t\r\n";
  const size_t first = text.find_first_not_of(blank);
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

}  // namespace

Issue parse_issue(std::string source, const std::filesystem::path& file,
                  const std::filesystem::path& directory) {
  const std::string shown = file.empty() ? "stdin" : printable_line(file.string(), 200);
  if (source.size() > kLongestIssue) {
    throw UsageError("the issue from " + shown +
                     " is larger than 1 MiB: cut it down to what describes the task");
  }
  if (source.find('\0') != std::string::npos || !is_utf8(source)) {
    throw UsageError("the issue from " + shown + " is not text: write it as Markdown in UTF-8");
  }
  ParsedIssue parsed = parse_front_matter(source);
  Issue issue;
  issue.file = file;
  issue.directory = directory;
  issue.front = std::move(parsed.front);
  issue.text = trimmed(parsed.body);
  if (issue.text.empty()) {
    throw UsageError("the issue from " + shown + " is empty: describe what is wrong, in any words");
  }
  issue.source = std::move(source);
  return issue;
}

Issue load_issue(const std::string& name, std::istream& standard_input, std::stop_token cancel) {
  std::error_code gone;  // the folder around us may have been removed
  if (name == "-") {
    std::string source = read_bounded(standard_input, "stdin");
    if (cancel.stop_requested()) return {};
    return parse_issue(std::move(source), {}, std::filesystem::current_path(gone));
  }
  const std::filesystem::path file = std::filesystem::absolute(name, gone).lexically_normal();
  std::string source = read_issue_file(file, printable_line(name, 200), cancel);
  if (cancel.stop_requested()) return {};
  return parse_issue(std::move(source), file, file.parent_path());
}

}  // namespace dsv4::agent
