#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "sandbox/launch_spec.h"
#include "sandbox/launcher.h"

namespace dsv4::sandbox {

// What one command was refused, as words for Result::denied. Thread-safe.
class Denials {
 public:
  void reported(const Report& report, const Launch& box);  // by init
  void logged(const std::string& line);                    // by the proxy
  std::vector<std::string> all() const;

 private:
  void add(std::string what);

  mutable std::mutex mutex_;
  std::vector<std::string> all_;
};

}  // namespace dsv4::sandbox
