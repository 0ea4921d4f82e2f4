#pragma once

namespace dsv4::llm::bench {

// `dsv4-bench draft`, its arguments without those two words: what guessing ahead brings, by kind of
// text. Returns the exit status; throws what opening a model throws, and Error for a file.
int run_draft(int argc, char** argv);

}  // namespace dsv4::llm::bench
