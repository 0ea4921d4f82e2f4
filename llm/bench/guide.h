#pragma once

namespace dsv4::llm::bench {

// `dsv4-bench guide`, its arguments without those two words: what keeping calls well formed costs
// per token, in text and in each part of a call. Returns the exit status; throws what opening a
// model or a tokenizer throws.
int run_guide(int argc, char** argv);

}  // namespace dsv4::llm::bench
