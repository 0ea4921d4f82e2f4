#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>

// Fresh random numbers in every run. A test puts seed() into its INFO, so that a failure says how
// to repeat it: DSV4_SEED in the environment sets the seed.
class Random {
 public:
  Random() : Random(fresh_seed()) {}
  explicit Random(uint64_t seed) : engine_(seed), seed_(seed) {}

  float normal() { return std::normal_distribution<float>()(engine_); }
  float uniform(float low, float high) {
    return std::uniform_real_distribution<float>(low, high)(engine_);
  }
  // In [low, high], both included.
  int64_t integer(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(engine_);
  }
  uint64_t seed() const { return seed_; }

 private:
  static uint64_t fresh_seed();

  std::mt19937_64 engine_;
  uint64_t seed_;
};

inline uint64_t Random::fresh_seed() {
  if (const char* text = std::getenv("DSV4_SEED")) return std::strtoull(text, nullptr, 10);
  return std::random_device{}();
}
