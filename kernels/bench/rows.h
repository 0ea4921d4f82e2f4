#pragma once

#include "kernels/bench/measure.h"

namespace dsv4::kernels::bench {

// The rows of the kernel folders, by subject. A new kernel joins one of them, or adds a function
// here and its line in kAllRows (kernels_command.cc).
void add_matmul_rows(Bench& bench);
void add_rounding_rows(Bench& bench);
void add_parallel_rows(Bench& bench);
void add_attention_rows(Bench& bench);
void add_stream_rows(Bench& bench);

}  // namespace dsv4::kernels::bench
