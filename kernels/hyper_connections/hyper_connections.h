#pragma once

#include <cstdint>

#include "kernels/parallel/isa.h"
#include "kernels/parallel/thread_pool.h"

namespace dsv4::kernels {

// Manifold-constrained hyper-connections (deepseek-v4.md section 3): `streams` parallel residual
// streams, reduced to one before a site and spread again after it.

// The mixing numbers of one site from m = fn @ u, per token.
struct HyperMixParams {
  const float* m = nullptr;            // [tokens, (2+hc)*hc], before the factor r
  const float* inverse_rms = nullptr;  // [tokens], r
  int64_t tokens = 0;
  int64_t streams = 0;           // hc
  const float* base = nullptr;   // [(2+hc)*hc]
  const float* scale = nullptr;  // [3]: pre, post, comb
  float eps = 0.0F;              // hc_eps
  int64_t iterations = 0;        // hc_sinkhorn_iters, at least 1
  float* pre = nullptr;          // [tokens, hc]
  float* post = nullptr;         // [tokens, hc]
  float* comb = nullptr;         // [tokens, hc, hc], first index = incoming stream
};

void hyper_mix_reference(const HyperMixParams& p);  // double precision
void hyper_mix(ThreadPool& pool, const HyperMixParams& p);

// The head's weights: pre = sigmoid(m * r * scale + base) + eps; m and pre are [tokens, hc].
struct HyperHeadParams {
  const float* m = nullptr;
  const float* inverse_rms = nullptr;  // [tokens]
  int64_t tokens = 0;
  int64_t streams = 0;
  const float* base = nullptr;  // [hc]
  float scale = 0.0F;
  float eps = 0.0F;
  float* pre = nullptr;
};

void hyper_head(const HyperHeadParams& p);

// y = sum_j pre_j * x_j.
struct HyperReduceParams {
  const float* x = nullptr;    // [tokens, hc, dim]
  const float* pre = nullptr;  // [tokens, hc]
  int64_t tokens = 0;
  int64_t streams = 0;
  int64_t dim = 0;
  float* y = nullptr;  // [tokens, dim]
};

void hyper_reduce_reference(const HyperReduceParams& p);
void hyper_reduce(ThreadPool& pool, Isa isa, const HyperReduceParams& p);

// x'_k = post_k * z + sum_j comb[j][k] * x_j, in place.
struct HyperExpandParams {
  float* x = nullptr;           // [tokens, hc, dim]
  const float* z = nullptr;     // [tokens, dim], the site's output
  const float* post = nullptr;  // [tokens, hc]
  const float* comb = nullptr;  // [tokens, hc, hc]
  int64_t tokens = 0;
  int64_t streams = 0;
  int64_t dim = 0;
};

void hyper_expand_reference(const HyperExpandParams& p);
void hyper_expand(ThreadPool& pool, Isa isa, const HyperExpandParams& p);

}  // namespace dsv4::kernels
