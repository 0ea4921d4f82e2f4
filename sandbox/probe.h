#pragma once

#include <string>
#include <vector>

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

// Tries the sandbox here, in a temporary folder, and says what it enforces. Does not throw for a
// machine that cannot: that is the answer.
Capabilities probe();

}  // namespace dsv4::sandbox
