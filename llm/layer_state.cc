#include "llm/layer_state.h"

#include <algorithm>

namespace dsv4::llm {
namespace {

int64_t frontier_bytes(const CompressorState& state) {
  return state.kv.bytes() + state.gate.bytes();
}

// The first position of the frontier rows that blocks after `position` read, of those from `since`
// on.
int64_t frontier_begin(const LayerConfig& layer, int64_t position, int64_t since) {
  const int64_t ratio = layer.compress_ratio;
  const int64_t previous = layer.overlaps() ? 1 : 0;
  return std::max(since, std::max<int64_t>(0, position / ratio - previous) * ratio);
}

int64_t frontier_slots(const LayerConfig& layer) {
  return (layer.overlaps() ? 2 : 1) * layer.compress_ratio + kGuessRoom;
}

void save_frontier(const LayerConfig& layer, const CompressorState& state, int64_t position,
                   int64_t since, std::vector<float>& out) {
  for (int64_t p = frontier_begin(layer, position, since); p < position; ++p) {
    out.insert(out.end(), state.kv.row(p), state.kv.row(p) + state.width);
    out.insert(out.end(), state.gate.row(p), state.gate.row(p) + state.width);
  }
}

// Returns where the next compressor's rows begin.
const float* restore_frontier(const LayerConfig& layer, const float* from, int64_t position,
                              int64_t since, CompressorState& state) {
  state.entries.resize(position / layer.compress_ratio);
  const int64_t begin = frontier_begin(layer, position, since);
  state.kv.own(begin, position);
  state.gate.own(begin, position);
  for (int64_t p = begin; p < position; ++p) {
    std::copy_n(from, state.width, state.kv.own_row(p));
    std::copy_n(from + state.width, state.width, state.gate.own_row(p));
    from += 2 * state.width;
  }
  return from;
}

}  // namespace

CompressorState::CompressorState(const LayerConfig& layer, const kernels::RowLayout& stored,
                                 const StateMemory& memory)
    : layout(stored),
      entries(stored.bytes(), memory.pages),
      width((layer.overlaps() ? 2 : 1) * stored.dim),
      kv(frontier_slots(layer), width, memory.rings),
      gate(frontier_slots(layer), width, memory.rings) {}

kernels::RowFormat stored_rows(Precision precision) {
  switch (precision) {
    case Precision::kF32:
      return kernels::RowFormat::kF32;
    case Precision::kExact:
      return kernels::RowFormat::kFp8F32;
    case Precision::kFast:
      return kernels::RowFormat::kFp8Bf16;
  }
  return kernels::RowFormat::kF32;
}

LayerState::LayerState(const Config& config, const LayerConfig& layer, kernels::RowFormat raw,
                       const StateMemory& memory)
    : layout{raw, config.head_dim, config.rope_dim},
      window(config.sliding_window),
      ring(window + kGuessRoom, config.head_dim, memory.rings) {
  using kernels::RowFormat;
  if (layer.compresses()) compressor.emplace_back(layer, layout, memory);
  if (layer.overlaps()) {
    const RowFormat format = raw == RowFormat::kF32 ? RowFormat::kF32 : RowFormat::kFp4;
    const kernels::RowLayout index{format, config.index_head_dim, 0};
    indexer.emplace_back(layer, index, memory);
  }
}

int64_t state_bytes(const LayerState& state) {
  int64_t bytes = ring_bytes(state);
  for (const CompressorState& c : state.compressor) bytes += c.entries.bytes();
  for (const CompressorState& c : state.indexer) bytes += c.entries.bytes();
  return bytes;
}

int64_t ring_bytes(const LayerState& state) {
  int64_t bytes = state.ring.bytes();
  for (const CompressorState& c : state.compressor) bytes += frontier_bytes(c);
  for (const CompressorState& c : state.indexer) bytes += frontier_bytes(c);
  return bytes;
}

void grow_layer(const LayerConfig& layer, int64_t begin, int64_t end, LayerState& state) {
  cut_layer(layer, end, state);
  state.ring.own(begin, end);
  for (auto* compressors : {&state.compressor, &state.indexer}) {
    for (CompressorState& c : *compressors) {
      c.kv.own(begin, end);
      c.gate.own(begin, end);
    }
  }
}

void cut_layer(const LayerConfig& layer, int64_t position, LayerState& state) {
  if (!layer.compresses()) return;
  for (CompressorState& c : state.compressor) c.entries.resize(position / layer.compress_ratio);
  for (CompressorState& c : state.indexer) c.entries.resize(position / layer.compress_ratio);
}

LayerMoment save_moment(const LayerConfig& layer, const LayerState& state, int64_t position,
                        int64_t since) {
  LayerMoment moment;
  const int64_t rows = std::min(position - since, state.window);
  moment.ring.resize(static_cast<size_t>(rows * state.layout.bytes()));
  for (int64_t i = 0; i < rows; ++i) {
    kernels::pack_row(state.layout, state.ring.row(position - rows + i),
                      moment.ring.data() + i * state.layout.bytes());
  }
  for (const CompressorState& c : state.compressor) {
    save_frontier(layer, c, position, since, moment.frontier);
  }
  for (const CompressorState& c : state.indexer) {
    save_frontier(layer, c, position, since, moment.frontier);
  }
  return moment;
}

void restore_moment(const LayerConfig& layer, const LayerMoment& moment, int64_t position,
                    LayerState& state, int64_t since) {
  state.device.reset();
  const int64_t rows = static_cast<int64_t>(moment.ring.size()) / state.layout.bytes();
  state.ring.own(position - rows, position);
  for (int64_t i = 0; i < rows; ++i) {
    kernels::unpack_row(kernels::detect_isa(), state.layout,
                        moment.ring.data() + i * state.layout.bytes(),
                        state.ring.own_row(position - rows + i));
  }
  const float* from = moment.frontier.data();
  for (CompressorState& c : state.compressor)
    from = restore_frontier(layer, from, position, since, c);
  for (CompressorState& c : state.indexer) from = restore_frontier(layer, from, position, since, c);
}

int64_t moment_bytes(const LayerMoment& moment) {
  return static_cast<int64_t>(moment.ring.size() + moment.frontier.size() * sizeof(float));
}

}  // namespace dsv4::llm
