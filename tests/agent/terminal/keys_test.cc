#include "agent/terminal/keys.h"

#include "tests/catch.h"

using namespace dsv4::agent::terminal;
using Kind = Key::Kind;

namespace {

std::string told(const std::vector<Key>& keys) {
  std::string out;
  for (const Key& key : keys) {
    out += std::to_string(static_cast<int>(key.kind)) + ":" + key.bytes + "|";
  }
  return out;
}

std::string key(Kind kind, const std::string& bytes) { return told({{kind, bytes}}); }

}  // namespace

TEST_CASE("keys are found in pieces of any size") {
  const std::string bytes =
      "a\xc3\xa9\x1b[A\x1bOB\x1b[1;5C\x1b\rb\n\x03\x1a\x0c\x0f\x1b[200~x\x1b[A\ry\r\nz\x1b[201~\x1b"
      "fc";
  const std::string expected =
      key(Kind::kEdit, "a") + key(Kind::kEdit, "\xc3\xa9") + key(Kind::kUp, "\x1b[A") +
      key(Kind::kDown, "\x1bOB") + key(Kind::kWordRight, "\x1b[1;5C") +
      key(Kind::kNewLine, "\x1b\r") + key(Kind::kEdit, "b") + key(Kind::kNewLine, "\n") +
      key(Kind::kInterrupt, "\x03") + key(Kind::kSuspend, "\x1a") + key(Kind::kRepaint, "\x0c") +
      key(Kind::kExpand, "\x0f") + key(Kind::kPaste, "x\x1b[A\ny\nz") +
      key(Kind::kEdit,
          "\x1b"
          "f") +
      key(Kind::kEdit, "c");
  for (size_t size = 1; size <= bytes.size(); ++size) {
    KeyDecoder decoder;
    std::vector<Key> keys;
    for (size_t at = 0; at < bytes.size(); at += size) {
      for (Key& each : decoder.push(bytes.substr(at, size))) keys.push_back(std::move(each));
    }
    INFO(size);
    REQUIRE(told(keys) == expected);
    REQUIRE_FALSE(decoder.waits());
  }
}

TEST_CASE("Esc by itself is a key once nothing has followed it") {
  KeyDecoder decoder;
  REQUIRE(decoder.push("\x1b").empty());
  REQUIRE(decoder.waits());
  REQUIRE(told(decoder.release()) == key(Kind::kEscape, ""));
  REQUIRE_FALSE(decoder.waits());
  REQUIRE(told(decoder.push("\x1b\x1b[A")) ==
          key(Kind::kEscape, "\x1b") + key(Kind::kUp, "\x1b[A"));
  decoder.push("\x1b[");
  REQUIRE(told(decoder.release()) == key(Kind::kEscape, "") + key(Kind::kEdit, "["));
}

TEST_CASE("bytes that are no characters and sequences that break off lose nothing after them") {
  KeyDecoder decoder;
  REQUIRE(told(decoder.push("\xff"
                            "a")) == key(Kind::kEdit, "\xff") + key(Kind::kEdit, "a"));
  const std::string broken =
      told(decoder.push("\x1b[1\x03"
                        "b"));
  REQUIRE(broken.ends_with(key(Kind::kInterrupt, "\x03") + key(Kind::kEdit, "b")));
}
