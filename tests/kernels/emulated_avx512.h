// The AVX-512 instructions that kernels/matmul/avx512.h and avx512_bf16.h use, in plain C++ after
// Intel's description of them, under the intrinsics' names. With it the AVX-512 code runs, slowly,
// on any processor. Include before those two headers, and in no file that needs the real ones.

#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <initializer_list>

#define DSV4_FLATTEN  // see kernels/matmul/tile.h

namespace emulated {

template <int kBytes>
struct Register {
  uint8_t bytes[kBytes];

  template <class T>
  T get(int lane) const {
    T value;
    std::memcpy(&value, bytes + static_cast<size_t>(lane) * sizeof(T), sizeof(T));
    return value;
  }
  template <class T>
  void set(int lane, T value) {
    std::memcpy(bytes + static_cast<size_t>(lane) * sizeof(T), &value, sizeof(T));
  }
};

struct M128i : Register<16> {};
struct M256i : Register<32> {};
struct M512i : Register<64> {};
struct M512 : Register<64> {};
struct M512d : Register<64> {};
struct M128 : Register<16> {};
struct M512bh : Register<64> {};
using Mask64 = uint64_t;

// Applies f(lane) to make each lane of type T.
template <class R, class T, class F>
R lanes(F f) {
  R r;
  for (int i = 0; i < static_cast<int>(sizeof r.bytes / sizeof(T)); ++i) {
    r.template set<T>(i, static_cast<T>(f(i)));
  }
  return r;
}

template <class R>
R load(const void* from) {
  R r;
  std::memcpy(r.bytes, from, sizeof r.bytes);
  return r;
}

inline float float_of_half(uint16_t h) {
  const int exponent = h >> 10 & 31;
  const int mantissa = h & 0x3ff;
  const float magnitude = exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -24)
                          : exponent == 31
                              ? (mantissa == 0 ? INFINITY : NAN)
                              : std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25);
  return (h & 0x8000) != 0 ? -magnitude : magnitude;
}

inline float float_of_bf16(uint16_t upper) {
  return std::bit_cast<float>(static_cast<uint32_t>(upper) << 16);
}

