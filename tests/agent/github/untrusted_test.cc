#include "agent/github/untrusted.h"

#include <random>

#include "agent/github/invisible.h"
#include "agent/printable.h"
#include "tests/catch.h"

using dsv4::agent::github::clean_title;
using dsv4::agent::github::clean_untrusted;

namespace {

std::string clean(std::string_view text) { return clean_untrusted(text).text; }

bool shows_a_secret(const std::string& text) { return text.find("HIDDEN") != std::string::npos; }

}  // namespace

TEST_CASE("an ordinary issue comes through as it is") {
  const std::string issue =
      "Sorting fails for `vector<int>` and std::map<string, int>\n\n"
      "1. call `f[i](x)` with [the docs](https://example.org/a(b)?c=d&e=f)\n"
      "2. see <https://example.org> or mail <a@example.org>\n\n"
      "[ERROR]: cannot open file\n[x] done, a[1] < b[2] && c > d, !arr[0]\n\n"
      "```cpp\n#include <map>\n// <b title=\"x\"> <!-- shown here --> ![alt](u \"t\")\n"
      "std::map<int, T> m;\n```\n"
      "~~~php\n<?php echo \"<img alt='x'>\"; ?>\n~~~\n"
      "<details>\n<summary>Log</summary>\n\nline\n\n</details>\n"
      "Footnote[^1] says \xc3\xa4\xc3\xb6 \xe6\xbc\xa2\xe5\xad\x97.\n\n[^1]: shown\n";
  const auto cleaned = clean_untrusted(issue);
  CHECK(cleaned.text == issue);
  CHECK(cleaned.removed.empty());
}

TEST_CASE("what a page hides does not reach the model") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"a<!-- HIDDEN -->b", "ab"},
      {"a<!-- HIDDEN", "a"},
      {"a<!--> shown", "a shown"},
      {"a<!<!-- x -->-- HIDDEN -->b", "ab"},
      {"a<!-- x --!>HIDDEN-->b", "ab"},
      {"a<?HIDDEN?>b<!DOCTYPE HIDDEN>c<![CDATA[HIDDEN]]>d", "abcd"},
      {"![HIDDEN](a.png)", "[image]"},
      {"![HIDDEN [in] HIDDEN](a.png \"HIDDEN\")", "[image]"},
      {"![HIDDEN][ref]\n\n[ref]: a.png \"HIDDEN\"\n", "[image]\n\n\n"},
      {"![HIDDEN]\n\n[Hidden]: a.png\n", "[image]\n\n\n"},
      {"![HIDDEN]\n\n```\ncode\n```\n[hidden]: a.png\n", "[image]\n\n```\ncode\n```\n\n"},
      {"[//]: # (HIDDEN)\nshown", "\nshown"},
      {"[x]: <a b> 'HIDDEN\nHIDDEN'\nshown", "\nshown"},
      {"> [x]:\n/url\n\"HIDDEN\"\nshown", "\nshown"},
      {"[text](https://e.org \"HIDDEN\")", "[text](https://e.org)"},
      {"[![HIDDEN](a.png)](https://e.org 'HIDDEN')", "[[image]](https://e.org)"},
      {"<img src=\"a.png\" alt=\"HIDDEN\" />", "[image]"},
      {"<IMG alt='HIDDEN > HIDDEN'>", "[image]"},
      {"<img\nalt=HIDDEN\n>shown", "[image]shown"},
      {"<a href=\"x\" title=\"HIDDEN\">link</a>", "<a>link</a>"},
      {"<div HIDDEN && HIDDEN>shown</div>", "<div>shown</div>"},
      {"<div title=\"HIDDEN\n\nHIDDEN\">shown", "<div>shown"},
      {"<ignore-all-HIDDEN-and-more>shown", "shown"},
      {"<b do HIDDEN things>shown</b>", "<b>shown</b>"},
      {"shown[^2]\n\n[^1]: HIDDEN\n    HIDDEN\n\n[^2]: shown too\n",
       "shown[^2]\n\n\n[^2]: shown too\n"},
      {"te\xe2\x80\x8bst \xe2\x80\xaeright\xe2\x80\xac \xef\xbb\xbf.", "test right ."},
      {"tag\xf3\xa0\x81\xa1\xf3\xa0\x81\xa2s", "tags"},
      {"vs\xef\xb8\x8f\xf3\xa0\x84\x80.", "vs."},
      {"&#x200b;&#8203;&zwj;&#xE0041;&#82&#8203;03;a&amp;&#65;", "a&amp;&#65;"},
      {std::string("a\x00\x1b[31mb\r\nc\rd", 13), "a[31mb\nc\nd"},
      {"bad \xff bytes", "bad \xef\xbf\xbd bytes"},
  };
  for (const auto& [text, expected] : cases) {
    INFO(text);
    const auto cleaned = clean_untrusted(text);
    CHECK(cleaned.text == expected);
    CHECK_FALSE(shows_a_secret(cleaned.text));
    CHECK((text.starts_with("bad") || !cleaned.removed.empty()));
  }
}

