#include "chunked.h"

#include <algorithm>
#include <cstdio>

#include "headers.h"

namespace {

int number = 0;
int failures = 0;

// The body and how it ended, when it comes in pieces of so many bytes.
std::string decoded(std::string_view text, size_t piece) {
  ChunkedDecoder decoder;
  Status status = Status::kMore;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    status = decoder.feed(text.substr(0, piece));
  }
  const char* names[] = {"more", "done", "bad"};
  if (status == Status::kBad) return "bad";
  return decoder.body() + " " + names[static_cast<int>(status)];
}

void check(const std::string& name, const std::string& got, const std::string& expected) {
  const bool passed = got == expected;
  std::printf("%s %d - %s\n", passed ? "ok" : "not ok", ++number, name.c_str());
  if (passed) return;
  std::printf("# got '%s', expected '%s'\n", got.c_str(), expected.c_str());
  ++failures;
}

void expect(const std::string& name, std::string_view text, const std::string& expected) {
  check(name + ", at once", decoded(text, text.size()), expected);
  check(name + ", in twos", decoded(text, 2), expected);
  check(name + ", byte by byte", decoded(text, 1), expected);
}

}  // namespace

int main() {
  const auto head = parse_head("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nX: a:b \r\n\r\n");
  check("head", head && head->chunked() ? head->field("x").value_or("") : "", "a:b");
  check("not a head", parse_head("SSH-2.0\r\n\r\n") ? "head" : "none", "none");

  expect("two chunks", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world done");
  expect("nothing", "0\r\n\r\n", " done");
  expect("size of two digits", "1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n",
         "abcdefghijklmnopqrstuvwxyz done");
  expect("lower case, zeros", "00b\r\nhello world\r\n000\r\n\r\n", "hello world done");
  expect("line ends in the data", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n done");
  expect("extension", "3;name=\"v\"\r\nabc\r\n0;x\r\n\r\n", "abc done");
  expect("not the whole body", "5\r\nhel", "hel more");
  expect("end of the last line missing", "1\r\na\r\n0\r\n", "a more");
  expect("no size", "\r\nabc\r\n", "bad");
  expect("not a size", "5g\r\nhello\r\n", "bad");
  expect("size too large", "12345678\r\n", "bad");
  expect("data longer than its size", "2\r\nabc\r\n0\r\n\r\n", "bad");
  expect("bytes after the end", "0\r\n\r\nx", "bad");
  return failures != 0;
}
