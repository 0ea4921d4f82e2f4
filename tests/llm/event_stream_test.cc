#include "llm/event_stream.h"

#include <vector>

#include "tests/catch.h"

namespace dsv4::llm {
namespace {

std::vector<std::string> events(const std::vector<std::string>& pieces) {
  std::vector<std::string> out;
  EventStream stream([&](std::string_view data) { out.emplace_back(data); });
  for (const std::string& piece : pieces) stream.push(piece);
  stream.finish();
  return out;
}

}  // namespace

TEST_CASE("events are read however their lines end and wherever the bytes are cut") {
  const std::string text =
      "\xef\xbb\xbf: a comment\r\n\r\ndata: one\r\n\r\ndata:two\n\nevent: x\rid: 7\rdata: three\r\r"
      "data: a\r\ndata:  b\r\ndata\r\n\r\n: ping\n\nretry: 5\n\ndata: last\n\n";
  const std::vector<std::string> expected = {"one", "two", "three", "a\n b\n", "last"};
  REQUIRE(events({text}) == expected);
  for (size_t first = 0; first <= text.size(); ++first) {
    const std::string rest = text.substr(first);
    REQUIRE(events({text.substr(0, first), rest.substr(0, 1),
                    rest.substr(std::min<size_t>(1, rest.size()))}) == expected);
  }
  std::vector<std::string> bytes;
  for (const char c : text) bytes.emplace_back(1, c);
  REQUIRE(events(bytes) == expected);
}

TEST_CASE("the last event counts without its empty line, and half a line does not") {
  REQUIRE(events({"data: one\n"}) == std::vector<std::string>{"one"});
  REQUIRE(events({"data: one\n\ndata: tw"}) == std::vector<std::string>{"one"});
  REQUIRE(events({"data: one"}).empty());
}

TEST_CASE("an error field is data, and other fields are none") {
  REQUIRE(events({"error: {}\n\nnothing\n\nid: 1\n\n"}) == std::vector<std::string>{"{}"});
}

}  // namespace dsv4::llm
