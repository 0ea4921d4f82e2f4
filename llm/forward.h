#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/matmul/matmul.h"
#include "kernels/rope/rope.h"
#include "llm/layer_state.h"
#include "llm/model.h"

namespace dsv4::llm {

// What every step of a forward pass needs to know.
struct ForwardContext {
  const Config& config;
  Precision precision;
  kernels::ThreadPool& pool;
  kernels::Isa isa;
  kernels::MatmulScratch* scratch = nullptr;  // null: products allocate their own

  bool rounds() const { return precision != Precision::kF32; }

  // y [tokens, rows] = x [tokens, cols] * w^T; the activation is rounded when the precision and the
  // weight's format ask for it.
  kernels::MatmulParams product(const kernels::WeightMatrix& w, const float* x, int64_t tokens,
                                float* y) const;

  // Computes products that do not need each other as one loop: small ones would not occupy all
  // threads alone. Those of the same x stand together, so that it is rounded once.
  void multiply(std::span<const kernels::MatmulParams> products) const {
    kernels::matmul_batch(pool, isa, products, scratch);
  }

  void linear(const kernels::WeightMatrix& w, const float* x, int64_t tokens, float* y) const {
    const kernels::MatmulParams one = product(w, x, tokens, y);
    multiply({&one, 1});
  }
};

// Consecutive ids of one sequence.
struct Stretch {
  std::span<const int32_t> ids;
  int64_t start = 0;                          // position of the first
  std::vector<LayerState>* layers = nullptr;  // what the sequence has left behind, one per layer

  int64_t tokens() const { return static_cast<int64_t>(ids.size()); }
  int64_t end() const { return start + tokens(); }
};

// Ids that are computed together: stretches of different sequences, one after another. What works
// row by row takes them as one; what looks at earlier positions goes by the stretches.
struct Chunk {
  std::span<const Stretch> stretches;
  std::vector<int32_t> ids;            // of all stretches
  kernels::RopeTable rope;             // of layers without a compressor
  kernels::RopeTable compressed_rope;  // of layers with one

  int64_t tokens() const { return static_cast<int64_t>(ids.size()); }
};

// Memory of one site that is kept from chunk to chunk, so that decoding allocates nothing. A buffer
// only ever grows. Registers are loaded from it: it begins with a line of the processor's caches.
class Buffer {
 public:
  float* get(int64_t floats);

 private:
  struct Free {
    void operator()(float* data) const;
  };
  std::unique_ptr<float[], Free> data_;
  int64_t size_ = 0;
};

}  // namespace dsv4::llm
