#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "llm/config.h"
#include "llm/safetensors.h"

namespace dsv4::llm::bench {

// What a tensor of a made-up checkpoint holds.
enum class Filling {
  kMatrix,   // weights that leave the size of what they multiply as it is
  kScales,   // of the matrix before it
  kOnes,     // norms
  kSmall,    // a little noise around zero
  kExperts,  // distinct numbers of experts in each row
};

struct PlannedTensor {
  std::string name;  // the authors'
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  Filling filling = Filling::kSmall;
  int64_t inputs = 1;  // kMatrix and kScales: columns of the matrix

  int64_t bytes() const;
};

// The tensors of a checkpoint with these dimensions, in the formats of the published ones
// (deepseek-v4.md section 2): FP8 with scales, the routed experts FP4 when `fp4` is set, bf16, f32
// and int64. The MTP layers of the config are left out.
std::vector<PlannedTensor> plan_tensors(const Config& config, bool fp4);

}  // namespace dsv4::llm::bench
