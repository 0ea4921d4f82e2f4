#include "llm/tensor_names.h"

#include <array>

namespace dsv4::llm {
namespace {

struct Alias {
  std::string_view theirs;  // transformers
  std::string_view ours;    // the authors'
};

// Whole names.
constexpr std::array<Alias, 5> kTop = {{
    {"embed_tokens.weight", "embed.weight"},
    {"lm_head.weight", "head.weight"},
    {"hc_head.hc_fn", "hc_head_fn"},
    {"hc_head.hc_base", "hc_head_base"},
    {"hc_head.hc_scale", "hc_head_scale"},
}};

// First parts of what follows "layers.N."; the longest comes first where one begins another.
constexpr std::array<Alias, 34> kLayer = {{
    {"input_layernorm.", "attn_norm."},
    {"post_attention_layernorm.", "ffn_norm."},
    {"attn_hc.fn", "hc_attn_fn"},
    {"attn_hc.base", "hc_attn_base"},
    {"attn_hc.scale", "hc_attn_scale"},
    {"ffn_hc.fn", "hc_ffn_fn"},
    {"ffn_hc.base", "hc_ffn_base"},
    {"ffn_hc.scale", "hc_ffn_scale"},
    {"attn.sinks", "attn.attn_sink"},
    {"attn.q_a_proj.", "attn.wq_a."},
    {"attn.q_a_norm.", "attn.q_norm."},
    {"attn.q_b_proj.", "attn.wq_b."},
    {"attn.kv_proj.", "attn.wkv."},
    {"attn.norm.", "attn.kv_norm."},
    {"attn.o_a_proj.", "attn.wo_a."},
    {"attn.o_b_proj.", "attn.wo_b."},
    {"attn.compressor.indexer.q_b_proj.", "attn.indexer.wq_b."},
    {"attn.compressor.indexer.scorer.weights_proj.", "attn.indexer.weights_proj."},
    {"attn.compressor.indexer.kv_proj.", "attn.indexer.compressor.wkv."},
    {"attn.compressor.indexer.gate_proj.", "attn.indexer.compressor.wgate."},
    {"attn.compressor.indexer.position_bias", "attn.indexer.compressor.ape"},
    {"attn.compressor.indexer.kv_norm.", "attn.indexer.compressor.norm."},
    {"attn.compressor.kv_proj.", "attn.compressor.wkv."},
    {"attn.compressor.gate_proj.", "attn.compressor.wgate."},
    {"attn.compressor.position_bias", "attn.compressor.ape"},
    {"attn.compressor.kv_norm.", "attn.compressor.norm."},
    {"ffn.gate.e_score_correction_bias", "ffn.gate.bias"},
    {"ffn.shared_experts.gate_proj.", "ffn.shared_experts.w1."},
    {"ffn.shared_experts.up_proj.", "ffn.shared_experts.w3."},
    {"ffn.shared_experts.down_proj.", "ffn.shared_experts.w2."},
    {"ffn.experts.gate_up_proj", "ffn.experts.gate_up"},
    {"ffn.experts.down_proj", "ffn.experts.down"},
    {"self_attn.", "attn."},
    {"mlp.", "ffn."},
}};

// One expert's matrices, after "ffn.experts.J.".
constexpr std::array<Alias, 3> kExpert = {{
    {"gate_proj.", "w1."},
    {"up_proj.", "w3."},
    {"down_proj.", "w2."},
}};

template <size_t N>
bool replace_prefix(const std::array<Alias, N>& table, std::string& name) {
  for (const Alias& alias : table) {
    if (name.compare(0, alias.theirs.size(), alias.theirs) == 0) {
      name.replace(0, alias.theirs.size(), alias.ours);
      return true;
    }
  }
  return false;
}

// Length of "PREFIX.digits." at the start of name, or 0.
size_t numbered(std::string_view name, std::string_view prefix) {
  if (name.substr(0, prefix.size()) != prefix) return 0;
  size_t end = prefix.size();
  while (end < name.size() && name[end] >= '0' && name[end] <= '9') ++end;
  if (end == prefix.size() || end >= name.size() || name[end] != '.') return 0;
  return end + 1;
}

std::string layer_name(std::string name) {
  // Once for the site, once for what is in it.
  if (replace_prefix(kLayer, name)) replace_prefix(kLayer, name);
  if (const size_t head = numbered(name, "ffn.experts.")) {
    std::string tail = name.substr(head);
    replace_prefix(kExpert, tail);
    name = name.substr(0, head) + tail;
  }
  for (const std::string_view scale : {".weight_scale_inv", ".weight.scale"}) {
    if (name.size() > scale.size() && name.ends_with(scale)) {
      name.replace(name.size() - scale.size(), scale.size(), ".scale");
    }
  }
  return name;
}

}  // namespace

std::string authors_name(std::string_view name) {
  constexpr std::string_view kModel = "model.";
  if (name.starts_with(kModel)) name.remove_prefix(kModel.size());
  for (const Alias& alias : kTop) {
    if (name == alias.theirs) return std::string(alias.ours);
  }
  for (const std::string_view block : {"layers.", "mtp."}) {
    if (const size_t head = numbered(name, block)) {
      return std::string(name.substr(0, head)) + layer_name(std::string(name.substr(head)));
    }
  }
  return std::string(name);
}

}  // namespace dsv4::llm
