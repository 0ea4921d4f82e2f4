#pragma once

#include <string>
#include <vector>

#include "sandbox/sandbox.h"

namespace dsv4::sandbox {

// One protection, as `doctor` shows it.
struct Capability {
  std::string name;  // "network namespace"
  bool works = false;
  std::string detail;  // how it is held, or why it is not
  std::string fix;     // what to do about it; empty where it works or nothing can be done
};

struct Capabilities {
  bool usable = false;  // tasks can run here; otherwise the first row says why not
  std::vector<Capability> rows;
};

// Tries the sandbox of that kind here, in a temporary folder, and says what it enforces; with kAuto
// also whether the other kind works. Does not throw for a machine that cannot: that is the answer.
Capabilities probe(BackendKind kind = BackendKind::kAuto);

}  // namespace dsv4::sandbox
