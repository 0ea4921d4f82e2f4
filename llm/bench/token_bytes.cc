#include "llm/bench/token_bytes.h"

#include <string_view>

namespace dsv4::llm::bench {

int64_t weight_bytes_per_token(const Model& model) {
  const Config& c = model.config();
  const auto holds = [](std::string_view name, std::string_view part) {
    return name.find(part) != std::string_view::npos;
  };
  int64_t always = 0;
  int64_t experts = 0;
  for (const auto& [name, tensor] : model.weights().checkpoint.tensors()) {
    const int64_t bytes = tensor.elements() * dtype_bytes(tensor.dtype);
    if (name.starts_with("mtp.") || holds(name, "embed") || holds(name, "tid2eid")) continue;
    (holds(name, ".experts.") ? experts : always) += bytes;
  }
  if (experts == 0) return always;
  return always + experts * c.num_experts_per_tok / c.n_routed_experts;
}

}  // namespace dsv4::llm::bench
