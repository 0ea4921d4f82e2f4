#include "kernels/indexer/fp4_rows.h"

#if defined(__x86_64__)
#include <cstring>

#include "kernels/indexer/fp4_scales.h"

namespace dsv4::kernels {
namespace {

constexpr int kUp = 12;  // what makes doubled e2m1 values unsigned

// Doubled values, shifted up, for indexes of which only the lowest four bits count.
struct Doubled {
  alignas(64) uint8_t values[64];
};
constexpr Doubled make_doubled() {
  constexpr int kMagnitudes[8] = {0, 1, 2, 3, 4, 6, 8, 12};
  Doubled table{};
  for (int i = 0; i < 64; ++i) {
    const int value = kMagnitudes[i & 7];
    table.values[i] = static_cast<uint8_t>((i & 8) != 0 ? kUp - value : kUp + value);
  }
  return table;
}
constexpr Doubled kDoubled = make_doubled();

// A head's query: the bytes that meet the low and the high halves of a key's bytes, and what takes
// the shift back, lane by lane. Four lanes are a block.
struct Query {
  __m512i low;
  __m512i high;
  __m512i start;
};

DSV4_BYTES inline Query load_query(const int8_t* bytes) {
  const __m512i first = _mm512_loadu_si512(bytes);
  const __m512i second = _mm512_loadu_si512(bytes + 64);
  const __m512i even = _mm512_setr_epi64(0, 1, 4, 5, 8, 9, 12, 13);
  const __m512i odd = _mm512_setr_epi64(2, 3, 6, 7, 10, 11, 14, 15);
  Query q{};
  q.low = _mm512_permutex2var_epi64(first, even, second);
  q.high = _mm512_permutex2var_epi64(first, odd, second);
  const __m512i up = _mm512_set1_epi8(kUp);
  const __m512i added =
      _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(_mm512_setzero_si512(), up, q.low), up, q.high);
  q.start = _mm512_sub_epi32(_mm512_setzero_si512(), added);
  return q;
}

// The dot products of four keys with H queries by blocks: in dots[h], lane 4 b + k is key k's block
// b. A lane's sum of eight products is at most 8 * 12 * 48 and two of them fit 16 bits.
template <int H>
DSV4_BYTES inline void dot_four(const Query* queries, const uint8_t* rows, __m512i table,
                                __m512i* dots) {
  __m512i lanes[H][4];
  for (int k = 0; k < 4; ++k) {
    const __m512i codes = _mm512_loadu_si512(rows + k * kWideBytes);
    const __m512i low = _mm512_permutexvar_epi8(codes, table);
    const __m512i high = _mm512_permutexvar_epi8(_mm512_srli_epi16(codes, 4), table);
    for (int h = 0; h < H; ++h) {
      lanes[h][k] = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(queries[h].start, low, queries[h].low),
                                        high, queries[h].high);
    }
  }
  const __m512i ones = _mm512_set1_epi16(1);
  for (int h = 0; h < H; ++h) {
    const __m512i first = _mm512_madd_epi16(_mm512_packs_epi32(lanes[h][0], lanes[h][1]), ones);
    const __m512i last = _mm512_madd_epi16(_mm512_packs_epi32(lanes[h][2], lanes[h][3]), ones);
    dots[h] = _mm512_madd_epi16(_mm512_packs_epi32(first, last), ones);
  }
}

// Sums of the four blocks; sums[i] has keys 4 i to 4 i + 3.
DSV4_BYTES inline __m512i sums_of_blocks(const __m512i* sums) {
  const __m512i a = _mm512_add_epi32(_mm512_shuffle_i32x4(sums[0], sums[1], 0x88),
                                     _mm512_shuffle_i32x4(sums[0], sums[1], 0xdd));
  const __m512i b = _mm512_add_epi32(_mm512_shuffle_i32x4(sums[2], sums[3], 0x88),
                                     _mm512_shuffle_i32x4(sums[2], sums[3], 0xdd));
  return _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xdd));
}

// Adds the scores of H heads of sixteen keys. up: how far blocks are above the smallest, bytes.
template <int H>
DSV4_BYTES inline __m512 add_heads(const Query* queries, const float* factor, const uint8_t* rows,
                                   __m512i up, __m512 total) {
  const __m512i table = _mm512_load_si512(kDoubled.values);
  __m512i dots[H][4];
  for (int four = 0; four < 4; ++four) {
    __m512i own[H];
    dot_four<H>(queries, rows + 4 * four * kWideBytes, table, own);
    // A quarter of the register has what belongs to the four keys' sixteen blocks.
    const __m512i here = _mm512_permutexvar_epi64(
        _mm512_add_epi64(_mm512_setr_epi64(0, 1, 0, 1, 0, 1, 0, 1), _mm512_set1_epi64(2 * four)),
        up);
    const __m512i shift = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(here));
    for (int h = 0; h < H; ++h) dots[h][four] = _mm512_sllv_epi32(own[h], shift);
  }
  for (int h = 0; h < H; ++h) {
    const __m512i positive = _mm512_max_epi32(sums_of_blocks(dots[h]), _mm512_setzero_si512());
    total = _mm512_fmadd_ps(_mm512_cvtepi32_ps(positive), _mm512_set1_ps(factor[h]), total);
  }
  return total;
}

// From the four blocks of a key side by side to the four keys of a block.
DSV4_BYTES inline __m512i by_blocks(__m512i bytes) {
  const __m512i order = _mm512_set4_epi32(0x0f0b0703, 0x0e0a0602, 0x0d090501, 0x0c080400);
  return _mm512_shuffle_epi8(bytes, order);
}

}  // namespace

DSV4_BYTES bool score_rows(const Fp4Queries& queries, const uint8_t* rows, float* scale,
                           float* scores) {
  const auto heads = static_cast<int64_t>(queries.factor.size());
  Query query[kMostRowsHeads];
  for (int64_t h = 0; h < heads; ++h) query[h] = load_query(queries.bytes.data() + h * kWideDim);
  const float* factor = queries.factor.data();
  bool any_wide = false;
  for (int64_t at = 0; at < Fp4Keys::kRows; at += kKeyLanes) {
    const uint8_t* sixteen = rows + at * kWideBytes;
    const __m512i up = by_blocks(above_lowest(sixteen, scale + at, any_wide));
    __m512 total = _mm512_setzero_ps();
    int64_t h = 0;
    for (; h + 2 <= heads; h += 2) total = add_heads<2>(query + h, factor + h, sixteen, up, total);
    if (h < heads) total = add_heads<1>(query + h, factor + h, sixteen, up, total);
    _mm512_storeu_ps(scores + at, _mm512_mul_ps(total, _mm512_loadu_ps(scale + at)));
  }
  return any_wide;
}

}  // namespace dsv4::kernels
#endif
