// The way back: a Config as config.json.
#include <nlohmann/json.hpp>
#include <string>

#include "llm/config.h"

namespace dsv4::llm {
namespace {

const char* scoring_name(ScoringFunction scoring) {
  switch (scoring) {
    case ScoringFunction::kSqrtSoftplus:
      return "sqrtsoftplus";
    case ScoringFunction::kSoftmax:
      return "softmax";
    case ScoringFunction::kSigmoid:
      return "sigmoid";
  }
  return "";
}

const char* type_name(AttentionKind kind) {
  switch (kind) {
    case AttentionKind::kSlidingWindow:
      return "sliding_attention";
    case AttentionKind::kCompressedSparse:
      return "compressed_sparse_attention";
    case AttentionKind::kHeavilyCompressed:
      return "heavily_compressed_attention";
  }
  return "";
}

// Whether the authors' code would read the layer back from its ratio alone.
bool ratio_says_all(const LayerConfig& layer) {
  return layer.overlaps() == (layer.compress_ratio == 4);
}

void write_layers(const Config& c, nlohmann::json& out) {
  bool by_ratio = true;
  nlohmann::json ratios = nlohmann::json::array();
  nlohmann::json types = nlohmann::json::array();
  nlohmann::json rates = nlohmann::json::object();
  nlohmann::json mlp = nlohmann::json::array();
  for (const LayerConfig& layer : c.layers) {
    by_ratio = by_ratio && ratio_says_all(layer);
    ratios.push_back(layer.compress_ratio);
    types.push_back(type_name(layer.attention));
    mlp.push_back(layer.routing == Routing::kHash ? "hash_moe" : "moe");
    if (layer.compresses()) rates[type_name(layer.attention)] = layer.compress_ratio;
  }
  for (const LayerConfig& layer : c.mtp) ratios.push_back(layer.compress_ratio);
  // The routing of each layer has one spelling that can say everything.
  out["mlp_layer_types"] = mlp;
  if (by_ratio) {
    out["compress_ratios"] = ratios;
  } else {
    out["layer_types"] = types;
    out["compress_rates"] = rates;
  }
}

}  // namespace

nlohmann::json to_json(const Config& c) {
  nlohmann::json out = {
      {"architectures", {"DeepseekV4ForCausalLM"}},
      {"model_type", "deepseek_v4"},
      {"num_hidden_layers", c.layers.size()},
      {"num_nextn_predict_layers", c.mtp.size()},
      {"vocab_size", c.vocab_size},
      {"hidden_size", c.hidden_size},
      {"num_attention_heads", c.num_attention_heads},
      {"num_key_value_heads", 1},
      {"head_dim", c.head_dim},
      {"qk_rope_head_dim", c.rope_dim},
      {"q_lora_rank", c.q_lora_rank},
      {"o_groups", c.o_groups},
      {"o_lora_rank", c.o_lora_rank},
      {"n_routed_experts", c.n_routed_experts},
      {"n_shared_experts", 1},
      {"num_experts_per_tok", c.num_experts_per_tok},
      {"moe_intermediate_size", c.moe_intermediate_size},
      {"sliding_window", c.sliding_window},
      {"hc_mult", c.hc_mult},
      {"hc_sinkhorn_iters", c.hc_sinkhorn_iters},
      {"hc_eps", c.hc_eps},
      {"rms_norm_eps", c.rms_norm_eps},
      {"swiglu_limit", c.swiglu_limit},
      {"routed_scaling_factor", c.routed_scaling_factor},
      {"rope_theta", c.rope_theta},
      {"compress_rope_theta", c.compress_rope_theta},
      {"scoring_func", scoring_name(c.scoring)},
      {"tie_word_embeddings", c.tie_word_embeddings},
      {"max_position_embeddings", c.max_position_embeddings},
      {"bos_token_id", c.bos_token_id},
      {"eos_token_id", c.eos_token_ids},
  };
  if (c.index_head_dim > 0) {
    out["index_n_heads"] = c.index_n_heads;
    out["index_head_dim"] = c.index_head_dim;
    out["index_topk"] = c.index_topk;
  }
  if (c.yarn.original_length > 0) {
    out["rope_scaling"] = {{"type", "yarn"},
                           {"factor", c.yarn.factor},
                           {"original_max_position_embeddings", c.yarn.original_length},
                           {"beta_fast", c.yarn.beta_fast},
                           {"beta_slow", c.yarn.beta_slow}};
  }
  if (c.has_drafter) out["dspark_present"] = true;
  write_layers(c, out);
  return out;
}

}  // namespace dsv4::llm
