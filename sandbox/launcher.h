#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "sandbox/descriptor.h"

namespace dsv4::sandbox {

// A program to start for one command. It gets /dev/null, the output pipe twice and the control
// socket as descriptors 0 to 3, `inherited[i]` as kFirstInherited + i, and nothing else.
struct Launch {
  std::string program;  // absolute path
  std::vector<std::string> argv;
  std::vector<Descriptor> inherited;
};
inline constexpr int kFirstInherited = 4;

// A started program. Whoever holds it must reap `pid`.
struct Launched {
  pid_t pid = -1;
  Descriptor output;   // read end of its stdout and stderr, not blocking
  Descriptor control;  // our end of the control socket (launch_spec.h), not blocking
};

// Throws SetupError.
Launched launch(Launch what);

}  // namespace dsv4::sandbox