inline uint16_t nearest_bf16(float v) {
  const auto bits = std::bit_cast<uint32_t>(v);
  if (std::isnan(v)) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

inline M128i loadu_128(const void* from) { return load<M128i>(from); }
inline M256i loadu_256(const void* from) { return load<M256i>(from); }
inline M512 loadu_ps(const void* from) { return load<M512>(from); }
inline void storeu_ps(void* to, const M512& r) { std::memcpy(to, r.bytes, sizeof r.bytes); }

inline M256i and_256(const M256i& a, const M256i& b) {
  return lanes<M256i, uint8_t>([&](int i) { return a.bytes[i] & b.bytes[i]; });
}
inline M256i slli_epi16_256(const M256i& a, int n) {
  return lanes<M256i, uint16_t>([&](int i) { return a.get<uint16_t>(i) << n; });
}
inline M256i cvtepi8_epi16(const M128i& a) {
  return lanes<M256i, int16_t>([&](int i) { return a.get<int8_t>(i); });
}
inline M256i set1_epi16_256(int16_t v) {
  return lanes<M256i, int16_t>([&](int) { return v; });
}

inline M512i and_512(const M512i& a, const M512i& b) {
  return lanes<M512i, uint8_t>([&](int i) { return a.bytes[i] & b.bytes[i]; });
}
inline M512i or_512(const M512i& a, const M512i& b) {
  return lanes<M512i, uint8_t>([&](int i) { return a.bytes[i] | b.bytes[i]; });
}
inline M512i set1_epi8(int v) {
  return lanes<M512i, uint8_t>([&](int) { return v; });
}
inline M512i set1_epi32(int v) {
  return lanes<M512i, int32_t>([&](int) { return v; });
}
template <class... V>
M512i setr_epi32(V... values) {
  const int32_t all[] = {values...};
  static_assert(sizeof...(V) == 16);
  return lanes<M512i, int32_t>([&](int i) { return all[i]; });
}
inline M512i cvtepu16_epi32(const M256i& a) {
  return lanes<M512i, uint32_t>([&](int i) { return a.get<uint16_t>(i); });
}
inline M512i cvtepu8_epi32(const M128i& a) {
  return lanes<M512i, uint32_t>([&](int i) { return a.bytes[i]; });
}
inline M512i slli_epi32(const M512i& a, int n) {
  return lanes<M512i, uint32_t>([&](int i) { return a.get<uint32_t>(i) << n; });
}
inline M512i srli_epi32(const M512i& a, int n) {
  return lanes<M512i, uint32_t>([&](int i) { return a.get<uint32_t>(i) >> n; });
}
inline Mask64 cmpeq_epi8_mask(const M512i& a, const M512i& b) {
  Mask64 mask = 0;
  for (int i = 0; i < 64; ++i) mask |= Mask64{a.bytes[i] == b.bytes[i]} << i;
  return mask;
}
inline M512i maskz_loadu_epi8(Mask64 mask, const void* from) {
  // Bytes outside the mask are not touched: they may not be mapped.
  const auto* bytes = static_cast<const uint8_t*>(from);
  return lanes<M512i, uint8_t>([&](int i) { return (mask >> i & 1) != 0 ? bytes[i] : 0; });
}

inline M512i set1_epi16(int v) {
  return lanes<M512i, uint16_t>([&](int) { return v; });
}
inline M512i loadu_si512(const void* from) { return load<M512i>(from); }
inline M512i castsi256_si512(const M256i& a) {
  // The upper half is undefined: anything but zeros.
  return lanes<M512i, uint8_t>([&](int i) { return i < 32 ? a.bytes[i] : 0xa5; });
}
inline M512i broadcast_i32x4(const M128i& a) {
  return lanes<M512i, uint8_t>([&](int i) { return a.bytes[i & 15]; });
}
inline M512i broadcast_i64x4(const M256i& a) {
  return lanes<M512i, uint8_t>([&](int i) { return a.bytes[i & 31]; });
}
inline M512i permutexvar_epi8(const M512i& at, const M512i& from) {
  return lanes<M512i, uint8_t>([&](int i) { return from.bytes[at.bytes[i] & 63]; });
}
inline M512i permutex2var_epi8(const M512i& a, const M512i& at, const M512i& b) {
  return lanes<M512i, uint8_t>(
      [&](int i) { return ((at.bytes[i] & 64) != 0 ? b : a).bytes[at.bytes[i] & 63]; });
}
inline M512i maskz_permutex2var_epi8(Mask64 mask, const M512i& a, const M512i& at, const M512i& b) {
  const M512i all = permutex2var_epi8(a, at, b);
  return lanes<M512i, uint8_t>([&](int i) { return (mask >> i & 1) != 0 ? all.bytes[i] : 0; });
}
inline M512i multishift_epi64_epi8(const M512i& from_bit, const M512i& a) {
  return lanes<M512i, uint8_t>([&](int i) {
    const auto word = a.get<uint64_t>(i / 8);
    return std::rotr(word, from_bit.bytes[i] & 63);
  });
}
inline M512i ternarylogic_epi32(const M512i& a, const M512i& b, const M512i& c, int table) {
  return lanes<M512i, uint8_t>([&](int i) {
    int out = 0;
    for (int bit = 0; bit < 8; ++bit) {
      const int row =
          (a.bytes[i] >> bit & 1) << 2 | (b.bytes[i] >> bit & 1) << 1 | (c.bytes[i] >> bit & 1);
      out |= (table >> row & 1) << bit;
    }
    return out;
  });
}

inline M512 castsi512_ps(const M512i& a) { return std::bit_cast<M512>(a); }
inline M512 setzero_ps() { return {}; }
inline M512 set1_ps(float v) {
  return lanes<M512, float>([&](int) { return v; });
}
inline M512 mul_ps(const M512& a, const M512& b) {
  return lanes<M512, float>([&](int i) { return a.get<float>(i) * b.get<float>(i); });
}
inline M512 fmadd_ps(const M512& a, const M512& b, const M512& c) {
  return lanes<M512, float>(
      [&](int i) { return std::fma(a.get<float>(i), b.get<float>(i), c.get<float>(i)); });
}
inline M512 cvtph_ps(const M256i& a) {
  return lanes<M512, float>([&](int i) { return float_of_half(a.get<uint16_t>(i)); });
}
inline M512 permutexvar_ps(const M512i& at, const M512& from) {
  return lanes<M512, float>([&](int i) { return from.get<float>(at.get<int32_t>(i) & 15); });
}
inline M512 permutex2var_ps(const M512& a, const M512i& at, const M512& b) {
  return lanes<M512, float>([&](int i) {
    const int32_t index = at.get<int32_t>(i);
    return ((index & 16) != 0 ? b : a).get<float>(index & 15);
  });
}
inline M512 add_ps(const M512& a, const M512& b) {
  return lanes<M512, float>([&](int i) { return a.get<float>(i) + b.get<float>(i); });
}
// Within each 128 bits, lane i from lane (order >> 2 * i) & 3.
inline M512 permute_ps(const M512& a, int order) {
  return lanes<M512, float>(
      [&](int i) { return a.get<float>((i & ~3) | (order >> 2 * (i & 3) & 3)); });
}
// Quarters: two of a, then two of b.
inline M512 shuffle_f32x4(const M512& a, const M512& b, int order) {
  return lanes<M512, float>(
      [&](int i) { return (i < 8 ? a : b).get<float>((order >> 2 * (i / 4) & 3) * 4 + (i & 3)); });
}
inline M512 unpacklo_ps(const M512& a, const M512& b) {
  return lanes<M512, float>(
      [&](int i) { return (i % 2 == 0 ? a : b).get<float>((i & ~3) + (i & 3) / 2); });
}
inline M512 unpackhi_ps(const M512& a, const M512& b) {
  return lanes<M512, float>(
      [&](int i) { return (i % 2 == 0 ? a : b).get<float>((i & ~3) + 2 + (i & 3) / 2); });
}
inline M512d unpacklo_pd(const M512d& a, const M512d& b) {
  return lanes<M512d, double>([&](int i) { return (i % 2 == 0 ? a : b).get<double>(i & ~1); });
}
inline M512d unpackhi_pd(const M512d& a, const M512d& b) {
  return lanes<M512d, double>([&](int i) { return (i % 2 == 0 ? a : b).get<double>(i | 1); });
}
inline M512d castps_pd(const M512& a) { return std::bit_cast<M512d>(a); }
inline M512 castpd_ps(const M512d& a) { return std::bit_cast<M512>(a); }
inline float cvtss_f32(const M512& a) { return a.get<float>(0); }
inline M128 castps512_ps128(const M512& a) { return load<M128>(a.bytes); }
inline void storeu_ps_128(void* to, const M128& r) { std::memcpy(to, r.bytes, sizeof r.bytes); }
inline M512bh cvtne2ps_pbh(const M512& upper, const M512& lower) {
  return lanes<M512bh, uint16_t>(
      [&](int i) { return nearest_bf16((i < 16 ? lower : upper).get<float>(i & 15)); });
}
inline M512 dpbf16_ps(const M512& acc, const M512bh& a, const M512bh& b) {
  return lanes<M512, float>([&](int i) {
    float sum = acc.get<float>(i);
    for (const int k : {2 * i + 1, 2 * i}) {
      sum += float_of_bf16(a.get<uint16_t>(k)) * float_of_bf16(b.get<uint16_t>(k));
    }
    return sum;
  });
}

}  // namespace emulated

