#include <string>
#include <vector>

#include "kernels/attention/attention.h"
#include "kernels/bench/rows.h"
#include "kernels/compressor/compressor.h"
#include "kernels/indexer/hadamard.h"
#include "kernels/indexer/indexer.h"
#include "kernels/packed_rows/packed_rows.h"
#include "kernels/rope/rope.h"
#include "kernels/rounding/rounding.h"

// The parts of an attention site, at the sizes of V4-Flash.
namespace dsv4::kernels::bench {
namespace {

constexpr int64_t kHeads = 64;
constexpr int64_t kDim = 512;
constexpr int64_t kIndexDim = 128;
constexpr int64_t kTopk = 512;
constexpr int64_t kRotated = 64;

// Small numbers of both signs that differ from place to place.
std::vector<float> numbers(int64_t count) {
  std::vector<float> out(static_cast<size_t>(count));
  uint32_t state = 1;
  for (float& value : out) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<float>(state >> 8) * 0x1p-23F - 1.0F;
  }
  return out;
}

// Packed rows of such numbers in one page, as the cache of a published checkpoint holds them.
class PackedRows {
 public:
  PackedRows(const RowLayout& layout, int64_t rows) : layout_(layout), rows_(rows) {
    const std::vector<float> x = numbers(rows * layout.dim);
    bytes_.resize(static_cast<size_t>(rows * layout.bytes()));
    std::vector<uint8_t> row(static_cast<size_t>(layout.bytes()));
    for (int64_t i = 0; i < rows; ++i) {
      pack_row(layout, x.data() + i * layout.dim, row.data());
      store_row(layout, row.data(), bytes_.data(), i);
    }
    page_ = bytes_.data();
  }
  PackedRows(const PackedRows&) = delete;
  PackedRows& operator=(const PackedRows&) = delete;

  PagedRows view() const { return {layout_, &page_, rows_}; }
  double bytes() const { return static_cast<double>(bytes_.size()); }

