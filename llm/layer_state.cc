#include "llm/layer_state.h"

namespace dsv4::llm {
namespace {

CompressorState make_compressor(const LayerConfig& layer, int64_t dim) {
  CompressorState state;
  const int64_t parts = layer.overlaps() ? 2 : 1;
  state.dim = dim;
  state.width = parts * dim;
  state.slots = parts * layer.compress_ratio;
  state.kv.resize(static_cast<size_t>(state.slots * state.width));
  state.gate.resize(state.kv.size());
  return state;
}

int64_t compressor_bytes(const CompressorState& state) {
  return static_cast<int64_t>((state.entries.size() + state.kv.size() + state.gate.size()) *
                              sizeof(float));
}

}  // namespace

LayerState make_layer_state(const Config& config, const LayerConfig& layer) {
  LayerState state;
  state.ring.resize(static_cast<size_t>(config.sliding_window * config.head_dim));
  if (layer.compresses()) state.compressor = make_compressor(layer, config.head_dim);
  if (layer.attention == AttentionKind::kCompressedSparse) {
    state.indexer = make_compressor(layer, config.index_head_dim);
  }
  return state;
}

int64_t state_bytes(const LayerState& state) {
  return static_cast<int64_t>(state.ring.size() * sizeof(float)) +
         compressor_bytes(state.compressor) + compressor_bytes(state.indexer);
}

}  // namespace dsv4::llm
