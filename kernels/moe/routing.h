#pragma once

#include <cstdint>

namespace dsv4::kernels {

enum class RoutingScore { kSqrtSoftplus, kSoftmax, kSigmoid };

// Chooses experts per token and their weights (deepseek-v4.md section 3, MoE): by `table` where it
// is given, else the best of score + bias, the lower index first among equals. A weight is the
// expert's score WITHOUT the bias, over the sum of the chosen ones, times `factor`.
struct RoutingParams {
  const float* logits = nullptr;  // [tokens, experts]
  int64_t tokens = 0;
  int64_t experts = 0;
  int64_t chosen = 0;  // K, at most experts
  RoutingScore score = RoutingScore::kSqrtSoftplus;
  const float* bias = nullptr;     // [experts]; null for none
  const int32_t* table = nullptr;  // [ids, chosen]; null for scored routing
  const int32_t* ids = nullptr;    // [tokens], rows of the table
  float factor = 1.0F;
  int32_t* index = nullptr;  // [tokens, chosen], ascending in scored routing
  float* weight = nullptr;   // [tokens, chosen]
  float* scores = nullptr;   // scratch [experts]
};

void route_reference(const RoutingParams& p);  // double precision
void route(const RoutingParams& p);

}  // namespace dsv4::kernels
