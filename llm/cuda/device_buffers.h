#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cuda/device.h"
#include "llm/config.h"
#include "llm/cuda/arena.h"
#include "llm/cuda/device_weights.h"

namespace dsv4::llm {

// How much a run on a card may be given at once.
struct RunSize {
  int64_t tokens = 0;
  int64_t sequences = 0;
  int64_t entries = 0;  // that a token may choose from

  bool holds(const RunSize& other) const {
    return tokens >= other.tokens && sequences >= other.sequences && entries >= other.entries;
  }
};

// Where a layer's states are: pointers to them, one for each sequence of the run.
struct StateTable {
  float** ring = nullptr;
  uint8_t*** pages = nullptr;  // of the compressor
  float** kv = nullptr;        // its frontier
  float** gate = nullptr;
  uint8_t*** index_pages = nullptr;  // of the indexer's
  float** index_kv = nullptr;
  float** index_gate = nullptr;
};
inline constexpr int64_t kStatePointers = 7;

// What a layer leaves behind of every token, but for its entries.
struct LeftBehind {
  float* raw = nullptr;  // [tokens, head_dim]
  float* kv = nullptr;   // [tokens, width of the compressor]
  float* gate = nullptr;
  float* index_kv = nullptr;  // [tokens, width of the indexer's]
  float* index_gate = nullptr;
};

// The memory of a run. Shapes are for the tokens of a run; D is the hidden size, C the head's.
struct RunMemory {
  // Copied to the card in one piece, from `input` on.
  int64_t* position = nullptr;  // [tokens]
  int32_t* ids = nullptr;       // [tokens]
  int32_t* sequence = nullptr;  // [tokens]
  int32_t* begin = nullptr;     // [sequences + 1]
  void** pointers = nullptr;    // [layers, kStatePointers, sequences]

  // Copied back in one piece.
  std::vector<LeftBehind> left;  // of each layer
  float* left_begin = nullptr;
  int64_t left_floats = 0;

  float* streams = nullptr;  // [tokens, hc, D]
  float* post = nullptr;     // [tokens, hc]
  float* comb = nullptr;     // [tokens, hc, hc]
  float* y = nullptr;        // [tokens, D]
  float* z = nullptr;        // [tokens, D]
  void* hyper = nullptr;     // scratch, zeros at first
  int64_t hyper_bytes = 0;
  float* cos = nullptr;  // [tokens, rope_dim / 2]
  float* sin = nullptr;
  float* compressed_cos = nullptr;
  float* compressed_sin = nullptr;
  float* qr = nullptr;             // [tokens, q_lora_rank]
  float* q = nullptr;              // [tokens, heads, C]
  float* index_q = nullptr;        // [tokens, index heads, index dim]
  float* index_weights = nullptr;  // [tokens, index heads]
  int32_t* selected = nullptr;     // [tokens, topk]
  int32_t* count = nullptr;        // [tokens]
  float* router = nullptr;         // [tokens, experts]
  int32_t* chosen = nullptr;       // [tokens, K]
  float* chosen_weight = nullptr;  // [tokens, K]
  float* heads = nullptr;          // [groups, tokens, heads / groups, C]
  float* low_rank = nullptr;       // [tokens, groups, rank]
  float* logits = nullptr;         // [tokens, vocab]; few at a time
  void* attention = nullptr;       // scratch
  void* select = nullptr;          // scratch
  int64_t select_bytes = 0;
  void* products = nullptr;  // scratch
  int64_t product_bytes = 0;
};

// Lays out a run's memory, or says how much it takes when the arena has none.
RunMemory lay_out(const Config& config, const DeviceWeights& weights,
                  const kernels::cuda::DeviceInfo& card, const RunSize& size, Arena& arena);

// What the experts of a layer are run with, but for where.
kernels::cuda::ExpertsParams experts_of(const Config& config, const DeviceMoe& weights,
                                        int64_t tokens);

inline constexpr int64_t kLogitsAtOnce = 32;  // tokens whose logits are computed together

}  // namespace dsv4::llm
