#include "ini.h"

#include <cstdio>

namespace {

int number = 0;
int failures = 0;

std::string said(std::string_view text, const char* key) {
  try {
    const Ini ini = parse_ini(text);
    const auto found = ini.find(key);
    return found == ini.end() ? "(none)" : found->second;
  } catch (const IniError& error) {
    return error.what();
  }
}

void expect(const char* name, const std::string& got, const std::string& expected) {
  const bool passed = got == expected;
  std::printf("%s %d - %s\n", passed ? "ok" : "not ok", ++number, name);
  if (passed) return;
  std::printf("# got '%s', expected '%s'\n", got.c_str(), expected.c_str());
  ++failures;
}

}  // namespace

int main() {
  expect("plain", said("a = 1\nb=2", "b"), "2");
  expect("sections", said("[net]\nport = 80\n[log]\nport = 1\n", "net.port"), "80");
  expect("comment after a value", said("port = 80  # usual\n", "port"), "80");
  expect("equals sign in a value", said("rules = a=b", "rules"), "a=b");
  expect("twice", said("a = 1\na = 2\n", "a"), "line 2: a is there twice");
  expect("neither", said("\nhello\n", "a"), "line 2: neither a section nor a value");
  expect("quoted", said("name = \"site\"", "name"), "site");
  expect("comment sign in quotes", said("colour = \"#ff8800\"  # orange", "colour"), "#ff8800");
  expect("blanks in quotes", said("title = \"  My Site  \"\r\n", "title"), "  My Site  ");
  expect("empty quotes", said("title = \"\"", "title"), "");
  expect("quote in the middle", said("size = 19\"", "size"), "19\"");
  expect("no value", said("a = # none", "a"), "line 1: a value is missing");
  expect("text after quotes", said("a = \"x\" y", "a"), "line 1: text after a quoted value");
  expect("open quote", said("a = 1\nb = \"x # y", "b"), "line 2: a quote is not closed");
  return failures != 0;
}
