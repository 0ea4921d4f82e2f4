#include "journal.h"

#include <cstdio>

namespace {

using std::string_literals::operator""s;

int number = 0;
int failures = 0;

void expect(const char* name, const std::string& got, const std::string& expected) {
  const bool passed = got == expected;
  std::printf("%s %d - %s\n", passed ? "ok" : "not ok", ++number, name);
  if (passed) return;
  std::printf("# got '%s', expected '%s'\n", got.c_str(), expected.c_str());
  ++failures;
}

// What is loaded, or why not.
std::string loaded(std::string_view bytes) {
  std::string text;
  try {
    for (const Trip& trip : load(bytes)) {
      text += std::to_string(trip.kilometres) + " " + trip.from + "-" + trip.to + " " +
              trip.driver + ";";
    }
  } catch (const JournalError& error) {
    text = error.what();
  }
  return text;
}

}  // namespace

int main() {
  const std::vector<Trip> trips = {{300, "Rome", "Bari", "Ada"}, {7, "Bari", "Home", ""}};
  const std::string version1 = "JRN1\2\1\x2c\4Rome\4Bari\0\7\4Bari\4Home"s;
  const std::string version2 = "JRN2\2\1\x2c\4Rome\4Bari\3Ada\0\7\4Bari\4Home\0"s;
  expect("version 1", loaded(version1), "300 Rome-Bari ;7 Bari-Home ;");
  expect("no trips in version 1", loaded("JRN1\0"s), "");
  expect("version 2 is written", save(trips), version2);
  expect("version 2", loaded(version2), "300 Rome-Bari Ada;7 Bari-Home ;");
  expect("what was saved is loaded", loaded(save(trips)), "300 Rome-Bari Ada;7 Bari-Home ;");
  expect("version 3", loaded("JRN3\0"s), "unknown version");
  expect("version 0", loaded("JRN0\0"s), "unknown version");
  expect("something else", loaded("PNG1\0"s), "not a journal");
  expect("ends early in version 1", loaded(version1.substr(0, 20)), "damaged: it ends early");
  expect("ends before the last driver", loaded(version2.substr(0, version2.size() - 1)),
         "damaged: it ends early");
  expect("more than a journal", loaded(version1 + "x"), "damaged: bytes are left over");
  return failures != 0;
}
