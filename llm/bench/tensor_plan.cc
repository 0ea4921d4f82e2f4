#include "llm/bench/tensor_plan.h"

#include <functional>
#include <numeric>
#include <utility>

namespace dsv4::llm::bench {
namespace {

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

class Planner {
 public:
  Planner(const Config& config, bool fp4) : c_(config), fp4_(fp4) {}

  std::vector<PlannedTensor> run() {
    matrix(DType::kBf16, "embed", c_.vocab_size, c_.hidden_size);
    matrix(DType::kBf16, "head", c_.vocab_size, c_.hidden_size);
    ones("norm.weight", c_.hidden_size);
    hyper("hc_head", c_.hc_mult, 1);
    for (size_t i = 0; i < c_.layers.size(); ++i) {
      layer("layers." + std::to_string(i) + ".", c_.layers[i]);
    }
    return std::move(out_);
  }

 private:
  void add(const std::string& name, DType dtype, std::vector<int64_t> shape, Filling filling,
           int64_t inputs = 1) {
    out_.push_back({name, dtype, std::move(shape), filling, inputs});
  }
  void ones(const std::string& name, int64_t n) { add(name, DType::kBf16, {n}, Filling::kOnes); }
  void small(const std::string& name, std::vector<int64_t> shape) {
    add(name, DType::kF32, std::move(shape), Filling::kSmall);
  }
  void matrix(DType dtype, const std::string& name, int64_t rows, int64_t cols) {
    add(name + ".weight", dtype, {rows, cols}, Filling::kMatrix, cols);
  }
  void fp8(const std::string& name, int64_t rows, int64_t cols) {
    matrix(DType::kF8E4M3, name, rows, cols);
    add(name + ".scale", DType::kF8E8M0, {ceil_div(rows, 128), ceil_div(cols, 128)},
        Filling::kScales, cols);
  }
  void fp4(const std::string& name, int64_t rows, int64_t cols) {
    add(name + ".weight", DType::kI8, {rows, cols / 2}, Filling::kMatrix, cols);
    add(name + ".scale", DType::kF8E8M0, {rows, cols / 32}, Filling::kScales, cols);
  }

  void hyper(const std::string& name, int64_t rows, int64_t scales) {
    add(name + "_fn", DType::kF32, {rows, c_.hc_mult * c_.hidden_size}, Filling::kMatrix,
        c_.hc_mult * c_.hidden_size);
    small(name + "_base", {rows});
    small(name + "_scale", {scales});
  }

  void compressor(const std::string& p, const LayerConfig& layer, int64_t dim) {
    const int64_t width = layer.overlaps() ? 2 * dim : dim;
    matrix(DType::kBf16, p + "wkv", width, c_.hidden_size);
    matrix(DType::kBf16, p + "wgate", width, c_.hidden_size);
    small(p + "ape", {layer.compress_ratio, width});
    ones(p + "norm.weight", dim);
  }

  void attention(const std::string& p, const LayerConfig& layer) {
    const int64_t heads = c_.num_attention_heads;
    fp8(p + "wq_a", c_.q_lora_rank, c_.hidden_size);
    ones(p + "q_norm.weight", c_.q_lora_rank);
    fp8(p + "wq_b", heads * c_.head_dim, c_.q_lora_rank);
    fp8(p + "wkv", c_.head_dim, c_.hidden_size);
    ones(p + "kv_norm.weight", c_.head_dim);
    small(p + "attn_sink", {heads});
    fp8(p + "wo_a", c_.o_groups * c_.o_lora_rank, heads * c_.head_dim / c_.o_groups);
    fp8(p + "wo_b", c_.hidden_size, c_.o_groups * c_.o_lora_rank);
    if (layer.compresses()) compressor(p + "compressor.", layer, c_.head_dim);
    if (!layer.overlaps()) return;
    fp8(p + "indexer.wq_b", c_.index_n_heads * c_.index_head_dim, c_.q_lora_rank);
    matrix(DType::kBf16, p + "indexer.weights_proj", c_.index_n_heads, c_.hidden_size);
    compressor(p + "indexer.compressor.", layer, c_.index_head_dim);
  }

  void expert(const std::string& p, bool packed) {
    const auto put = [&](const char* name, int64_t rows, int64_t cols) {
      packed ? fp4(p + name, rows, cols) : fp8(p + name, rows, cols);
    };
    put("w1", c_.moe_intermediate_size, c_.hidden_size);
    put("w2", c_.hidden_size, c_.moe_intermediate_size);
    put("w3", c_.moe_intermediate_size, c_.hidden_size);
  }

  void layer(const std::string& p, const LayerConfig& layer) {
    ones(p + "attn_norm.weight", c_.hidden_size);
    ones(p + "ffn_norm.weight", c_.hidden_size);
    hyper(p + "hc_attn", (2 + c_.hc_mult) * c_.hc_mult, 3);
    hyper(p + "hc_ffn", (2 + c_.hc_mult) * c_.hc_mult, 3);
    attention(p + "attn.", layer);
    matrix(DType::kBf16, p + "ffn.gate", c_.n_routed_experts, c_.hidden_size);
    if (layer.routing == Routing::kHash) {
      add(p + "ffn.gate.tid2eid", DType::kI64, {c_.vocab_size, c_.num_experts_per_tok},
          Filling::kExperts);
    } else {
      small(p + "ffn.gate.bias", {c_.n_routed_experts});
    }
    for (int64_t e = 0; e < c_.n_routed_experts; ++e) {
      expert(p + "ffn.experts." + std::to_string(e) + ".", fp4_);
    }
    expert(p + "ffn.shared_experts.", false);
  }

  const Config& c_;
  bool fp4_;
  std::vector<PlannedTensor> out_;
};

}  // namespace

int64_t PlannedTensor::bytes() const {
  return std::accumulate(shape.begin(), shape.end(), dtype_bytes(dtype), std::multiplies<>());
}

std::vector<PlannedTensor> plan_tensors(const Config& config, bool fp4) {
  return Planner(config, fp4).run();
}

}  // namespace dsv4::llm::bench
