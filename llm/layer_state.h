#pragma once

#include <cstdint>
#include <vector>

#include "llm/config.h"

namespace dsv4::llm {

// What a compressor keeps (deepseek-v4.md section 5): its entries, and the frontier: the projected
// rows of the unfinished block and, with overlap, of the whole block before it.
struct CompressorState {
  int64_t dim = 0;    // of an entry
  int64_t width = 0;  // of a projected row: dim, or 2 * dim with overlap
  int64_t slots =
      0;  // frontier rows: ratio, or 2 * ratio with overlap; position p is in p mod slots
  int64_t count = 0;           // entries
  std::vector<float> entries;  // [count, dim], append-only
  std::vector<float> kv;       // [slots, width]
  std::vector<float> gate;     // [slots, width]
};

// What the positions so far have left behind in one layer.
struct LayerState {
  std::vector<float> ring;     // [sliding_window, head_dim] raw rows; position p is in p mod window
  CompressorState compressor;  // empty without one
  CompressorState indexer;     // CSA only
};

LayerState make_layer_state(const Config& config, const LayerConfig& layer);

int64_t state_bytes(const LayerState& state);

}  // namespace dsv4::llm
