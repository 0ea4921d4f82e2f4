#include "llm/cuda/device_buffers.h"

#include <algorithm>

#include "kernels/attention/attention_cuda.h"
#include "kernels/hyper_connections/hyper_connections_cuda.h"
#include "kernels/indexer/indexer_cuda.h"
#include "kernels/matmul/matmul_cuda.h"

namespace dsv4::llm {

namespace cuda = kernels::cuda;

namespace {

constexpr int64_t kSelectAtOnce = 128;  // tokens whose entries are chosen side by side

int64_t width_of(const LayerConfig& layer, int64_t dim) { return layer.overlaps() ? 2 * dim : dim; }

void lay_out_input(const Config& c, const RunSize& size, Arena& arena, RunMemory* m) {
  m->position = arena.take<int64_t>(size.tokens);
  m->ids = arena.take<int32_t>(size.tokens);
  m->sequence = arena.take<int32_t>(size.tokens);
  m->begin = arena.take<int32_t>(size.sequences + 1);
  m->pointers =
      arena.take<void*>(static_cast<int64_t>(c.layers.size()) * kStatePointers * size.sequences);
}

void lay_out_left(const Config& c, const RunSize& size, Arena& arena, RunMemory* m) {
  const int64_t before = arena.used();
  for (const LayerConfig& layer : c.layers) {
    LeftBehind& left = m->left.emplace_back();
    left.raw = arena.take<float>(size.tokens * c.head_dim);
    if (layer.compresses()) {
      left.kv = arena.take<float>(size.tokens * width_of(layer, c.head_dim));
      left.gate = arena.take<float>(size.tokens * width_of(layer, c.head_dim));
    }
    if (layer.overlaps()) {
      left.index_kv = arena.take<float>(size.tokens * width_of(layer, c.index_head_dim));
      left.index_gate = arena.take<float>(size.tokens * width_of(layer, c.index_head_dim));
    }
  }
  m->left_begin = m->left.front().raw;
  m->left_floats = (arena.used() - before) / static_cast<int64_t>(sizeof(float));
}

// Fewer tokens are split among more blocks: the most that any number of them takes.
int64_t attention_bytes(const Config& c, const cuda::DeviceInfo& card, int64_t tokens) {
  int64_t most = 0;
  for (int64_t t = 1; t <= tokens; ++t) {
    const int64_t splits = cuda::attend_splits(card.processors, t, c.num_attention_heads);
    most = std::max(most, cuda::attend_scratch_bytes(t, c.num_attention_heads, c.head_dim, splits));
  }
  return most;
}

// The most that the products of a step take.
int64_t product_bytes(const Config& c, const DeviceWeights& weights, int64_t tokens) {
  int64_t most = 0;
  const auto step = [&](int64_t inputs, int64_t cols) {
    for (const auto rounding :
         {kernels::ActivationRounding::kNone, kernels::ActivationRounding::kFp8Block128}) {
      most = std::max(most, inputs * cuda::matmul_scratch_bytes(tokens, cols, rounding));
    }
  };
  step(1, c.hidden_size);
  step(1, c.q_lora_rank);
  step(c.o_groups, c.num_attention_heads / c.o_groups * c.head_dim);
  step(1, c.o_groups * c.o_lora_rank);
  for (const DeviceLayerWeights& layer : weights.layers) {
    most = std::max(most, cuda::experts_scratch_bytes(experts_of(c, layer.moe, tokens)));
  }
  return most;
}

void lay_out_site(const Config& c, const RunSize& size, Arena& arena, RunMemory* m) {
  const int64_t tokens = size.tokens;
  m->qr = arena.take<float>(tokens * c.q_lora_rank);
  m->q = arena.take<float>(tokens * c.num_attention_heads * c.head_dim);
  m->index_q = arena.take<float>(tokens * c.index_n_heads * c.index_head_dim);
  m->index_weights = arena.take<float>(tokens * c.index_n_heads);
  m->selected = arena.take<int32_t>(tokens * c.index_topk);
  m->count = arena.take<int32_t>(tokens);
  m->router = arena.take<float>(tokens * c.n_routed_experts);
  m->chosen = arena.take<int32_t>(tokens * c.num_experts_per_tok);
  m->chosen_weight = arena.take<float>(tokens * c.num_experts_per_tok);
  m->heads = arena.take<float>(tokens * c.num_attention_heads * c.head_dim);
  m->low_rank = arena.take<float>(tokens * c.o_groups * c.o_lora_rank);
}

}  // namespace

cuda::ExpertsParams experts_of(const Config& c, const DeviceMoe& weights, int64_t tokens) {
  cuda::ExpertsParams p;
  p.tokens = tokens;
  p.hidden = c.hidden_size;
  p.width = c.moe_intermediate_size;
  p.experts = c.n_routed_experts;
  p.chosen = c.num_experts_per_tok;
  p.format = weights.format;
  p.matrices = weights.experts;
  p.shared_format = weights.shared_format;
  p.shared = weights.shared;
  p.limit = static_cast<float>(c.swiglu_limit);
  return p;
}

RunMemory lay_out(const Config& c, const DeviceWeights& weights, const cuda::DeviceInfo& card,
                  const RunSize& size, Arena& arena) {
  RunMemory m;
  const int64_t tokens = size.tokens;
  lay_out_input(c, size, arena, &m);
  lay_out_left(c, size, arena, &m);
  m.streams = arena.take<float>(tokens * c.hc_mult * c.hidden_size);
  m.post = arena.take<float>(tokens * c.hc_mult);
  m.comb = arena.take<float>(tokens * c.hc_mult * c.hc_mult);
  m.y = arena.take<float>(tokens * c.hidden_size);
  m.z = arena.take<float>(tokens * c.hidden_size);
  m.hyper_bytes = cuda::hyper_enter_scratch_bytes(tokens, c.hc_mult, c.hidden_size);
  m.hyper = arena.take<std::byte>(m.hyper_bytes);
  for (float** turns : {&m.cos, &m.sin, &m.compressed_cos, &m.compressed_sin}) {
    *turns = arena.take<float>(tokens * c.rope_dim / 2);
  }
  lay_out_site(c, size, arena, &m);
  m.logits = arena.take<float>(std::min(tokens, kLogitsAtOnce) * c.vocab_size);
  m.attention = arena.take<std::byte>(attention_bytes(c, card, tokens));
  m.select_bytes =
      cuda::select_scratch_bytes(std::min(tokens, kSelectAtOnce), size.entries, c.index_topk);
  m.select = arena.take<std::byte>(m.select_bytes);
  m.product_bytes = product_bytes(c, weights, tokens);
  m.products = arena.take<std::byte>(m.product_bytes);
  return m;
}

}  // namespace dsv4::llm
