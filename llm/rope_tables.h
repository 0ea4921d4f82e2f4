#pragma once

#include <vector>

#include "llm/config.h"
#include "llm/forward.h"

namespace dsv4::llm {

// The angles of layers with a compressor (their own base, and YaRN), or of those without. One base
// serves everything in a layer: queries, raw rows, compressed entries, indexer, inverse rotation.
std::vector<float> rope_frequencies(const Config& config, bool compressed);

// The chunk's table that belongs to a layer.
inline const kernels::RopeTable* rope_of(const Chunk& chunk, const LayerConfig& layer) {
  return layer.compresses() ? &chunk.compressed_rope : &chunk.rope;
}

}  // namespace dsv4::llm
