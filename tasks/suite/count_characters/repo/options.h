#pragma once

#include <stdexcept>
#include <string>
#include <vector>

struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Which columns are shown.
struct Options {
  bool lines = false;
  bool words = false;
  bool bytes = false;
};

// Throws UsageError for an option that is not known.
Options parse_options(const std::vector<std::string>& arguments);
