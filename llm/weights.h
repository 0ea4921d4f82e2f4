#pragma once

#include <cstdint>
#include <list>
#include <vector>

#include "kernels/matmul/matmul.h"
#include "llm/config.h"
#include "llm/safetensors.h"

namespace dsv4::llm {

// The tensors of deepseek-v4.md section 2, by their authors' names. Matrices are views [out, in] of
// the mapped files in the format they were stored in; vectors are converted to f32.

// fn [rows, hc*D], base [rows], scale: rows is (2+hc)*hc at a site (scale [3]), hc at the head
// (scale [1]).
struct HyperWeights {
  kernels::WeightMatrix fn;
  std::vector<float> base;
  std::vector<float> scale;
};

// c is 2 with overlap, else 1; dim is C, or cI in the indexer.
struct CompressorWeights {
  kernels::WeightMatrix wkv;    // [c*dim, D]
  kernels::WeightMatrix wgate;  // [c*dim, D]
  std::vector<float> ape;       // [ratio, c*dim]
  std::vector<float> norm;      // [dim]
};

struct IndexerWeights {
  kernels::WeightMatrix wq_b;          // [nI*cI, q_lora]
  kernels::WeightMatrix weights_proj;  // [nI, D]
  CompressorWeights compressor;
};

struct AttentionWeights {
  kernels::WeightMatrix wq_a;               // [q_lora, D]
  std::vector<float> q_norm;                // [q_lora]
  kernels::WeightMatrix wq_b;               // [H*C, q_lora]
  kernels::WeightMatrix wkv;                // [C, D]
  std::vector<float> kv_norm;               // [C]
  std::vector<float> sink;                  // [H]
  std::vector<kernels::WeightMatrix> wo_a;  // one [o_lora, H*C/G] for each of the G groups
  kernels::WeightMatrix wo_b;               // [D, G*o_lora]
  CompressorWeights compressor;             // empty when the layer has none
  IndexerWeights indexer;                   // CSA only
};

struct ExpertWeights {
  kernels::WeightMatrix w1;  // [F, D], the gate
  kernels::WeightMatrix w3;  // [F, D]
  kernels::WeightMatrix w2;  // [D, F]
};

struct MoeWeights {
  kernels::WeightMatrix gate;          // [E, D]
  std::vector<float> bias;             // [E], scored routing only
  std::vector<int32_t> tid2eid;        // [V, K], hash routing only; each checked to be below E
  std::vector<ExpertWeights> experts;  // E
  ExpertWeights shared;
};

struct LayerWeights {
  std::vector<float> attn_norm;  // [D]
  std::vector<float> ffn_norm;   // [D]
  HyperWeights hc_attn;
  HyperWeights hc_ffn;
  AttentionWeights attention;
  MoeWeights moe;
};

// A multi-token prediction layer (deepseek-v4.md section 3, MTP).
struct MtpWeights {
  LayerWeights layer;
  kernels::WeightMatrix e_proj;  // [D, D]
  kernels::WeightMatrix h_proj;  // [D, D]
  std::vector<float> enorm, hnorm, norm;
  HyperWeights hc_head;
};

// Owns the mapped files and whatever had to be converted.
struct Weights {
  kernels::WeightMatrix embed;  // [V, D], f32 or bf16
  kernels::WeightMatrix head;   // [V, D]
  std::vector<float> norm;      // [D]
  HyperWeights hc_head;
  std::vector<LayerWeights> layers;
  std::vector<MtpWeights> mtp;  // empty when the checkpoint has none
  bool quantized = false;       // some matrix is FP8 or FP4

  Checkpoint checkpoint;
  std::list<std::vector<std::byte>> converted;
};

// Binds every tensor of the network. Accepts the authors' names and those of `transformers`
// (tensor_names.h). Throws ModelError that names each fault: a tensor missing, left over, or with
// another shape or type than the config asks for.
Weights load_weights(const Config& config, Checkpoint checkpoint);

}  // namespace dsv4::llm
