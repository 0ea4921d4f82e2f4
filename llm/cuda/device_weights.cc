#include "llm/cuda/device_weights.h"

#include <cstddef>
#include <cstring>

#include "kernels/rounding/rounding.h"
#include "llm/cuda/arena.h"
#include "llm/rope_tables.h"

namespace dsv4::llm {
namespace {

using kernels::WeightFormat;
using kernels::WeightMatrix;

int64_t data_bytes(const WeightMatrix& m) {
  switch (m.format) {
    case WeightFormat::kF32:
      return m.rows * m.cols * 4;
    case WeightFormat::kBf16:
      return m.rows * m.cols * 2;
    case WeightFormat::kFp8Block128:
      return m.rows * m.cols;
    case WeightFormat::kFp4Block32:
      return m.rows * m.cols / 2;
  }
  return 0;
}

int64_t scale_bytes(const WeightMatrix& m) {
  constexpr int64_t kFp8Block = 128;
  constexpr int64_t kFp4Block = 32;
  if (m.format == WeightFormat::kFp4Block32) return m.rows * m.cols / kFp4Block;
  if (m.format != WeightFormat::kFp8Block128) return 0;
  const auto blocks = [](int64_t n) { return (n + kFp8Block - 1) / kFp8Block; };
  return blocks(m.rows) * blocks(m.cols);
}

// Copies to pieces of an arena, or only counts when it has no memory.
class Writer {
 public:
  Writer(kernels::cuda::Stream* stream, Arena arena) : stream_(stream), arena_(arena) {}

  int64_t bytes() const { return arena_.used(); }

  template <class T>
  const T* put(const T* from, int64_t count) {
    if (count == 0) return nullptr;
    T* to = arena_.take<T>(count);
    if (to != nullptr) {
      kernels::cuda::copy_to_device(*stream_, from, count * static_cast<int64_t>(sizeof(T)), to);
    }
    return to;
  }
  template <class T>
  const T* put(const std::vector<T>& values) {
    return put(values.data(), static_cast<int64_t>(values.size()));
  }

  WeightMatrix put(WeightMatrix m) {
    m.data = put(static_cast<const std::byte*>(m.data), data_bytes(m));
    m.scale = put(m.scale, scale_bytes(m));
    return m;
  }

  // As float32, whatever the checkpoint has.
  const float* put_floats(const WeightMatrix& m) {
    const int64_t count = m.rows * m.cols;
    if (m.format == WeightFormat::kF32 || !arena_.has_memory()) {
      return put(static_cast<const float*>(m.data), count);
    }
    std::vector<float> values(static_cast<size_t>(count));
    const auto* bits = static_cast<const std::byte*>(m.data);
    for (size_t i = 0; i < values.size(); ++i) {
      uint16_t raw = 0;
      std::memcpy(&raw, bits + 2 * i, sizeof raw);
      values[i] = kernels::decode_bf16(raw);
    }
    return put(values);
  }

  DeviceHyper put(const HyperWeights& w) { return {put_floats(w.fn), put(w.base), put(w.scale)}; }

  DeviceCompressor put(const CompressorWeights& w) {
    return {put(w.wkv), put(w.wgate), put(w.ape), put(w.norm)};
  }

  kernels::cuda::ExpertMatrices put(const ExpertWeights& w) {
    const auto matrix = [this](const WeightMatrix& m) {
      const WeightMatrix there = put(m);
      return kernels::cuda::ExpertMatrix{there.data, there.scale};
    };
    return {matrix(w.w1), matrix(w.w3), matrix(w.w2)};
  }

 private:
  kernels::cuda::Stream* stream_;
  Arena arena_;
};

DeviceAttention put_attention(const LayerConfig& layer, const AttentionWeights& w, Writer& to) {
  DeviceAttention out;
  out.wq_a = to.put(w.wq_a);
  out.wq_b = to.put(w.wq_b);
  out.wkv = to.put(w.wkv);
  out.wo_b = to.put(w.wo_b);
  for (const WeightMatrix& m : w.wo_a) out.wo_a.push_back(to.put(m));
  out.q_norm = to.put(w.q_norm);
  out.kv_norm = to.put(w.kv_norm);
  out.sink = to.put(w.sink);
  if (layer.compresses()) out.compressor = to.put(w.compressor);
  if (layer.overlaps()) {
    out.indexer.wq_b = to.put(w.indexer.wq_b);
    out.indexer.weights_proj = to.put(w.indexer.weights_proj);
    out.indexer.compressor = to.put(w.indexer.compressor);
  }
  return out;
}

DeviceMoe put_moe(const MoeWeights& w, Writer& to) {
  DeviceMoe out;
  out.gate = to.put(w.gate);
  out.bias = to.put(w.bias);
  out.tid2eid = to.put(w.tid2eid);
  std::vector<kernels::cuda::ExpertMatrices> experts;
  for (const ExpertWeights& expert : w.experts) experts.push_back(to.put(expert));
  out.format = w.experts.front().w1.format;
  out.experts = to.put(experts);
  out.shared_format = w.shared.w1.format;
  out.shared = to.put(w.shared);
  return out;
}

void put_all(const Config& config, const Weights& w, Writer& to, DeviceWeights* out) {
  out->embed = to.put(w.embed);
  out->head =
      config.tie_word_embeddings && w.head.data == w.embed.data ? out->embed : to.put(w.head);
  out->norm = to.put(w.norm);
  out->hc_head = to.put(w.hc_head);
  out->frequencies = to.put(rope_frequencies(config, false));
  out->compressed_frequencies = to.put(rope_frequencies(config, true));
  out->layers.clear();
  for (size_t i = 0; i < w.layers.size(); ++i) {
    const LayerWeights& layer = w.layers[i];
    DeviceLayerWeights& made = out->layers.emplace_back();
    made.attn_norm = to.put(layer.attn_norm);
    made.ffn_norm = to.put(layer.ffn_norm);
    made.hc_attn = to.put(layer.hc_attn);
    made.hc_ffn = to.put(layer.hc_ffn);
    made.attention = put_attention(config.layers[i], layer.attention, to);
    made.moe = put_moe(layer.moe, to);
  }
}

}  // namespace

int64_t device_weight_bytes(const Config& config, const Weights& weights) {
  Writer counting(nullptr, Arena());
  DeviceWeights nowhere;
  put_all(config, weights, counting, &nowhere);
  return counting.bytes();
}

DeviceWeights upload(kernels::cuda::Stream& stream, const Config& config, const Weights& weights) {
  DeviceWeights out;
  out.memory = kernels::cuda::DeviceMemory(stream, device_weight_bytes(config, weights));
  Writer writing(&stream, Arena(out.memory.data()));
  put_all(config, weights, writing, &out);
  stream.wait();
  return out;
}

}  // namespace dsv4::llm
