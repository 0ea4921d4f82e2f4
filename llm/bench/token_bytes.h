#pragma once

#include <cstdint>

#include "llm/model.h"

namespace dsv4::llm::bench {

// Bytes of weights that decoding one id reads: all of the network but the embedding, of which it is
// one row, and of a layer's experts as many as are chosen.
int64_t weight_bytes_per_token(const Model& model);

}  // namespace dsv4::llm::bench
