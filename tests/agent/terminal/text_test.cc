#include "agent/terminal/cells.h"
#include "agent/terminal/code.h"
#include "agent/terminal/line.h"
#include "agent/terminal/markdown.h"
#include "tests/catch.h"

using namespace dsv4::agent::terminal;

namespace {

std::vector<std::string> texts(const Lines& lines) {
  std::vector<std::string> out;
  for (const Line& line : lines) out.push_back(line.text());
  return out;
}

std::vector<std::string> wrapped(const Line& line, size_t columns) {
  return texts(rows_of(line, columns));
}

Lines rendered(const std::string& markdown) {
  Markdown reader;
  Lines lines = reader.push(markdown);
  for (Line& line : reader.finish()) lines.push_back(std::move(line));
  return lines;
}

// "plain<style>text" for each span, so that one comparison says everything.
std::string marked(const Line& line) {
  std::string out;
  for (const Span& span : line.spans()) {
    const bool plain = span.style == Style::kPlain;
    out += plain ? span.text
                 : "<" + std::to_string(static_cast<int>(span.style)) + ":" + span.text + ">";
  }
  return out;
}

std::string tag(Style style, const std::string& text) {
  return "<" + std::to_string(static_cast<int>(style)) + ":" + text + ">";
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("nothing that is added to a line can steer a terminal") {
  Line line;
  line.add("a\x1b[2Jb\r\x07").add("\xff\xc2\x9bx\xe2\x80\xae", Style::kStrong);
  line.add("one\ntwo\tthree");
  for (const bool colour : {false, true}) {
    const std::string shown = coded(line, colour);
    INFO(shown);
    REQUIRE(shown.find("\x1b[2J") == std::string::npos);
    REQUIRE(shown.find_first_of("\r\n\t\x07") == std::string::npos);
    REQUIRE(shown.find("\xc2\x9b") == std::string::npos);
    REQUIRE(shown.find("\\x1b[2J") != std::string::npos);
    REQUIRE(shown.find("\\u202e") != std::string::npos);
  }
  REQUIRE(coded(line, false).find('\x1b') == std::string::npos);
  REQUIRE(coded(line, true).find("\x1b[1m\\xff") != std::string::npos);
}

TEST_CASE("lines are folded between words, anywhere, or cut") {
  const Utf8Thread utf8;
  REQUIRE(wrapped(Line("aa bb cc").fold(Line::Fold::kWords), 5) == Texts{"aa bb", "cc"});
  REQUIRE(wrapped(Line("aa bb cc").fold(Line::Fold::kWords, 2), 5) == Texts{"aa bb", "  cc"});
  REQUIRE(wrapped(Line("abcdefgh").fold(Line::Fold::kWords), 3) == Texts{"abc", "def", "gh"});
  REQUIRE(wrapped(Line("aa bb cc"), 5) == Texts{"aa bb", " cc"});
  REQUIRE(wrapped(Line("abcdefgh").fold(Line::Fold::kClip), 6) == Texts{"abc..."});
  REQUIRE(wrapped(Line("abcdef").fold(Line::Fold::kClip), 6) == Texts{"abcdef"});
  REQUIRE(wrapped(Line(), 5) == Texts{""});
  REQUIRE(wrapped(Line("x"), 0) == Texts{"x"});
}

TEST_CASE("wide characters take two cells, combining ones none") {
  const Utf8Thread utf8;
  REQUIRE(cells("abc") == 3);
  REQUIRE(cells("\xe6\x97\xa5\xe6\x9c\xac") == 4);
  REQUIRE(cells("e\xcc\x81") == 1);
  REQUIRE(wrapped(Line("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"), 5) ==
          Texts{"\xe6\x97\xa5\xe6\x9c\xac", "\xe8\xaa\x9e"});
}

TEST_CASE("a fold keeps the styles of what it folds") {
  const Lines rows = rows_of(Line("ab ").add("cd ef", Style::kGood).fold(Line::Fold::kWords), 5);
  REQUIRE(rows.size() == 2);
  REQUIRE(marked(rows[0]) == "ab " + tag(Style::kGood, "cd"));
  REQUIRE(marked(rows[1]) == tag(Style::kGood, "ef"));
}

TEST_CASE("Markdown within a line") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"a **b c** d", "a " + tag(Style::kStrong, "b c") + " d"},
      {"a *b* _c_", "a " + tag(Style::kEmphasis, "b") + " " + tag(Style::kEmphasis, "c")},
      {"`x*y*` z", tag(Style::kCode, "x*y*") + " z"},
      {"``a`b``", tag(Style::kCode, "a`b")},
      {"snake_case_name 2 * 3 * 4", "snake_case_name 2 * 3 * 4"},
      {"**open `and open", "**open `and open"},
      {"\\*not\\*", "*not*"},
      {"[docs](http://x)", tag(Style::kEmphasis, "docs") + tag(Style::kDim, " (http://x)")},
      {"[1] a", "[1] a"},
      {"# Title **x**", tag(Style::kHeading, "Title ") + tag(Style::kStrong, "x")},
      {"#include", "#include"},
      {"- item", tag(Style::kStrong, "- ") + "item"},
      {"10. item", tag(Style::kStrong, "10. ") + "item"},
      {"> said", tag(Style::kDim, "| said")},
      {"---", tag(Style::kDim, "--------------------")},
  };
  for (const auto& [source, expected] : cases) {
    INFO(source);
    const Lines lines = rendered(source);
    REQUIRE(lines.size() == 1);
    REQUIRE(marked(lines[0]) == expected);
  }
}

