#pragma once

namespace dsv4::kernels::bench {

// `dsv4-bench kernels`, its arguments without those two words. Returns the exit status.
int run_kernels(int argc, char** argv);

}  // namespace dsv4::kernels::bench
