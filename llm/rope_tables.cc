#include "llm/rope_tables.h"

namespace dsv4::llm {

std::vector<float> rope_frequencies(const Config& config, bool compressed) {
  kernels::RopeSettings s;
  s.dim = config.rope_dim;
  s.theta = compressed ? config.compress_rope_theta : config.rope_theta;
  if (compressed) {
    s.factor = config.yarn.factor;
    s.original_length = config.yarn.original_length;
    s.beta_fast = config.yarn.beta_fast;
    s.beta_slow = config.yarn.beta_slow;
  }
  return kernels::rope_frequencies(s);
}

}  // namespace dsv4::llm
