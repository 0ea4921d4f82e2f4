#include "signal.h"

#include <cstdio>
#include <string>

namespace {

int number = 0;
int failures = 0;

void expect(const char* name, const std::string& got, const std::string& expected) {
  const bool passed = got == expected;
  std::printf("%s %d - %s\n", passed ? "ok" : "not ok", ++number, name);
  if (passed) return;
  std::printf("# got \"%s\", expected \"%s\"\n", got.c_str(), expected.c_str());
  ++failures;
}

}  // namespace

int main() {
  {
    Signal signal;
    std::string log;
    signal.connect([&](int value) { log += "a" + std::to_string(value); });
    const int b = signal.connect([&](int value) { log += "b" + std::to_string(value); });
    signal.emit(1);
    signal.disconnect(b);
    signal.disconnect(b);
    signal.emit(2);
    expect("called in order until disconnected", log, "a1b1a2");
  }
  {
    Signal signal;
    std::string log;
    int self = 0;
    signal.connect([&](int) { log += "a"; });
    self = signal.connect([&](int) {
      signal.disconnect(self);
      log += "once";
    });
    signal.connect([&](int) { log += "b"; });
    signal.emit(1);
    expect("others are called when one disconnects itself", log, "aonceb");
    signal.emit(2);
    expect("and the one is not called again", log, "aoncebab");
  }
  {
    Signal signal;
    std::string log;
    int later = 0;
    signal.connect([&](int) { signal.disconnect(later); });
    later = signal.connect([&](int) { log += "later"; });
    signal.connect([&](int) { log += "last"; });
    signal.emit(1);
    expect("disconnected before its turn", log, "last");
    expect("size after that", std::to_string(signal.size()), "2");
  }
  {
    Signal signal;
    std::string log;
    signal.connect([&](int) {
      if (signal.size() < 4) signal.connect([&](int) { log += "x"; });
    });
    signal.emit(1);
    expect("connected meanwhile is not called", log, "");
    expect("size counts it at once", std::to_string(signal.size()), "2");
    signal.emit(2);
    expect("but from the next time on", log, "x");
  }
  return failures != 0;
}
