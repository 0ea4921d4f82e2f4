#include "agent/front_matter.h"

#include <chrono>
#include <random>

#include "agent/error.h"
#include "tests/catch.h"

using namespace dsv4::agent;
using namespace std::chrono_literals;

TEST_CASE("an issue without front matter is all body") {
  for (const char* text : {"# Title\n\nText.\n", "", "---", "---\n", "----\ntest: x\n---\n",
                           "---\nA line of prose.\n---\nMore.\n", "--- a title ---\ntext\n",
                           "---\ntest: make\nno end\n"}) {
    INFO(text);
    const ParsedIssue issue = parse_front_matter(text);
    REQUIRE(issue.body == text);
    REQUIRE_FALSE(issue.front.test);
  }
}

TEST_CASE("our keys are read and the body follows") {
  const ParsedIssue issue = parse_front_matter(
      "---\ntest: make -s test\nrepo: ./repo  # here\nsetup: 'cmake -S . -B it''s'\n"
      "timeout: 2m\ntests:\n  - test_a.py\n  - \"sub dir\"\n---\n# Title\n---\nmore\n");
  REQUIRE(issue.front.test == "make -s test");
  REQUIRE(issue.front.repo == "./repo");
  REQUIRE(issue.front.setup == "cmake -S . -B it's");
  REQUIRE(issue.front.timeout == 2min);
  REQUIRE(issue.front.tests == std::vector<std::string>{"test_a.py", "sub dir"});
  REQUIRE(issue.body == "# Title\n---\nmore\n");
}

TEST_CASE("a command may hold colons, quotes and hashes") {
  const ParsedIssue issue =
      parse_front_matter("---\ntest: python3 -c \"print('a: b')\" && echo '#1'\n---\nx");
  REQUIRE(issue.front.test == "python3 -c \"print('a: b')\" && echo '#1'");
  REQUIRE(parse_front_matter("---\ntest: \"a \\\"b\\\" \\\\ c\"\n---\n").front.test ==
          "a \"b\" \\ c");
}

TEST_CASE("Windows line ends and a byte order mark make no difference") {
  const ParsedIssue issue =
      parse_front_matter("\xef\xbb\xbf---\r\ntest: make\r\n---\r\n# Title\r\n");
  REQUIRE(issue.front.test == "make");
  REQUIRE(issue.body == "# Title\r\n");
}

TEST_CASE("keys of other systems are left alone") {
  const ParsedIssue issue = parse_front_matter(
      "---\nname: Bug report\nlabels:\n  - bug\nabout: >\n  some folded\n  text\ntest: "
      "make\n---\nx");
  REQUIRE(issue.front.test == "make");
  REQUIRE(issue.body == "x");
}

TEST_CASE("a value of ours that cannot be used is refused with a sentence") {
  for (const char* text :
       {"---\ntest:\n---\nx", "---\ntest: |\n  make\n---\nx", "---\ntimeout: soon\n---\nx",
        "---\ntimeout: -3s\n---\nx", "---\ntimeout: 99999999999999999999\n---\nx",
        "---\nrepo:\n- a\n---\nx"}) {
    INFO(text);
    REQUIRE_THROWS_AS(parse_front_matter(text), UsageError);
  }
}

TEST_CASE("any bytes are either parsed or refused") {
  std::mt19937 random(7);
  using namespace std::string_literals;
  const std::string alphabet = "-:\n\r \t'\"\\#|testrpo timeout0123456789\0\xff\xc3"s;
  size_t bodies = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text = i % 2 == 0 ? "---\n" : "";
    const size_t length = random() % 60;
    for (size_t j = 0; j < length; ++j) text += alphabet[random() % alphabet.size()];
    if (i % 3 == 0) text += "\n---\nbody";
    try {
      const ParsedIssue issue = parse_front_matter(text);
      REQUIRE(issue.body.size() <= text.size());
      REQUIRE(text.substr(text.size() - issue.body.size()) == issue.body);
      ++bodies;
    } catch (const UsageError&) {
    }
  }
  REQUIRE(bodies > 10000);
}
