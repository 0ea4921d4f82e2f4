#pragma once

#include <cstdint>
#include <vector>

#include "kernels/compressor/compressor.h"
#include "llm/forward.h"

namespace dsv4::llm {

// The attention site of a layer (deepseek-v4.md section 3): from the normed input of a chunk to the
// site's output, moving the layer's state on by the chunk.
class AttentionSite {
 public:
  explicit AttentionSite(const Config& config);

  // x and out: [tokens, hidden]; they do not overlap.
  void run(const ForwardContext& ctx, const Chunk& chunk, const LayerConfig& layer,
           const AttentionWeights& weights, const float* x, LayerState& state, float* out);

 private:
  // What the compressor of the layer and that of its indexer do differently to finished entries.
  enum class Use { kAttention, kIndex };

  bool chooses(const ForwardContext& ctx, const LayerConfig& layer) const;
  void project_query(const ForwardContext& ctx, const Chunk& chunk, const LayerConfig& layer,
                     const AttentionWeights& weights, const float* x);
  void project_rows(const ForwardContext& ctx, const Chunk& chunk, const LayerConfig& layer,
                    const AttentionWeights& weights, const float* x, const LayerState& state);
  void compress(const ForwardContext& ctx, const Chunk& chunk, const LayerConfig& layer,
                const CompressorWeights& weights, Use use, const float* x, CompressorState& state);
  void finish_entries(const ForwardContext& ctx, const LayerConfig& layer,
                      const CompressorWeights& weights, Use use, int64_t first, float* entries,
                      CompressorState& state);
  void select(const ForwardContext& ctx, const Chunk& chunk, const IndexerWeights& weights,
              const float* x, const CompressorState& state);
  void attend(const ForwardContext& ctx, const Chunk& chunk, const LayerConfig& layer,
              const AttentionWeights& weights, const LayerState& state);
  void project_output(const ForwardContext& ctx, const Chunk& chunk, const LayerConfig& layer,
                      const AttentionWeights& weights, float* out);

  std::vector<float> compressed_frequencies_;
  Buffer qr_, q_, rows_, kv_, gate_, index_q_, index_weights_, heads_, group_, low_rank_, entries_,
      unpacked_;
  std::vector<const float*> window_, kv_rows_, gate_rows_;
  std::vector<kernels::CompressBlock> blocks_;
  std::vector<int64_t> visible_, count_, positions_;
  std::vector<int32_t> selected_;
  kernels::RopeTable entry_rope_;
};

}  // namespace dsv4::llm
