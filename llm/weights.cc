#include "llm/weights.h"

#include <string>
#include <utility>

#include "llm/error.h"
#include "llm/tensor_binder.h"

namespace dsv4::llm {
namespace {

using kernels::WeightFormat;
using kernels::WeightMatrix;

int64_t row_bytes(const WeightMatrix& m) {
  switch (m.format) {
    case WeightFormat::kF32:
      return m.cols * 4;
    case WeightFormat::kBf16:
      return m.cols * 2;
    case WeightFormat::kFp8Block128:
      return m.cols;
    case WeightFormat::kFp4Block32:
      return m.cols / 2;
  }
  return 0;
}

// Rows [begin, begin + rows) as a matrix of their own. For FP8 `begin` starts a block of 128 rows.
WeightMatrix slice(const WeightMatrix& m, int64_t begin, int64_t rows) {
  WeightMatrix out = m;
  out.rows = rows;
  if (m.data == nullptr) return out;
  out.data = static_cast<const std::byte*>(m.data) + begin * row_bytes(m);
  if (m.format == WeightFormat::kFp8Block128) out.scale += begin / 128 * ((m.cols + 127) / 128);
  if (m.format == WeightFormat::kFp4Block32) out.scale += begin * (m.cols / 32);
  return out;
}

class Loader {
 public:
  Loader(const Config& config, TensorBinder& binder) : c_(config), b_(binder) {}

  HyperWeights hyper(const std::string& name, int64_t rows, int64_t scales) {
    HyperWeights w;
    w.fn = b_.matrix(name + "_fn", rows, c_.hc_mult * c_.hidden_size, true);
    w.base = b_.floats(name + "_base", {rows});
    w.scale = b_.floats(name + "_scale", {scales});
    return w;
  }

  HyperWeights hyper_head(const std::string& prefix) {
    return hyper(prefix + "hc_head", c_.hc_mult, 1);
  }

  LayerWeights layer(const std::string& p, const LayerConfig& config) {
    LayerWeights w;
    w.attn_norm = b_.floats(p + "attn_norm.weight", {c_.hidden_size});
    w.ffn_norm = b_.floats(p + "ffn_norm.weight", {c_.hidden_size});
    w.hc_attn = hyper(p + "hc_attn", (2 + c_.hc_mult) * c_.hc_mult, 3);
    w.hc_ffn = hyper(p + "hc_ffn", (2 + c_.hc_mult) * c_.hc_mult, 3);
    w.attention = attention(p + "attn.", config);
    w.moe = moe(p + "ffn.", config);
    return w;
  }

 private:
  CompressorWeights compressor(const std::string& p, const LayerConfig& layer, int64_t dim) {
    const int64_t width = layer.overlaps() ? 2 * dim : dim;
    CompressorWeights w;
    w.wkv = b_.matrix(p + "wkv", width, c_.hidden_size);
    w.wgate = b_.matrix(p + "wgate", width, c_.hidden_size);
    w.ape = b_.floats(p + "ape", {layer.compress_ratio, width});
    w.norm = b_.floats(p + "norm.weight", {dim});
    return w;
  }

  std::vector<WeightMatrix> output_groups(const std::string& name) {
    const int64_t per_group = c_.num_attention_heads * c_.head_dim / c_.o_groups;
    WeightMatrix all = b_.matrix(name, c_.o_groups * c_.o_lora_rank, per_group);
    // A group that begins inside a block of scales cannot be a view.
    if (all.format == WeightFormat::kFp8Block128 && all.data != nullptr &&
        c_.o_lora_rank % 128 != 0) {
      all = b_.widen(all);
    }
    std::vector<WeightMatrix> groups;
    for (int64_t g = 0; g < c_.o_groups && all.data != nullptr; ++g) {
      groups.push_back(slice(all, g * c_.o_lora_rank, c_.o_lora_rank));
    }
    return groups;
  }

  AttentionWeights attention(const std::string& p, const LayerConfig& layer) {
    const int64_t heads = c_.num_attention_heads;
    AttentionWeights w;
    w.wq_a = b_.matrix(p + "wq_a", c_.q_lora_rank, c_.hidden_size);
    w.q_norm = b_.floats(p + "q_norm.weight", {c_.q_lora_rank});
    w.wq_b = b_.matrix(p + "wq_b", heads * c_.head_dim, c_.q_lora_rank);
    w.wkv = b_.matrix(p + "wkv", c_.head_dim, c_.hidden_size);
    w.kv_norm = b_.floats(p + "kv_norm.weight", {c_.head_dim});
    w.sink = b_.floats(p + "attn_sink", {heads});
    w.wo_a = output_groups(p + "wo_a");
    w.wo_b = b_.matrix(p + "wo_b", c_.hidden_size, c_.o_groups * c_.o_lora_rank);
    if (layer.compresses()) w.compressor = compressor(p + "compressor.", layer, c_.head_dim);
    if (layer.attention == AttentionKind::kCompressedSparse) {
      const std::string i = p + "indexer.";
      w.indexer.wq_b = b_.matrix(i + "wq_b", c_.index_n_heads * c_.index_head_dim, c_.q_lora_rank);
      w.indexer.weights_proj = b_.matrix(i + "weights_proj", c_.index_n_heads, c_.hidden_size);
      w.indexer.compressor = compressor(i + "compressor.", layer, c_.index_head_dim);
    }
    return w;
  }

