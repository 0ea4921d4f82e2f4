#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dsv4::agent {

// Whether a path looks like a test or what tests are made of, by the conventions of the languages:
// test_x.py, x_test.cc, x.spec.ts, XTest.java, conftest.py, and everything below a directory called
// test, tests, spec, __tests__ or testdata.
bool is_test_file(std::string_view path);

// Whether a file, by being there, can make tests pass that fail: conftest.py and pytest.ini skip
// them, sitecustomize.py runs before them, unittest.py stands in for what runs them. A repair has
// no need to bring one.
bool steers_tests(std::string_view path);

// The tests that a patch may not change.
class FixedTests {
 public:
  // `named`: files or directories from the task's `tests:` key, relative to the repository's root.
  explicit FixedTests(std::vector<std::string> named) : named_(std::move(named)) {}

  bool named(std::string_view path) const;  // by the task itself
  bool contains(std::string_view path) const { return named(path) || is_test_file(path); }

 private:
  std::vector<std::string> named_;
};

}  // namespace dsv4::agent
