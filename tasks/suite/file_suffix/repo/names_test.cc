#include "names.h"

#include <cstdio>
#include <stdexcept>

namespace {

int number = 0;
int failures = 0;

template <typename Test>
void check(const char* name, Test test) {
  bool passed = false;
  const char* why = "";
  try {
    passed = test();
  } catch (const std::out_of_range& error) {
    why = error.what();
  }
  std::printf("%s %d - %s\n", passed ? "ok" : "not ok", ++number, name);
  if (passed) return;
  std::printf("# %s\n", why);
  ++failures;
}

}  // namespace

int main() {
  check("images", [] { return kind_of("holiday.JPG") == Kind::kImage; });
  check("archives", [] { return kind_of("backup.tar.gz") == Kind::kArchive; });
  check("others", [] { return kind_of("program.exe") == Kind::kOther; });
  check("shorter than any suffix", [] { return kind_of("a") == Kind::kOther; });
  check("no name at all", [] { return kind_of("") == Kind::kOther; });
  check("short names with a suffix", [] { return kind_of("a.md") == Kind::kText; });
  check("nothing but the suffix", [] { return has_suffix(".zip", ".zip"); });
  check("without suffix", [] { return without_suffix("notes.txt", ".txt") == "notes"; });
  check("without suffix, shorter", [] { return without_suffix("x", ".txt") == "x"; });
  return failures != 0;
}
