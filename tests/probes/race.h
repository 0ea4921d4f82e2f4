#pragma once

// One thread changes what a name means while another uses it.

#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <thread>

#include "tests/probes/probe.h"

// Uses, each after the meaning has changed again, perhaps often.
inline constexpr int kRaceTurns = 60;

// True when `use` succeeded in what must not be possible while `change` went on.
template <typename Change, typename Use>
bool race(const Change& change, const Use& use) {
  std::atomic<bool> over = false;
  std::atomic<int> turns = 0;
  std::thread changing([&] {
    for (; !over; ++turns) change(turns % 2 == 0);
  });
  const bool outside = !told("OUTSIDE").empty();  // where it must work, however long it takes
  bool worked = false;
  for (int i = 0; (outside || i < kRaceTurns) && !worked; ++i) {
    for (const int seen = turns; turns == seen;) ::sched_yield();
    worked = use();
  }
  over = true;
  changing.join();
  errno = 0;
  return worked;
}

// What a link leads to, changed at once.
inline void point(const char* link, const char* to) {
  const std::string next = std::string(link) + "-next";
  ::unlink(next.c_str());
  if (::symlink(to, next.c_str()) == 0) ::rename(next.c_str(), link);
}
