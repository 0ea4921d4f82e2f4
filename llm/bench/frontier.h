#pragma once

namespace dsv4::llm::bench {

// `dsv4-bench frontier`, its arguments without those two words. Returns the exit status; throws
// what opening a model throws.
int run_frontier(int argc, char** argv);

}  // namespace dsv4::llm::bench
