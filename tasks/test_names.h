#pragma once

#include <map>
#include <string>
#include <string_view>

namespace dsv4::tasks {

// What a run of tests says about each of them, by the name that the runner prints: whether it
// passed. Known are pytest (with -rA or -v), unittest and Django's runner (verbose), SymPy's,
// CTest, Go, Cargo and TAP (node --test, bats). A test that is skipped or expected to fail is as
// the benchmarks have it: xfail passes, skipped is not there.
//
// It is the output of code that the patch may have changed: what it prints is believed, as the
// benchmarks do.
std::map<std::string, bool, std::less<>> read_test_names(std::string_view output);

}  // namespace dsv4::tasks