 private:
  RowLayout layout_;
  int64_t rows_;
  std::vector<uint8_t> bytes_;
  const uint8_t* page_ = nullptr;
};

std::string shape(int64_t tokens, int64_t rows, int64_t dim) {
  return std::to_string(tokens) + "x" + std::to_string(rows) + "x" + std::to_string(dim);
}

// Tokens that each see a full window and the indexer's choice.
void add_attention(Bench& bench, int64_t tokens) {
  constexpr int64_t kWindow = 128;
  if (!bench.wants("attention")) return;
  const std::vector<float> q = numbers(tokens * kHeads * kDim);
  const std::vector<float> sink(kHeads, 0.0F);
  const std::vector<float> raw = numbers((kWindow - 1 + tokens) * kDim);
  const PackedRows entries({RowFormat::kFp8Bf16, kDim, kRotated}, kTopk);
  std::vector<const float*> window;
  for (size_t i = 0; i < raw.size(); i += kDim) window.push_back(&raw[i]);
  const std::vector<int64_t> count(static_cast<size_t>(tokens), kTopk);
  std::vector<int32_t> selected;
  for (int64_t i = 0; i < tokens * kTopk; ++i) selected.push_back(static_cast<int32_t>(i % kTopk));
  std::vector<float> out(q.size());
  AttentionParams p;
  p.q = q.data();
  p.tokens = tokens;
  p.heads = kHeads;
  p.dim = kDim;
  p.sink = sink.data();
  p.scale = 0.044F;
  p.window = window.data();
  p.earlier = kWindow - 1;
  p.window_size = kWindow;
  p.entries = entries.view();
  p.selected = selected.data();
  p.selected_stride = kTopk;
  p.count = count.data();
  p.groups = 8;
  p.out = out.data();
  constexpr double kRows = kWindow + kTopk;
  const auto work = static_cast<double>(tokens * kHeads * kDim);
  bench.row({"attention", shape(tokens, kHeads, kDim) + ", 640 rows",
             4 * (2 * work + kWindow * kDim) + entries.bytes(), 4 * work * kRows,
             [&] { attention(bench.pool(), bench.isa(), p); }});
}

// One token and all entries of a context of a million, as in a layer of ratio 128.
void add_long_attention(Bench& bench, int64_t tokens) {
  constexpr int64_t kEntries = 8192;
  if (!bench.wants("attention")) return;
  const std::vector<float> q = numbers(tokens * kHeads * kDim);
  const std::vector<float> sink(kHeads, 0.0F);
  const std::vector<float> raw = numbers(tokens * kDim);
  const PackedRows entries({RowFormat::kFp8Bf16, kDim, kRotated}, kEntries);
  std::vector<const float*> window;
  for (int64_t t = 0; t < tokens; ++t) window.push_back(raw.data() + t * kDim);
  const std::vector<int64_t> count(static_cast<size_t>(tokens), kEntries);
  std::vector<float> out(q.size());
  AttentionParams p;
  p.q = q.data();
  p.tokens = tokens;
  p.heads = kHeads;
  p.dim = kDim;
  p.sink = sink.data();
  p.scale = 0.044F;
  p.window = window.data();
  p.window_size = 1;
  p.entries = entries.view();
  p.count = count.data();
  p.out = out.data();
  bench.row({"attention", shape(tokens, kHeads, kDim) + ", 8193 rows", entries.bytes(),
             4.0 * static_cast<double>(tokens * kHeads * kDim * (kEntries + 1)),
             [&] { attention(bench.pool(), bench.isa(), p); }});
}

// The choice among the entries of a context of 64 Ki tokens.
void add_indexer(Bench& bench, int64_t tokens) {
  constexpr int64_t kEntries = 16384;
  if (!bench.wants("indexer")) return;
  std::vector<float> q = numbers(tokens * kHeads * kIndexDim);
  round_fp4_blocks(q.data(), static_cast<int64_t>(q.size()), 32);
  const std::vector<float> weights = numbers(tokens * kHeads);
  const PackedRows keys({RowFormat::kFp4, kIndexDim, 0}, kEntries);
  const std::vector<int64_t> visible(static_cast<size_t>(tokens), kEntries);
  std::vector<int32_t> selected(static_cast<size_t>(tokens * kTopk));
  std::vector<int64_t> count(static_cast<size_t>(tokens));
  bench.row({"indexer", shape(tokens, kHeads, kIndexDim) + ", 16384 entries", keys.bytes(),
             2.0 * static_cast<double>(tokens * kHeads * kIndexDim * kEntries), [&] {
               select_entries(bench.pool(), bench.isa(),
                              {q.data(), weights.data(), tokens, kHeads, kIndexDim, keys.view(),
                               visible.data(), kTopk, selected.data(), count.data()});
             }});
}

void add_hadamard(Bench& bench) {
  if (!bench.wants("hadamard")) return;
  std::vector<float> x = numbers(kHeads * kIndexDim);
  constexpr double kSteps = 7;  // log2 of the length
  bench.row({"hadamard", "64x128", 4.0 * kHeads * kIndexDim, kSteps * kHeads * kIndexDim,
             [&] { hadamard(x.data(), kHeads, kIndexDim); }});
}

// The blocks that a chunk of 256 tokens finishes: with overlap (ratio 4), or without (128).
void add_compressor(Bench& bench, int64_t ratio) {
  constexpr int64_t kTokens = 256;
  if (!bench.wants("compressor")) return;
  const bool overlap = ratio == 4;
  const int64_t width = overlap ? 2 * kDim : kDim;
  const std::vector<float> kv = numbers(kTokens * width);
  const std::vector<float> gate = numbers(kTokens * width);
  const std::vector<float> ape = numbers(ratio * width);
  std::vector<const float*> kv_rows;
  std::vector<const float*> gate_rows;
  for (int64_t t = 0; t < kTokens; ++t) {
    kv_rows.push_back(kv.data() + t * width);
    gate_rows.push_back(gate.data() + t * width);
  }
  std::vector<float> out(static_cast<size_t>(kTokens / ratio * kDim));
  std::vector<CompressBlock> blocks;
  for (int64_t b = 0; b < kTokens / ratio; ++b) {
    const bool previous = overlap && b > 0;
    blocks.push_back({&kv_rows[static_cast<size_t>(b * ratio)],
                      &gate_rows[static_cast<size_t>(b * ratio)],
                      previous ? &kv_rows[static_cast<size_t>((b - 1) * ratio)] : nullptr,
                      previous ? &gate_rows[static_cast<size_t>((b - 1) * ratio)] : nullptr,
                      out.data() + b * kDim});
  }
  const auto values = static_cast<double>(kTokens * width);
  bench.row(
      {"compressor", "256 tokens, ratio " + std::to_string(ratio), 8 * values, 4 * values, [&] {
         compress(bench.pool(), bench.isa(),
                  {blocks.data(), static_cast<int64_t>(blocks.size()), ratio, kDim, overlap,
                   ape.data()});
       }});
}

void add_rope(Bench& bench, int64_t tokens) {
  if (!bench.wants("rope")) return;
  RopeSettings settings;
  settings.dim = kRotated;
  settings.theta = 10000.0;
  std::vector<int64_t> positions;
  for (int64_t t = 0; t < tokens; ++t) positions.push_back(1000 + t);
  RopeTable table;
  fill_rope_table(rope_frequencies(settings), positions, table);
  std::vector<float> x = numbers(tokens * kHeads * kDim);
  const auto rotated = static_cast<double>(tokens * kHeads * kRotated);
  bench.row(
      {"rope", shape(tokens, kHeads, kRotated), 8 * rotated, 3 * rotated, [&] {
         rope(bench.pool(), {x.data(), tokens * kHeads, kDim, kRotated, kHeads, &table, false});
       }});
}

}  // namespace

void add_attention_rows(Bench& bench) {
  for (const int64_t tokens : {1, 16}) {
    add_attention(bench, tokens);
    add_long_attention(bench, tokens);
    add_indexer(bench, tokens);
  }
  add_hadamard(bench);
  add_compressor(bench, 4);
  add_compressor(bench, 128);
  add_rope(bench, 1);
  add_rope(bench, 64);
}

}  // namespace dsv4::kernels::bench
