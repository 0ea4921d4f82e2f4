#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/compressor/compressor.h"
#include "llm/forward.h"

namespace dsv4::llm {

// What the attention site has computed row by row (deepseek-v4.md section 3) of one stretch.
struct SequenceRows {
  int64_t start = 0;  // position of the first row
  int64_t tokens = 0;
  const float* q = nullptr;    // [tokens, heads, head_dim]
  const float* raw = nullptr;  // [tokens, head_dim], rounded as they will be stored

  // In layers that compress: the rows of the compressor and, with overlap, of the indexer's.
  struct Projected {
    const float* kv = nullptr;    // [tokens, width]
    const float* gate = nullptr;  // [tokens, width]
  };
  Projected compressor, indexer;
  std::span<const float> frequencies;  // of layers that compress

  // Whether the indexer has to choose: while everything fits its budget there is no choice. Only
  // then are its queries there.
  bool chooses = false;
  const float* index_q = nullptr;        // [tokens, index heads, index dim]
  const float* index_weights = nullptr;  // [tokens, index heads]

  // The output, from the stretch's first token on: [groups, out_tokens, heads / groups, head_dim].
  float* heads = nullptr;
  int64_t out_tokens = 0;
};

// The part of the attention site in which a token meets the earlier ones of its sequence:
// compressors, lightning indexer, attention. With a SequenceAttention for each, several sequences
// can be computed at the same time: nothing that they share is written.
class SequenceAttention {
 public:
  // Moves the state on by the rows. Its lists of entries have grown already (grow_layer).
  void run(const ForwardContext& ctx, const LayerConfig& layer, const AttentionWeights& weights,
           const SequenceRows& rows, LayerState& state);

 private:
  // What the compressor of the layer and that of its indexer do differently to finished entries.
  enum class Use { kAttention, kIndex };

  void compress(const ForwardContext& ctx, const LayerConfig& layer,
                const CompressorWeights& weights, Use use, CompressorState& state);
  void finish_entries(const ForwardContext& ctx, const LayerConfig& layer,
                      const CompressorWeights& weights, Use use, int64_t first, float* entries,
                      CompressorState& state);
  void select(const ForwardContext& ctx, const CompressorState& state);
  void attend(const ForwardContext& ctx, const LayerConfig& layer, const AttentionWeights& weights,
              const LayerState& state);

  SequenceRows rows_;
  Buffer entries_;
  std::vector<const float*> window_, kv_rows_, gate_rows_;
  std::vector<kernels::CompressBlock> blocks_;
  std::vector<int64_t> visible_, count_, positions_;
  std::vector<int32_t> selected_;
  std::vector<uint8_t> row_;
  kernels::RopeTable entry_rope_;
};

}  // namespace dsv4::llm
