#include "llm/layer_state.h"

#include <algorithm>

namespace dsv4::llm {
namespace {

int64_t frontier_bytes(const CompressorState& state) {
  return static_cast<int64_t>((state.kv.size() + state.gate.size()) * sizeof(float));
}

// Calls visit(row of kv, row of gate) for the frontier rows that blocks after `position` read,
// those of positions from `since` on.
template <typename State, typename Visit>
void each_frontier_row(const LayerConfig& layer, State& state, int64_t position, int64_t since,
                       const Visit& visit) {
  const int64_t ratio = layer.compress_ratio;
  const int64_t previous = layer.overlaps() ? 1 : 0;
  const int64_t first = std::max<int64_t>(0, position / ratio - previous) * ratio;
  for (int64_t p = std::max(first, since); p < position; ++p) {
    const int64_t at = p % state.slots * state.width;
    visit(state.kv.data() + at, state.gate.data() + at);
  }
}

void save_frontier(const LayerConfig& layer, const CompressorState& state, int64_t position,
                   int64_t since, std::vector<float>& out) {
  each_frontier_row(layer, state, position, since, [&](const float* kv, const float* gate) {
    out.insert(out.end(), kv, kv + state.width);
    out.insert(out.end(), gate, gate + state.width);
  });
}

// Returns where the next compressor's rows begin.
const float* restore_frontier(const LayerConfig& layer, const float* from, int64_t position,
                              int64_t since, CompressorState& state) {
  state.entries.resize(position / layer.compress_ratio);
  each_frontier_row(layer, state, position, since, [&](float* kv, float* gate) {
    std::copy_n(from, state.width, kv);
    std::copy_n(from + state.width, state.width, gate);
    from += 2 * state.width;
  });
  return from;
}

}  // namespace

CompressorState::CompressorState(const LayerConfig& layer, const kernels::RowLayout& stored,
                                 const std::shared_ptr<PageMemory>& memory)
    : layout(stored), entries(stored.bytes(), memory) {
  const int64_t parts = layer.overlaps() ? 2 : 1;
  width = parts * layout.dim;
  slots = parts * layer.compress_ratio + kGuessRoom;
  kv.resize(static_cast<size_t>(slots * width));
  gate.resize(kv.size());
}

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

LayerState make_layer_state(const Config& config, const LayerConfig& layer, kernels::RowFormat raw,
                            const std::shared_ptr<PageMemory>& memory) {
  using kernels::RowFormat;
  LayerState state;
  state.layout = {raw, config.head_dim, config.rope_dim};
  state.window = config.sliding_window;
  state.slots = state.window + kGuessRoom;
  state.ring.resize(static_cast<size_t>(state.slots * config.head_dim));
  if (layer.compresses()) state.compressor.emplace_back(layer, state.layout, memory);
  if (layer.overlaps()) {
    const RowFormat format = raw == RowFormat::kF32 ? RowFormat::kF32 : RowFormat::kFp4;
    const kernels::RowLayout index{format, config.index_head_dim, 0};
    state.indexer.emplace_back(layer, index, memory);
  }
  return state;
}

int64_t state_bytes(const LayerState& state) {
  int64_t bytes = own_bytes(state);
  for (const CompressorState& c : state.compressor) bytes += c.entries.bytes();
  for (const CompressorState& c : state.indexer) bytes += c.entries.bytes();
  return bytes;
}

int64_t own_bytes(const LayerState& state) {
  auto bytes = static_cast<int64_t>(state.ring.size() * sizeof(float));
  for (const CompressorState& c : state.compressor) bytes += frontier_bytes(c);
  for (const CompressorState& c : state.indexer) bytes += frontier_bytes(c);
  return bytes;
}

void grow_layer(const LayerConfig& layer, int64_t position, LayerState& state) {
  if (!layer.compresses()) return;
  for (CompressorState& c : state.compressor) c.entries.resize(position / layer.compress_ratio);
  for (CompressorState& c : state.indexer) c.entries.resize(position / layer.compress_ratio);
}

void cut_layer(const LayerConfig& layer, int64_t position, LayerState& state) {
  grow_layer(layer, position, state);
}

LayerMoment save_moment(const LayerConfig& layer, const LayerState& state, int64_t position,
                        int64_t since) {
  LayerMoment moment;
  const int64_t rows = std::min(position - since, state.window);
  moment.ring.resize(static_cast<size_t>(rows * state.layout.bytes()));
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t slot = (position - rows + i) % state.slots;
    kernels::pack_row(state.layout, state.ring.data() + slot * state.layout.dim,
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
  const int64_t rows = static_cast<int64_t>(moment.ring.size()) / state.layout.bytes();
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t slot = (position - rows + i) % state.slots;
    kernels::unpack_row(kernels::detect_isa(), state.layout,
                        moment.ring.data() + i * state.layout.bytes(),
                        state.ring.data() + slot * state.layout.dim);
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