TEST_CASE("nothing hides behind what only looks like a code block") {
  const std::vector<std::string> cases = {
      "text\n```\n\n```\n<!-- HIDDEN -->\n```\n",       // the second fence ends the block
      "<div>\n```\n<b title='HIDDEN'>\n```\n</div>",    // in raw HTML
      "<pre>\n\n```\n<b title='HIDDEN'>\n```\n</pre>",  // that a blank line does not end
      "<!-- a\n\n```\nHIDDEN -->\n```\n",               // in a comment
      "\xe2\x80\x8b```\n<!-- HIDDEN -->\n```\n",        // no fence on the page
      "&#8203;```\n<!-- HIDDEN -->\n```\n",
      "\xc2\xa0\n- ```\n\n```\n<!-- HIDDEN -->\n```\n",
      "~~~\n```\n~~~\n<!-- HIDDEN -->\n",
      "````\n```\n````\n<!-- HIDDEN -->\n",
      "``` a`b\n<!-- HIDDEN -->\n```\n",  // inline code, not a fence
      "    ```\n\n```\n\n```\n\n<!-- HIDDEN -->\n",
  };
  for (const std::string& text : cases) {
    INFO(text);
    CHECK_FALSE(shows_a_secret(clean(text)));
  }
}

TEST_CASE("a title is one line without marks") {
  CHECK(clean_title("# --- \n a <!-- HIDDEN -->b\tc\n").text == "a b c");
  CHECK(clean_title("---").text.empty());
  CHECK(clean_title(std::string(400, 'x')).text.size() == 256);
}

TEST_CASE("text that is made to be hard ends soon, and says nothing new a second time") {
  std::string nested;
  for (int i = 0; i < 4000; ++i) nested += "<!<!-- -->-- ";
  for (const char* part :
       {"<!--", "<a b='", "![", "[x]: y \"", "<div ", "&#82", "](a \"", "[", "("}) {
    std::string text;
    while (text.size() < (64u << 10)) text += part;
    CHECK(clean(clean(text)) == clean(text));
  }
  CHECK(clean(clean(nested)) == clean(nested));
  CHECK(clean_untrusted(std::string(1 << 20, 'a')).text.size() <= (256u << 10));
}

TEST_CASE("no mixture of marks brings back what was hidden") {
  const std::vector<std::string> parts = {"<!--",
                                          "-->",
                                          "<!",
                                          "<?",
                                          "?>",
                                          "<",
                                          ">",
                                          "![",
                                          "](",
                                          "]",
                                          "[",
                                          ")",
                                          "(",
                                          "\"",
                                          "'",
                                          "\n",
                                          "\n\n",
                                          "```",
                                          "~~~",
                                          "<img ",
                                          "alt=",
                                          "<div",
                                          "</b>",
                                          "[x]: ",
                                          "[^1]: ",
                                          "[^1]",
                                          " ",
                                          "a",
                                          "\\",
                                          "&#8203;",
                                          "&#",
                                          "82",
                                          ";",
                                          "\xe2\x80\x8b",
                                          "\xf3\xa0\x81\xa1",
                                          "\xff",
                                          "\r",
                                          "-",
                                          "!",
                                          "x"};
  std::mt19937 random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (size_t n = random() % 24; n > 0; --n) text += parts[random() % parts.size()];
    const std::string once = clean(text);
    INFO(dsv4::agent::printable(text));
    REQUIRE(clean(once) == once);
    REQUIRE(dsv4::agent::is_utf8(once));
    // What stands in a comment that begins the text is never read.
    REQUIRE_FALSE(shows_a_secret(clean("<!-- HIDDEN -->" + text)));
    REQUIRE_FALSE(shows_a_secret(clean("![HIDDEN](u)\n\n" + text)));
    REQUIRE_FALSE(shows_a_secret(clean("<img alt=\"HIDDEN\">\n\n" + text)));
    std::string_view rest = once;
    while (!rest.empty()) {
      const size_t length = dsv4::agent::utf8_length(rest);
      REQUIRE_FALSE(dsv4::agent::github::is_invisible(dsv4::agent::utf8_code(rest, length)));
      rest.remove_prefix(length);
    }
  }
}
