#pragma once

#include <span>
#include <string>

namespace dsv4::llm::bench {

// One `frontier` row, as far as it is drawn.
struct FrontierRow {
  double tokens = 0;  // context length
  double prefill = 0;         // NaN where it was not measured (frontier --keep)
  double decode = 0;          // both in tokens/s
  double resident_bytes = 0;  // of the process
};

// Speed and memory over context length, both axes logarithmic, as a picture of its own (SVG 1.1).
// Rows ascend by tokens; at least two. Numbers must be positive, or NaN where that is said.
std::string draw_frontier(std::span<const FrontierRow> rows);

// `dsv4-bench picture`, its arguments without those two words. Returns the exit status; throws
// Error for a file that cannot be read or written or that holds no rows to draw.
int run_picture(int argc, char** argv);

}  // namespace dsv4::llm::bench
