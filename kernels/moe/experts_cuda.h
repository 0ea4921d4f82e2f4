#pragma once

#include <cstdint>

#include "kernels/matmul/matmul_cuda.h"

namespace dsv4::kernels::cuda {

// One matrix of an expert, in the device's memory; its format and size are the same for all.
struct ExpertMatrix {
  const void* data = nullptr;
  const uint8_t* scale = nullptr;
};
struct ExpertMatrices {
  ExpertMatrix w1, w3;  // [width, hidden]
  ExpertMatrix w2;      // [hidden, width]
};

// The feed-forward site of a layer after its router (deepseek-v4.md section 3, MoE):
// out = shared(x) + sum over the chosen of w2 (weight * silu(w1 x) * (w3 x)), with the clamps of
// kernels/swiglu, the experts in the order of their numbers. All pointers are of the device.
struct ExpertsParams {
  const float* x = nullptr;  // [tokens, hidden]
  int64_t tokens = 0;
  int64_t hidden = 0;
  int64_t width = 0;
  int64_t experts = 0;
  int64_t chosen = 0;              // K
  const int32_t* index = nullptr;  // [tokens, K], from 0 to experts - 1
  const float* weight = nullptr;   // [tokens, K]
  WeightFormat format = WeightFormat::kFp4Block32;
  const ExpertMatrices* matrices = nullptr;  // [experts]; only those of chosen experts are read
  WeightFormat shared_format = WeightFormat::kFp8Block128;
  ExpertMatrices shared;  // data null: there is none
  // Of the inputs of FP8 and FP4 matrices; other formats take theirs as they are.
  ActivationRounding rounding = ActivationRounding::kFp8Block128;
  float limit = 0.0F;    // of swiglu
  float* out = nullptr;  // [tokens, hidden], not x
};

// Depends on sizes, formats and rounding only, and on whether there is a shared expert.
int64_t experts_scratch_bytes(const ExpertsParams& p);

// Nothing waits for the device: which experts are chosen is only known there. A token's result does
// not depend on how many tokens are computed together (bit for bit). Throws std::invalid_argument
// for more than 512 experts or 256 chosen ones, and for too little scratch memory.
void run_experts(Stream& stream, const ExpertsParams& p, Scratch scratch);

}  // namespace dsv4::kernels::cuda
