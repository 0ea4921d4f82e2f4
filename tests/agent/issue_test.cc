#include "agent/issue.h"

#include <sstream>

#include "agent/error.h"
#include "agent/standard_input.h"
#include "tests/agent/scratch.h"
#include "tests/catch.h"

using namespace dsv4::agent;

namespace {

std::istringstream nothing;

std::string refusal(const std::string& name, std::istream& in = nothing) {
  try {
    load_issue(name, in);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("an issue comes from a file or from stdin, trimmed") {
  const Scratch scratch;
  scratch.write("dir/issue.md", "---\nrepo: .\n---\n\n# Broken\n\nIt is.\n\n");
  const Issue issue = load_issue((scratch / "dir/issue.md").string(), nothing);
  REQUIRE(issue.text == "# Broken\n\nIt is.");
  REQUIRE(issue.directory == scratch / "dir");
  REQUIRE(issue.front.repo == ".");
  std::istringstream in("\n  From a pipe\n");
  const Issue piped = load_issue("-", in);
  REQUIRE(piped.text == "From a pipe");
  REQUIRE(piped.file.empty());
}

TEST_CASE("issues that cannot be read are refused, each with its sentence") {
  const Scratch scratch;
  scratch.write("empty.md", "");
  scratch.write("blank.md", "---\ntest: make\n---\n \n\t\n");
  scratch.write("binary.md", std::string("text\0more", 9));
  scratch.write("latin1.md", "caf\xe9\n");
  scratch.write("large.md", std::string(kLongestIssue + 1, 'x'));
  REQUIRE(refusal((scratch / "absent.md").string()).find("there is no file") == 0);
  REQUIRE(refusal(scratch.path().string()).find("is a directory") != std::string::npos);
  REQUIRE(refusal((scratch / "empty.md").string()).find("is empty") != std::string::npos);
  REQUIRE(refusal((scratch / "blank.md").string()).find("is empty") != std::string::npos);
  REQUIRE(refusal((scratch / "binary.md").string()).find("is not text") != std::string::npos);
  REQUIRE(refusal((scratch / "latin1.md").string()).find("is not text") != std::string::npos);
  REQUIRE(refusal((scratch / "large.md").string()).find("larger than 1 MiB") != std::string::npos);
  REQUIRE(refusal("/dev/zero").find("larger than 1 MiB") != std::string::npos);
  dsv4::agent::DescriptorInput closed(9999, {});
  REQUIRE(refusal("-", closed).find("cannot be read from stdin") != std::string::npos);
  std::istringstream empty;
  REQUIRE(refusal("-", empty).find("stdin is empty") != std::string::npos);
}

TEST_CASE("an issue of the largest size is read") {
  const Scratch scratch;
  scratch.write("issue.md", std::string(kLongestIssue, 'x'));
  REQUIRE(load_issue((scratch / "issue.md").string(), nothing).text.size() == kLongestIssue);
}