#define __m128i emulated::M128i
#define __m256i emulated::M256i
#define __m512i emulated::M512i
#define __m512 emulated::M512
#define __m512bh emulated::M512bh
#define __m512d emulated::M512d
#define __mmask64 emulated::Mask64
// Some of these are macros of the compiler's own header.
#undef _mm256_slli_epi16
#undef _mm512_slli_epi32
#undef _mm512_srli_epi32
#undef _mm512_setr_epi32
#undef _mm512_ternarylogic_epi32
#undef _mm512_permute_ps
#undef _mm512_shuffle_f32x4

#define _mm_loadu_si128 emulated::loadu_128
#define _mm256_loadu_si256 emulated::loadu_256
#define _mm256_and_si256 emulated::and_256
#define _mm256_slli_epi16 emulated::slli_epi16_256
#define _mm256_cvtepi8_epi16 emulated::cvtepi8_epi16
#define _mm256_set1_epi16 emulated::set1_epi16_256
#define _mm512_and_si512 emulated::and_512
#define _mm512_or_si512 emulated::or_512
#define _mm512_set1_epi8 emulated::set1_epi8
#define _mm512_set1_epi32 emulated::set1_epi32
#define _mm512_setr_epi32 emulated::setr_epi32
#define _mm512_cvtepu16_epi32 emulated::cvtepu16_epi32
#define _mm512_cvtepu8_epi32 emulated::cvtepu8_epi32
#define _mm512_slli_epi32 emulated::slli_epi32
#define _mm512_srli_epi32 emulated::srli_epi32
#define _mm512_cmpeq_epi8_mask emulated::cmpeq_epi8_mask
#define _mm512_maskz_loadu_epi8 emulated::maskz_loadu_epi8
#define _mm512_set1_epi16 emulated::set1_epi16
#define _mm512_loadu_si512 emulated::loadu_si512
#define _mm512_load_si512 emulated::loadu_si512
#define _mm512_castsi256_si512 emulated::castsi256_si512
#define _mm512_broadcast_i32x4 emulated::broadcast_i32x4
#define _mm512_broadcast_i64x4 emulated::broadcast_i64x4
#define _mm512_permutexvar_epi8 emulated::permutexvar_epi8
#define _mm512_permutex2var_epi8 emulated::permutex2var_epi8
#define _mm512_maskz_permutex2var_epi8 emulated::maskz_permutex2var_epi8
#define _mm512_multishift_epi64_epi8 emulated::multishift_epi64_epi8
#define _mm512_ternarylogic_epi32 emulated::ternarylogic_epi32
#define _mm512_castsi512_ps emulated::castsi512_ps
#define _mm512_setzero_ps emulated::setzero_ps
#define _mm512_set1_ps emulated::set1_ps
#define _mm512_loadu_ps emulated::loadu_ps
#define _mm512_storeu_ps emulated::storeu_ps
#define _mm512_mul_ps emulated::mul_ps
#define _mm512_fmadd_ps emulated::fmadd_ps
#define _mm512_cvtph_ps emulated::cvtph_ps
#define _mm512_permutexvar_ps emulated::permutexvar_ps
#define _mm512_permutex2var_ps emulated::permutex2var_ps
#define _mm512_add_ps emulated::add_ps
#define _mm512_permute_ps emulated::permute_ps
#define _mm512_shuffle_f32x4 emulated::shuffle_f32x4
#define _mm512_unpacklo_ps emulated::unpacklo_ps
#define _mm512_unpackhi_ps emulated::unpackhi_ps
#define _mm512_unpacklo_pd emulated::unpacklo_pd
#define _mm512_unpackhi_pd emulated::unpackhi_pd
#define _mm512_castps_pd emulated::castps_pd
#define _mm512_castpd_ps emulated::castpd_ps
#define _mm512_cvtss_f32 emulated::cvtss_f32
#define _mm512_castps512_ps128 emulated::castps512_ps128
#define _mm_storeu_ps emulated::storeu_ps_128
#define _mm512_cvtne2ps_pbh emulated::cvtne2ps_pbh
#define _mm512_dpbf16_ps emulated::dpbf16_ps
