#pragma once

#include <cstdint>

// What kernels for the card are written in: one function per lane (a CUDA thread), in blocks of
// lanes that share memory and warps of 32 that exchange registers. nvcc makes the card's own
// instructions of it; a C++ compiler makes lanes that take turns on the processor (emulated.h), so
// that every kernel is tested against its reference where there is no card.
//
// A kernel is a struct K with
//   struct Params;                                what it is launched with, plain data
//   static constexpr const char* kName;           for messages
//   static constexpr int kThreads;                the most lanes a block of it may have
//   static DSV4_LANE void run(const Params& p);   what one lane does
// All lanes of a block must reach the same sync_block, all of a warp the same warp operation.

#if defined(__CUDACC__)
#define DSV4_LANE __device__ __forceinline__
#define DSV4_BOTH __host__ __device__ __forceinline__
#define DSV4_UNROLL _Pragma("unroll")
#define DSV4_ROLLED _Pragma("unroll 1")
#else
#define DSV4_LANE inline
#define DSV4_BOTH inline
#define DSV4_UNROLL
#define DSV4_ROLLED
#include "kernels/cuda/emulated.h"
#endif

namespace dsv4::kernels::cuda {

inline constexpr int kWarp = 32;
inline constexpr uint32_t kAllLanes = 0xffffffffU;

#if defined(__CUDACC__)

DSV4_LANE int block_x() { return static_cast<int>(blockIdx.x); }
DSV4_LANE int block_y() { return static_cast<int>(blockIdx.y); }
DSV4_LANE int blocks_x() { return static_cast<int>(gridDim.x); }
DSV4_LANE int blocks_y() { return static_cast<int>(gridDim.y); }
DSV4_LANE int thread() { return static_cast<int>(threadIdx.x); }
DSV4_LANE int threads() { return static_cast<int>(blockDim.x); }

// The block's shared memory, as many bytes as it was launched with, aligned to 16.
DSV4_LANE char* shared_memory() {
  extern __shared__ __align__(16) char memory[];
  return memory;
}

DSV4_LANE void sync_block() { __syncthreads(); }
DSV4_LANE void sync_warp() { __syncwarp(); }
template <class T>
DSV4_LANE T shuffle(T value, int lane) {
  return __shfl_sync(kAllLanes, value, lane);
}
template <class T>
DSV4_LANE T shuffle_xor(T value, int mask) {
  return __shfl_xor_sync(kAllLanes, value, mask);
}
// A bit for each lane of the warp whose value is true.
DSV4_LANE uint32_t ballot(bool value) { return __ballot_sync(kAllLanes, value); }

DSV4_LANE int count_bits(uint32_t bits) { return __popc(bits); }

// Adds to memory of the card, whole and in any order; returns what was there.
DSV4_LANE int32_t add_whole(int32_t* to, int32_t value) { return atomicAdd(to, value); }
// What this lane has written is seen by whoever sees what it writes next.
DSV4_LANE void publish() { __threadfence(); }

DSV4_LANE uint32_t bits_of(float value) { return __float_as_uint(value); }
DSV4_LANE float float_of(uint32_t bits) { return __uint_as_float(bits); }
DSV4_LANE float half_to_float(uint16_t bits) {
  float value;
  asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
  return value;
}
// The nearest, ties to even.
DSV4_LANE uint16_t float_to_half(float value) {
  uint16_t bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return bits;
}

// d += a * b on the tensor cores: a [16, 16] and b [16, 8], two f16 numbers to a register, d [16,
// 8] in float32. With g = lane / 4 and t = lane % 4 a lane holds of a the rows g, g + 8, g, g + 8
// at the columns 2t, 2t, 2t + 8, 2t + 8 (and the ones after), of b the column g at the rows 2t and
// 2t + 8, of d the rows g, g, g + 8, g + 8 at the columns 2t, 2t + 1, 2t, 2t + 1 (PTX ISA,
// mma.m16n8k16).
DSV4_LANE void multiply_f16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
// The same of bf16 numbers.
DSV4_LANE void multiply_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// The product of two pairs of bf16 numbers, each rounded to bf16; subnormals count.
DSV4_LANE uint32_t multiply_pairs(uint32_t a, uint32_t b) {
  uint32_t d;
  asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(b), "r"(0x80008000U));
  return d;
}

// Four bytes out of eight, of which `low` has those from 0 to 3: the kSelect's hexadecimal digits
// say which, the lowest first.
template <uint32_t kSelect>
DSV4_LANE uint32_t bytes_of(uint32_t low, uint32_t high) {
  return __byte_perm(low, high, kSelect);
}

// The same where only the lane knows which: eight bytes to choose from, four bits for each byte of
// the result, of which the highest is 0.
DSV4_LANE uint32_t pick_bytes(uint32_t low, uint32_t high, uint32_t select) {
  return __byte_perm(low, high, select);
}

