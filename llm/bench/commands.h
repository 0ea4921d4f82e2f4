#pragma once

#include <string>
#include <vector>

namespace dsv4::llm::bench {

// The program dsv4-bench on its arguments, its own name left out: what the engine can do on this
// machine, as JSON lines on stdout. `program` is what messages call it. Returns the exit status: 2
// for arguments that make no sense, 3 where the engine fails. Never throws.
int run_command(const char* program, std::vector<std::string> arguments);

}  // namespace dsv4::llm::bench