TEST_CASE("fenced code is coloured by its language and by nothing else in it") {
  const Lines lines = rendered("Look:\n```python\ndef f(x):\n    return '**x**'  # why\n```\nend");
  REQUIRE(texts(lines) == Texts{"Look:", "  def f(x):", "      return '**x**'  # why", "end"});
  REQUIRE(marked(lines[1]) ==
          "  " + tag(Style::kKeyword, "def") + " " + tag(Style::kFunction, "f") + "(x):");
  REQUIRE(marked(lines[2]) == "      " + tag(Style::kKeyword, "return") + " " +
                                  tag(Style::kString, "'**x**'") + "  " +
                                  tag(Style::kComment, "# why"));
  REQUIRE(marked(rendered("```\n**x**\n```")[0]) == "  **x**");
  REQUIRE(marked(rendered("```brainfuck\n+-\n```")[0]) == "  +-");
}

TEST_CASE("a string that goes over lines is coloured in each of them") {
  const Lines lines = rendered("```py\nx = '''a\nreturn 1\n'''\nreturn 2\n```");
  REQUIRE(marked(lines[1]) == "  " + tag(Style::kString, "return 1"));
  REQUIRE(marked(lines[3]) ==
          "  " + tag(Style::kKeyword, "return") + " " + tag(Style::kNumber, "2"));
}

TEST_CASE("Markdown says the same in pieces of any size, and shows what has begun") {
  const std::string source =
      "# T\n\n1. a **b**\n\n~~~c++\nint x = 1; // `y`\n~~~\n| a | b |\n* * *\nlast";
  const Lines whole = rendered(source);
  for (size_t size = 1; size < 6; ++size) {
    Markdown reader;
    Lines lines;
    for (size_t at = 0; at < source.size(); at += size) {
      for (Line& line : reader.push(source.substr(at, size))) lines.push_back(std::move(line));
    }
    REQUIRE(texts(reader.begun()) == Texts{"last"});
    for (Line& line : reader.finish()) lines.push_back(std::move(line));
    REQUIRE(lines.size() == whole.size());
    for (size_t i = 0; i < lines.size(); ++i) REQUIRE(marked(lines[i]) == marked(whole[i]));
    REQUIRE(reader.begun().empty());
  }
}

TEST_CASE("a patch is coloured by its first characters") {
  const Lines lines = patch_lines("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n c\n");
  REQUIRE(lines.size() == 6);
  REQUIRE(marked(lines[3]) == tag(Style::kBad, "-a"));
  REQUIRE(marked(lines[4]) == tag(Style::kGood, "+b"));
  REQUIRE(marked(lines[5]) == " c");
}
