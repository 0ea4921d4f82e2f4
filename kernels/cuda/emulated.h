#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>

// A block of lanes on the processor, for tests: see lane.h, which includes this. Lanes run in an
// order that changes from block to block until they reach a barrier, so that a barrier that is
// missing shows; shared memory starts out poisoned; lanes that wait for each other for ever are an
// error. Included by lane.h only.

namespace dsv4::kernels::cuda {

namespace emulated {

struct Block {
  int block_x = 0;
  int block_y = 0;
  int blocks_x = 1;
  int blocks_y = 1;
  int threads = 32;
  int64_t shared_bytes = 0;
};

// Runs `lane` once for every lane of the block, in this thread. Throws what a lane throws, and
// std::logic_error when lanes of a block or warp do not meet at the same barrier.
void run_block(const Block& block, const std::function<void()>& lane);

// The lane that is running in this thread: what its code asks for has no other way to it.
struct Running {
  Block block;
  int thread = 0;
  char* shared = nullptr;
};
inline thread_local Running running;

void sync_block();

// Puts `bytes` bytes, at most kExchange, where all lanes of the warp see them, waits for all of
// them, and returns where lane 0's are; lane i's are i * kExchange bytes further.
inline constexpr int kExchange = 32;
const char* exchange(const void* value, int bytes);

// Copies of this lane that come about when it waits for them; until then their place is poisoned.
void begin_copy(void* to, const void* from, int bytes, int valid);
void end_of_copies();
void wait_for_copies(int open);

}  // namespace emulated

inline int block_x() { return emulated::running.block.block_x; }
inline int block_y() { return emulated::running.block.block_y; }
inline int blocks_x() { return emulated::running.block.blocks_x; }
inline int blocks_y() { return emulated::running.block.blocks_y; }
inline int thread() { return emulated::running.thread; }
inline int threads() { return emulated::running.block.threads; }
inline char* shared_memory() { return emulated::running.shared; }
inline void sync_block() { emulated::sync_block(); }
inline void sync_warp() { emulated::exchange(nullptr, 0); }

template <class T>
T shuffle(T value, int lane) {
  static_assert(sizeof(T) <= emulated::kExchange);
  const char* all = emulated::exchange(&value, sizeof(T));
  std::memcpy(&value, all + lane % 32 * emulated::kExchange, sizeof(T));
  return value;
}
template <class T>
T shuffle_xor(T value, int mask) {
  return shuffle(value, (thread() % 32) ^ mask);
}
uint32_t ballot(bool value);
inline int count_bits(uint32_t bits) { return std::popcount(bits); }

inline int32_t add_whole(int32_t* to, int32_t value) {
  const int32_t had = *to;
  *to += value;
  return had;
}
inline void publish() {}

inline uint32_t bits_of(float value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}
inline float float_of(uint32_t bits) {
  float value = 0.0F;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
float half_to_float(uint16_t bits);
uint16_t float_to_half(float value);

void multiply_f16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
void multiply_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);

uint32_t multiply_pairs(uint32_t a, uint32_t b);

template <uint32_t kSelect>
uint32_t bytes_of(uint32_t low, uint32_t high) {
  const uint64_t all = uint64_t{high} << 32 | low;
  uint32_t out = 0;
  for (uint32_t i = 0; i < 4; ++i) {
    out |= static_cast<uint32_t>(all >> (kSelect >> 4 * i & 7U) * 8 & 0xffU) << 8 * i;
  }
  return out;
}

inline uint32_t pick_bytes(uint32_t low, uint32_t high, uint32_t select) {
  const uint64_t all = uint64_t{high} << 32 | low;
  uint32_t out = 0;
  for (uint32_t i = 0; i < 4; ++i) {
    out |= static_cast<uint32_t>(all >> (select >> 4 * i & 7U) * 8 & 0xffU) << 8 * i;
  }
  return out;
}

void multiply_bytes(int32_t (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);

void load_matrices(uint32_t (&d)[4], const void* row);
void load_matrices_transposed(uint32_t (&d)[4], const void* row);

inline uint32_t to_halves(float first, float second) {
  return float_to_half(first) | static_cast<uint32_t>(float_to_half(second)) << 16;
}
uint32_t multiply_halves(uint32_t a, uint32_t b);

template <int kBytes>
void begin_copy(void* to, const void* from, int valid) {
  emulated::begin_copy(to, from, kBytes, valid);
}
inline void end_of_copies() { emulated::end_of_copies(); }
template <int kOpen>
void wait_for_copies() {
  emulated::wait_for_copies(kOpen);
}

struct alignas(16) Bytes16 {
  uint32_t word[4];
};
inline Bytes16 load_once(const void* from) {
  Bytes16 v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

}  // namespace dsv4::kernels::cuda