// d += a * b of bytes with a sign, in whole numbers: a [16, 32] and b [32, 8], four to a register,
// d [16, 8]. The places are those of multiply_f16, four columns of a (rows of b) to a register
// where there are two: with t = lane % 4 from 4t and 4t + 16 on (PTX ISA, mma.m16n8k32).
DSV4_LANE void multiply_bytes(int32_t (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Four matrices [8, 8] of 16-bit numbers from shared memory, of which lane i names where row i % 8
// of matrix i / 8 is, 16 bytes at a multiple of 16. Of each a lane gets the two numbers of row lane
// / 4 at columns 2 * (lane % 4) and the next; transposed, those of the rows at column lane / 4.
DSV4_LANE void load_matrices(uint32_t (&d)[4], const void* row) {
  const auto at = static_cast<uint32_t>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])
               : "r"(at)
               : "memory");
}
DSV4_LANE void load_matrices_transposed(uint32_t (&d)[4], const void* row) {
  const auto at = static_cast<uint32_t>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])
               : "r"(at)
               : "memory");
}

// Two f16 numbers in a register, the first one low, and the products of two such pairs.
DSV4_LANE uint32_t to_halves(float first, float second) {
  uint32_t bits;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(second), "f"(first));
  return bits;
}
DSV4_LANE uint32_t multiply_halves(uint32_t a, uint32_t b) {
  uint32_t bits;
  asm("mul.f16x2 %0, %1, %2;" : "=r"(bits) : "r"(a), "r"(b));
  return bits;
}

// 16 bytes at once from memory that is read once only: past the cache of the multiprocessor.
struct alignas(16) Bytes16 {
  uint32_t word[4];
};
DSV4_LANE Bytes16 load_once(const void* from) {
  Bytes16 v;
  asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(v.word[0]), "=r"(v.word[1]), "=r"(v.word[2]), "=r"(v.word[3])
               : "l"(from));
  return v;
}

// Copies of kBytes (4 or 16) to shared memory that go on beside this lane's work; both ends are
// aligned to as many. The first `valid` are read, the rest becomes zeros. What end_of_copies()
// closes is there for this lane when wait_for_copies<n>() has left at most n such groups open.
template <int kBytes>
DSV4_LANE void begin_copy(void* to, const void* from, int valid) {
  const auto at = static_cast<uint32_t>(__cvta_generic_to_shared(to));
  if constexpr (kBytes == 16) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
                 :
                 : "r"(at), "l"(from), "r"(valid)
                 : "memory");
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;"
                 :
                 : "r"(at), "l"(from), "n"(kBytes), "r"(valid)
                 : "memory");
  }
}
DSV4_LANE void end_of_copies() { asm volatile("cp.async.commit_group;" : : : "memory"); }
template <int kOpen>
DSV4_LANE void wait_for_copies() {
  asm volatile("cp.async.wait_group %0;" : : "n"(kOpen) : "memory");
}

#endif

DSV4_LANE int lane() { return thread() % kWarp; }
DSV4_LANE int warp() { return thread() / kWarp; }

// Over all lanes of the warp; every lane gets the result, the same bits.
DSV4_LANE float warp_sum(float value) {
  for (int mask = kWarp / 2; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
  return value;
}
DSV4_LANE float warp_max(float value) {
  for (int mask = kWarp / 2; mask > 0; mask /= 2) {
    const float other = shuffle_xor(value, mask);
    value = other > value ? other : value;
  }
  return value;
}

// Over all lanes of the block, whose number is a multiple of 32; every lane gets the result, the
// same bits. `memory` [32] is shared and free again after the next sync_block.
DSV4_LANE float block_sum(float value, float* memory) {
  value = warp_sum(value);
  if (lane() == 0) memory[warp()] = value;
  sync_block();
  float sum = 0.0F;
  for (int i = 0; i < threads() / kWarp; ++i) sum += memory[i];
  sync_block();
  return sum;
}

// Two codes of FP8 (e4m3) in the lower half of `codes`, as two f16 numbers that are 2^-8 of them:
// only the place of the bits changes, so it is exact. NaN has no code of its own here and becomes a
// number.
inline constexpr float kFp8Up = 256.0F;
DSV4_BOTH uint32_t fp8_to_half2(uint32_t codes) {
  const uint32_t apart = (codes & 0xffU) | (codes & 0xff00U) << 8;
  return (apart & 0x00800080U) << 8 | (apart & 0x007f007fU) << 7;
}

// The two codes of FP4 (e2m1) in the lowest byte, the low one first, as f16 numbers that are 2^-14
// of them.
inline constexpr float kFp4Up = 16384.0F;
DSV4_BOTH uint32_t fp4_to_half2(uint32_t byte) {
  const uint32_t apart = (byte & 0xfU) | (byte & 0xf0U) << 12;
  return (apart & 0x00080008U) << 12 | (apart & 0x00070007U) << 9;
}

// 2^(byte - 127), for bytes from 1 to 254.
DSV4_LANE float e8m0_to_float(uint32_t byte) { return float_of(byte << 23); }

DSV4_LANE float bf16_to_float(uint16_t bits) { return float_of(static_cast<uint32_t>(bits) << 16); }

}  // namespace dsv4::kernels::cuda
