#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "llm/forward.h"
#include "llm/sequence_attention.h"

namespace dsv4::llm {

// The attention site of a layer (deepseek-v4.md section 3): from the normed input of a chunk to the
// site's output, moving the states of the chunk's sequences on. Projections run over all rows at
// once; what looks at earlier positions, sequence by sequence.
class AttentionSite {
 public:
  explicit AttentionSite(const Config& config);

  // x and out: [tokens, hidden]; they do not overlap. states: the layer's, one for each stretch.
  void run(const ForwardContext& ctx, const Chunk& chunk, const LayerConfig& layer,
           const AttentionWeights& weights, const float* x, std::span<LayerState* const> states,
           float* out);

 private:
  struct Projection {
    Buffer kv, gate;
    int64_t width = 0;
  };

  void project(const ForwardContext& ctx, const Chunk& chunk, const LayerConfig& layer,
               const AttentionWeights& weights, const float* x);
  void add_blocks(const ForwardContext& ctx, const Chunk& chunk, const CompressorWeights& weights,
                  const float* x, Projection& out);
  void finish_query(const ForwardContext& ctx, const Chunk& chunk, const LayerConfig& layer);
  void finish_rows(const ForwardContext& ctx, const Chunk& chunk, const LayerConfig& layer,
                   const AttentionWeights& weights, const LayerState& state);
  void finish_index(const ForwardContext& ctx, const Chunk& chunk);
  SequenceRows rows_of(const ForwardContext& ctx, const Chunk& chunk, const LayerConfig& layer,
                       const Stretch& stretch, int64_t first);
  void run_sequences(const ForwardContext& ctx, const Chunk& chunk, const LayerConfig& layer,
                     const AttentionWeights& weights, std::span<LayerState* const> states);
  void project_output(const ForwardContext& ctx, const Chunk& chunk, const LayerConfig& layer,
                      const AttentionWeights& weights, float* out);

  std::vector<float> compressed_frequencies_;
  Buffer qr_, q_, raw_, index_q_, index_weights_, heads_, groups_, low_rank_;
  Projection compressor_, indexer_;
  bool chooses_ = false;  // some stretch does
  std::vector<kernels::MatmulParams> products_;
  std::vector<SequenceAttention> sequences_;
  std::vector<SequenceRows> rows_;
  kernels::ThreadPool alone_{1};  // of a sequence that is computed beside others
};

}  // namespace dsv4::llm