  ExpertWeights expert(const std::string& p) {
    ExpertWeights w;
    w.w1 = b_.matrix(p + "w1", c_.moe_intermediate_size, c_.hidden_size);
    w.w3 = b_.matrix(p + "w3", c_.moe_intermediate_size, c_.hidden_size);
    w.w2 = b_.matrix(p + "w2", c_.hidden_size, c_.moe_intermediate_size);
    return w;
  }

  std::vector<ExpertWeights> fused_experts(const std::string& p) {
    const int64_t f = c_.moe_intermediate_size;
    const WeightMatrix up = b_.fused(p + "gate_up", c_.n_routed_experts, 2 * f, c_.hidden_size);
    const WeightMatrix down = b_.fused(p + "down", c_.n_routed_experts, c_.hidden_size, f);
    std::vector<ExpertWeights> out;
    for (int64_t e = 0; e < c_.n_routed_experts; ++e) {
      out.push_back({slice(up, 2 * f * e, f), slice(up, 2 * f * e + f, f),
                     slice(down, c_.hidden_size * e, c_.hidden_size)});
    }
    return out;
  }

  MoeWeights moe(const std::string& p, const LayerConfig& layer) {
    MoeWeights w;
    w.gate = b_.matrix(p + "gate", c_.n_routed_experts, c_.hidden_size);
    if (layer.routing == Routing::kHash) {
      w.tid2eid = b_.indexes(p + "gate.tid2eid", c_.vocab_size, c_.num_experts_per_tok,
                             c_.n_routed_experts);
    } else {
      w.bias = b_.floats(p + "gate.bias", {c_.n_routed_experts});
    }
    if (b_.has(p + "experts.gate_up")) {
      w.experts = fused_experts(p + "experts.");
    } else {
      for (int64_t e = 0; e < c_.n_routed_experts; ++e) {
        w.experts.push_back(expert(p + "experts." + std::to_string(e) + "."));
      }
    }
    w.shared = expert(p + "shared_experts.");
    return w;
  }

  const Config& c_;
  TensorBinder& b_;
};

std::vector<MtpWeights> load_mtp(const Config& c, TensorBinder& b, Loader& loader) {
  std::vector<MtpWeights> out;
  // Announced by the config but left out of the file, as `transformers` exports do: decoding goes
  // on without drafts.
  for (size_t i = 0; i < c.mtp.size() && b.has_prefix("mtp." + std::to_string(i) + "."); ++i) {
    const std::string p = "mtp." + std::to_string(i) + ".";
    MtpWeights w;
    w.layer = loader.layer(p, c.mtp[i]);
    w.e_proj = b.matrix(p + "e_proj", c.hidden_size, c.hidden_size);
    w.h_proj = b.matrix(p + "h_proj", c.hidden_size, c.hidden_size);
    w.enorm = b.floats(p + "enorm.weight", {c.hidden_size});
    w.hnorm = b.floats(p + "hnorm.weight", {c.hidden_size});
    w.norm = b.floats(p + "norm.weight", {c.hidden_size});
    w.hc_head = loader.hyper_head(p);
    out.push_back(std::move(w));
  }
  if (c.has_drafter || c.mtp.empty()) b.ignore_prefix("mtp.");
  if (c.has_drafter) b.ignore_prefix("dspark");
  return out;
}

}  // namespace

Weights load_weights(const Config& c, Checkpoint checkpoint) {
  Weights w;
  w.checkpoint = std::move(checkpoint);
  TensorBinder b(w.checkpoint, w.converted);
  Loader loader(c, b);
  w.embed = b.matrix("embed", c.vocab_size, c.hidden_size);
  const bool tied = c.tie_word_embeddings && !b.has("head.weight");
  w.head = tied ? w.embed : b.matrix("head", c.vocab_size, c.hidden_size);
  w.norm = b.floats("norm.weight", {c.hidden_size});
  w.hc_head = loader.hyper_head("");
  for (size_t i = 0; i < c.layers.size(); ++i) {
    w.layers.push_back(loader.layer("layers." + std::to_string(i) + ".", c.layers[i]));
  }
  w.mtp = load_mtp(c, b, loader);
  b.finish();
  if (w.embed.format != WeightFormat::kF32 && w.embed.format != WeightFormat::kBf16) {
    throw ModelError("the tensor 'embed.weight' must hold floats");
  }
  w.quantized = b.quantized();
  return w;
}

}  // namespace dsv4::llm
