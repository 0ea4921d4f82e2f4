#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/parallel/thread_pool.h"

namespace dsv4::kernels {

// Rotary position embedding over interleaved pairs (2i, 2i+1), with YaRN's scaling of the
// frequencies and no attention-temperature factor (deepseek-v4.md section 3).
struct RopeSettings {
  int64_t dim = 0;  // R, even
  double theta = 0.0;
  double factor = 1.0;           // YaRN; 1 for none
  double original_length = 0.0;  // YaRN: positions of the training; 0 for no scaling
  double beta_fast = 32.0;
  double beta_slow = 1.0;
};

// The angle that pair i turns per position, [dim / 2]. Single precision in the authors' order of
// operations: at position 10^5 a last-bit difference here turns a pair by a thousandth.
std::vector<float> rope_frequencies(const RopeSettings& settings);

// cos and sin of every pair at the given positions.
struct RopeTable {
  std::vector<float> cos;  // [positions, dim / 2]
  std::vector<float> sin;
};

// Overwrites `table`, keeping its memory.
void fill_rope_table(std::span<const float> frequencies, std::span<const int64_t> positions,
                     RopeTable& table);

// Rotates the last `rope_dim` of each row's `dim` values in place, forward or back. Row r stands at
// position r / rows_per_position of the table (a position's heads are adjacent).
struct RopeParams {
  float* x = nullptr;  // [rows, dim]
  int64_t rows = 0;
  int64_t dim = 0;
  int64_t rope_dim = 0;
  int64_t rows_per_position = 1;
  const RopeTable* table = nullptr;
  bool inverse = false;
};

void rope_reference(const RopeParams& p);  // double precision
void rope(ThreadPool& pool, const RopeParams& p);

}  // namespace dsv4::kernels
