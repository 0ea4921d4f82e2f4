#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/test_runs.h"

// The parts of reading a run that more than one file needs.

namespace dsv4::tools {

// The number that stands before `word` in the line: "2 failed".
std::optional<size_t> number_before(std::string_view line, std::string_view word);

// Once only.
void add_name(TestRun& run, std::string_view name);

// Each reads a line of a summary into `run`, or says that it is none.
bool read_mocha(std::string_view line, TestRun& run);
bool read_jest(std::string_view line, TestRun& run);
bool read_vitest(std::string_view line, TestRun& run);

// Whole names, as the runners' own patterns see them: "clamp outside lowers 5 to 3".
std::vector<std::string> mocha_names(const std::vector<std::string>& lines);
std::vector<std::string> jest_names(const std::vector<std::string>& lines);

// What npm says it runs: "> calc@1.0.0 test" and, on the next line, "> jest".
std::vector<Script> npm_scripts(const std::vector<std::string>& lines);

}  // namespace dsv4::tools
