#include "agent/printable.h"

#include "agent/duration.h"
#include "tests/catch.h"

using namespace dsv4::agent;
using namespace std::chrono_literals;

TEST_CASE("text from outside cannot steer a terminal") {
  REQUIRE(printable("a\x1b[2Jb") == "a\\x1b[2Jb");
  REQUIRE(printable("\r\b\a\x7f") == "\\x0d\\x08\\x07\\x7f");
  REQUIRE(printable("\xc2\x9b") == "\\x9b");
  REQUIRE(printable("\xe2\x80\xae") == "\\u202e");
  REQUIRE(printable("\xd8\x9c") == "\\u061c");
  REQUIRE(printable("\xff\xc3") == "\\xff\\xc3");
  REQUIRE(printable("tab\there\nü 漢字 😀") == "tab\there\nü 漢字 😀");
}

TEST_CASE("one line has no more characters than asked for") {
  REQUIRE(printable_line("a\nb\tc", 20) == "a b c");
  REQUIRE(printable_line("0123456789", 10) == "0123456789");
  REQUIRE(printable_line("0123456789a", 10) == "0123456...");
  REQUIRE(printable_line("üüüüüüüüüüü", 10) == "üüüüüüü...");
  REQUIRE(printable_line(std::string(1 << 20, 'x'), 10) == "xxxxxxx...");
}

TEST_CASE("only shortest forms of real characters are UTF-8") {
  REQUIRE(is_utf8("plain, ü, 漢, 😀"));
  for (const char* bad : {"\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                          "\xf5\x80\x80\x80", "\xc3", "\xe6\xbc", "\xff"}) {
    REQUIRE_FALSE(is_utf8(bad));
    REQUIRE(is_utf8(to_utf8(bad)));
  }
  REQUIRE(to_utf8("a\xff"
                  "b") ==
          "a\xef\xbf\xbd"
          "b");
}

TEST_CASE("durations have a unit or are seconds") {
  REQUIRE(parse_duration("90") == 90s);
  REQUIRE(parse_duration("90s") == 90s);
  REQUIRE(parse_duration("30m") == 30min);
  REQUIRE(parse_duration("2h") == 2h);
  REQUIRE(parse_duration("500ms") == 500ms);
  for (const char* bad :
       {"", "0", "-1", "1.5h", "h", "10 m", "1d", "9999999h", "99999999999999999999"}) {
    INFO(bad);
    REQUIRE_FALSE(parse_duration(bad));
  }
  REQUIRE(describe_duration(400ms) == "0.4 s");
  REQUIRE(describe_duration(200s) == "3 min 20 s");
}
