#include "frame.h"

#include <cstdio>

namespace {

int number = 0;
int failures = 0;

void check(const char* name, bool passed) {
  std::printf("%s %d - %s\n", passed ? "ok" : "not ok", ++number, name);
  if (!passed) ++failures;
}

void check_sum(const char* name, std::string_view data, unsigned expected) {
  const unsigned got = fletcher16(data);
  check(name, got == expected);
  if (got != expected) std::printf("# got %04x, expected %04x\n", got, expected);
}

}  // namespace

int main() {
  check_sum("checksum of nothing", "", 0x0000);
  check_sum("checksum of text", "abcde", 0xc8f0);
  check_sum("checksum of longer text", "abcdefgh", 0x0627);
  check_sum("checksum of ff 01", "\xff\x01", 0x0101);
  check_sum("checksum of 80 80", "\x80\x80", 0x8101);
  check("what was framed is found again", open_frame(make_frame("hello")) == "hello");
  check("end bytes in the data", open_frame(make_frame("\x03\x03")) == "\x03\x03");
  check("a frame of the device", open_frame("\x02\xc8\xc8\x03\x5a\x91") == "\xc8\xc8");
  check("damaged data", !open_frame("\x02hallo\x03\x2c\x15"));
  check("too short", !open_frame("\x02\x03"));
  return failures != 0;
}
