#pragma once

#include <vector>

#include "kernels/cuda/device.h"
#include "kernels/matmul/matmul.h"
#include "kernels/moe/experts_cuda.h"
#include "llm/config.h"
#include "llm/weights.h"

namespace dsv4::llm {

// The weights (weights.h) in a card's memory: matrices in the format they were stored in, the rest
// in float32.

struct DeviceHyper {
  const float* fn = nullptr;
  const float* base = nullptr;
  const float* scale = nullptr;
};

struct DeviceCompressor {
  kernels::WeightMatrix wkv, wgate;
  const float* ape = nullptr;
  const float* norm = nullptr;
};

struct DeviceIndexer {
  kernels::WeightMatrix wq_b, weights_proj;
  DeviceCompressor compressor;
};

struct DeviceAttention {
  kernels::WeightMatrix wq_a, wq_b, wkv, wo_b;
  std::vector<kernels::WeightMatrix> wo_a;  // one for each group
  const float* q_norm = nullptr;
  const float* kv_norm = nullptr;
  const float* sink = nullptr;
  DeviceCompressor compressor;
  DeviceIndexer indexer;
};

struct DeviceMoe {
  kernels::WeightMatrix gate;
  const float* bias = nullptr;       // scored routing
  const int32_t* tid2eid = nullptr;  // hash routing
  kernels::WeightFormat format{}, shared_format{};
  const kernels::cuda::ExpertMatrices* experts = nullptr;  // [E]
  kernels::cuda::ExpertMatrices shared;
};

struct DeviceLayerWeights {
  const float* attn_norm = nullptr;
  const float* ffn_norm = nullptr;
  DeviceHyper hc_attn, hc_ffn;
  DeviceAttention attention;
  DeviceMoe moe;
};

struct DeviceWeights {
  kernels::WeightMatrix embed, head;
  const float* norm = nullptr;
  DeviceHyper hc_head;
  const float* frequencies = nullptr;             // [rope_dim / 2], layers without a compressor
  const float* compressed_frequencies = nullptr;  // layers with one
  std::vector<DeviceLayerWeights> layers;
  kernels::cuda::DeviceMemory memory;  // all of the above
};

// Bytes that upload takes.
int64_t device_weight_bytes(const Config& config, const Weights& weights);

// Throws kernels::cuda::DeviceError.
DeviceWeights upload(kernels::cuda::Stream& stream, const Config& config, const Weights& weights);

}  // namespace dsv4::llm
