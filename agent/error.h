#pragma once

#include <stdexcept>

namespace dsv4::agent {

// Bad usage or input: the message says what is wrong and how to mend it. Exit code 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The tests cannot be run at all: command not found, set-up failed. Exit code 5.
class TestsError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace dsv4::agent
