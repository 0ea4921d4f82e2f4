#include <algorithm>
#include <atomic>
#include <vector>

#include "kernels/bench/measure.h"

namespace dsv4::kernels::bench {
namespace {

// Ten chains of dependent multiply-adds keep two units of latency four or five busy.
constexpr int kChains = 10;
constexpr int kRounds = 400'000;

// Inlined into one function per instruction set, which decides what becomes of the vectors.
template <class Vector>
[[gnu::always_inline]] inline float multiply_add_chains(int lanes) {
  Vector chains[kChains];
  for (int i = 0; i < kChains; ++i) chains[i] = Vector{} + static_cast<float>(i);
  const Vector w = Vector{} + 0.999f;
  const Vector x = Vector{} + 0.001f;
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 10
    for (int i = 0; i < kChains; ++i) chains[i] = chains[i] * w + x;
  }
  Vector total = chains[0];
  for (int i = 1; i < kChains; ++i) total += chains[i];
  float sum = 0;
  for (int i = 0; i < lanes; ++i) sum += total[i];
  return sum;
}

typedef float Float4 __attribute__((vector_size(16)));
typedef float Float8 __attribute__((vector_size(32)));
typedef float Float16 __attribute__((vector_size(64)));

float chains_baseline() { return multiply_add_chains<Float4>(4); }
#if defined(__x86_64__)
[[gnu::target("avx2,fma")]] float chains_avx2() { return multiply_add_chains<Float8>(8); }
[[gnu::target("avx512f,fma")]] float chains_avx512() { return multiply_add_chains<Float16>(16); }
#endif

struct Chains {
  float (*run)();
  int lanes;
};

Chains chains_for(Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::kAvx512) return {chains_avx512, 16};
  if (isa >= Isa::kAvx2) return {chains_avx2, 8};
#endif
  return {chains_baseline, 4};
}

double measure_flops(ThreadPool& pool, Isa isa) {
  const Chains chains = chains_for(isa);
  std::vector<float> kept(static_cast<size_t>(pool.size()));
  const Times t = measure([&] {
    pool.parallel_for(pool.size(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) kept[static_cast<size_t>(i)] = chains.run();
    });
  });
  return 2.0 * kRounds * kChains * chains.lanes * pool.size() / t.low;
}

double measure_read(ThreadPool& pool) {
  constexpr int64_t kWords = (int64_t{192} << 20) / 8;  // well beyond any cache
  const std::vector<uint64_t> memory(static_cast<size_t>(kWords), 1);
  std::atomic<uint64_t> kept{0};
  const Times t = measure([&] {
    pool.parallel_for(kWords, int64_t{1} << 20, [&](int64_t begin, int64_t end) {
      uint64_t sum = 0;
      for (int64_t i = begin; i < end; ++i) sum += memory[static_cast<size_t>(i)];
      kept += sum;
    });
  });
  return static_cast<double>(kWords) * 8 / t.low;
}

}  // namespace

Ceilings measure_ceilings(ThreadPool& pool, Isa isa) {
  return {measure_read(pool), measure_flops(pool, isa)};
}

}  // namespace dsv4::kernels::bench
