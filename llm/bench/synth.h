#pragma once

namespace dsv4::llm::bench {

// `dsv4-bench synth`, its arguments without those two words: writes a checkpoint with random
// weights. Returns the exit status; throws what reading a config throws, and Error for the disk.
int run_synth(int argc, char** argv);

}  // namespace dsv4::llm::bench
