#pragma once

#include <string>
#include <string_view>

namespace dsv4::llm {

// The authors' name for a tensor that a checkpoint may call by its `transformers` name (or by a mix
// of the two, as save_pretrained of transformers 5 writes it). A name that is in neither spelling
// comes back unchanged but for a leading "model.". Examples:
//   model.layers.3.self_attn.q_a_proj.weight -> layers.3.attn.wq_a.weight
//   model.layers.3.mlp.experts.gate_up_proj  -> layers.3.ffn.experts.gate_up
// The last is fused: [E, 2F, D], w1 above w3; experts.down is [E, D, F].
std::string authors_name(std::string_view name);

}  // namespace dsv4::llm
