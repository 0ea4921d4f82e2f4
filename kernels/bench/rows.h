#pragma once

#include "kernels/bench/measure.h"

namespace dsv4::kernels::bench {

// The rows of each kernel folder. A new kernel: one function here, one line in kAllRows (main.cc).
void add_matmul_rows(Bench& bench);
void add_rounding_rows(Bench& bench);
void add_parallel_rows(Bench& bench);

}  // namespace dsv4::kernels::bench
