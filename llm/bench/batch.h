#pragma once

namespace dsv4::llm::bench {

// `dsv4-bench batch`, its arguments without those two words: what decoding several sessions in one
// batch brings. Returns the exit status; throws what opening a model throws.
int run_batch(int argc, char** argv);

}  // namespace dsv4::llm::bench
