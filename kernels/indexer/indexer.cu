#include "kernels/cuda/launch.h"
#include "kernels/indexer/finish_lanes.h"
#include "kernels/indexer/fp4_score_lanes.h"
#include "kernels/indexer/indexer_cuda.h"
#include "kernels/packed_rows/packed_rows_lanes.h"

namespace dsv4::kernels::cuda {
namespace {

// Scores of any layout: a lane for each key, a block for each of some parts of a token's keys.
struct ScorePlainKernel {
  using Params = SelectParamsOnDevice;
  static constexpr const char* kName = "score_entries_plainly";
  static constexpr int kThreads = 256;

  static DSV4_LANE void run(const Params& params) {
    const SelectParams& p = params.p;
    const int64_t token = params.first + block_y();
    const int32_t visible = params.to_score(token);
    const auto dim = static_cast<int>(p.dim);
    const uint8_t* const* pages = p.keys.pages[p.chunk.sequence[token]];
    const float* q = p.q + token * p.heads * dim;
    for (int64_t key = int64_t{block_x()} * kThreads + thread(); key < visible;
         key += int64_t{blocks_x()} * kThreads) {
      const uint8_t* page = pages[key / p.keys.rows_per_page];
      float sum = 0.0F;
      for (int64_t h = 0; h < p.heads; ++h) {
        float dot = 0.0F;
        for (int c = 0; c < dim; ++c) {
          dot += q[h * dim + c] * packed_value(params.shape, page, key % p.keys.rows_per_page, c);
        }
        sum += p.weights[token * p.heads + h] * (dot < 0.0F ? 0.0F : dot);
      }
      const uint32_t order = ordered(sum);
      params.scores(block_y())[key] = order;
      add_whole(&params.scratch(block_y()).bins[order >> 21], 1);
    }
  }
};

constexpr int64_t kAlign = 64;       // scores
constexpr int64_t kManyTokens = 16;  // from so many on eight at a time share keys
constexpr int64_t kBlocks = 132;     // of lanes that a card has in flight, about

int64_t capacity_of(int64_t most_entries) { return (most_entries + kAlign) / kAlign * kAlign; }

int64_t scratch_of_one(int64_t most_entries) {
  return static_cast<int64_t>(sizeof(SelectScratch) + sizeof(uint32_t) * capacity_of(most_entries));
}

int64_t between(int64_t low, int64_t value, int64_t high) {
  return value < low ? low : value > high ? high : value;
}

// params.tokens tokens from params.first on.
void score(Stream& stream, const SelectParamsOnDevice& params) {
  const int64_t most = params.p.most_entries;
  const bool in_bytes = params.shape.format == RowFormat::kFp4 && params.p.dim == kByteDim &&
                        params.p.heads <= kByteHeads;
  if (!in_bytes) {
    using K = ScorePlainKernel;
    const int64_t parts = (most + K::kThreads - 1) / K::kThreads;
    launch<K>(stream, {between(1, parts, 256), params.tokens, K::kThreads}, params);
  } else if (params.tokens >= kManyTokens) {
    using K = ScoreManyKernel;
    const int64_t groups = (params.tokens + K::kTokens - 1) / K::kTokens;
    const int64_t parts = between(1, 2 * kBlocks / groups, (most + K::kKeys - 1) / K::kKeys);
    launch<K>(stream, {parts, groups, K::kThreads, sizeof(K::Shared)}, params);
  } else {
    using K = ScoreOneKernel;
    constexpr int64_t kKeys = K::kWarps * kGroupKeys;
    const int64_t parts = between(1, kBlocks / params.tokens, (most + kKeys - 1) / kKeys);
    launch<K>(stream, {parts, params.tokens, K::kThreads, kScoreBins * sizeof(int32_t)}, params);
  }
}

}  // namespace

void finish_index(Stream& stream, const FinishIndexParams& p) {
  using K = FinishIndexKernel;
  launch<K>(stream, {K::blocks(p), 1, K::kThreads, K::shared_bytes(p)}, p);
}

int64_t select_scratch_bytes(int64_t tokens, int64_t most_entries, int64_t topk) {
  static_cast<void>(topk);
  return tokens * scratch_of_one(most_entries);
}

void select_entries(Stream& stream, const SelectParams& p) {
  const int64_t at_once = p.scratch_bytes / scratch_of_one(p.most_entries);
  if (at_once == 0) throw DeviceError("select_entries: the scratch has no room for one token");
  SelectParamsOnDevice params{p, packed_shape(p.keys.layout), 0, 0, capacity_of(p.most_entries)};
  for (; params.first < p.chunk.tokens; params.first += at_once) {
    const int64_t left = p.chunk.tokens - params.first;
    params.tokens = left < at_once ? left : at_once;
    using Q = PrepareKernel;
    launch<Q>(stream, {params.tokens, 1, Q::kThreads, sizeof(int32_t)}, params);
    score(stream, params);
    using C = ChooseKernel;
    launch<C>(stream, {params.tokens, 1, C::kThreads, sizeof(C::Shared)}, params);
  }
}

}  // namespace dsv4::kernels::cuda
