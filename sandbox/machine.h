#pragma once

#include "sandbox/landlock.h"
#include "sandbox/seccomp.h"

namespace dsv4::sandbox {

// What this machine lets a box have.
struct Machine {
  LandlockOptions landlock;
  bool broker = may_listen_to_calls();  // a bubblewrap box needs no stand-ins for protected names
};

}  // namespace dsv4::sandbox
