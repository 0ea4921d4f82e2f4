#include "kernels/attention/attention.h"

#include "kernels/compressor/compressor.h"
#include "tests/kernels/compare.h"
#include "tests/kernels/packed_pages.h"

using namespace dsv4::kernels;

namespace {

RowLayout layout_of(RowFormat format, int64_t dim) {
  return {format, dim, format == RowFormat::kFp8Bf16 ? dim / 4 : 0};
}

// Random inputs of one chunk that continues a context of `earlier` positions.
struct Case {
  Case(Random& random, RowFormat format, int64_t h, int64_t d, int64_t w, int64_t past)
      : heads(h),
        dim(d),
        window_size(w),
        earlier(std::min(past, w - 1)),
        q(normals(random, tokens * h * d)),
        rows(normals(random, (earlier + tokens) * d)),
        entries(layout_of(format, d), normals(random, kEntries * d)),
        sink(normals(random, h)) {
    for (int64_t i = 0; i < earlier + tokens; ++i) window.push_back(rows.data() + i * d);
    for (int64_t t = 0; t < tokens; ++t) count.push_back(random.integer(0, kSelected));
    for (int64_t i = 0; i < tokens * kSelected; ++i) {
      selected.push_back(static_cast<int32_t>(random.integer(0, kEntries - 1)));
    }
  }

  AttentionParams params(bool with_selection) const {
    AttentionParams p;
    p.q = q.data();
    p.tokens = tokens;
    p.heads = heads;
    p.dim = dim;
    p.sink = sink.data();
    p.scale = 0.3F;
    p.window = window.data();
    p.earlier = earlier;
    p.window_size = window_size;
    p.entries = entries.view();
    p.count = count.data();
    p.selected = with_selection ? selected.data() : nullptr;
    p.selected_stride = kSelected;
    p.groups = heads % 2 == 0 ? 2 : 1;
    return p;
  }

  static constexpr int64_t tokens = 9;
  static constexpr int64_t kEntries = 20;
  static constexpr int64_t kSelected = 6;
  int64_t heads, dim, window_size, earlier;
  std::vector<float> q, rows;
  PackedPages entries;
  std::vector<float> sink;
  std::vector<const float*> window;
  std::vector<int64_t> count;
  std::vector<int32_t> selected;
};

void require_equals_reference(ThreadPool& pool, AttentionParams p) {
  std::vector<float> expected = poisoned(p.tokens * p.heads * p.dim);
  p.out = expected.data();
  attention_reference(p);
  for (const Isa isa : isas()) {
    std::vector<float> got = poisoned(p.tokens * p.heads * p.dim);
    p.out = got.data();
    attention(pool, isa, p);
    require_close(got, expected, 1e-5);
  }
}

}  // namespace

TEST_CASE("attention equals its reference over window and entries") {
  Random random;
  INFO("seed " << random.seed());
  ThreadPool pool(3);
  for (const int64_t heads : {1, 4, 6, 18}) {
    for (const int64_t dim : {8, 20, 40, 48}) {
      for (const int64_t window : {1, 5, 64}) {
        for (const bool packed : {false, true}) {
          const RowFormat format = packed ? RowFormat::kFp8Bf16 : RowFormat::kF32;
          const Case c(random, format, heads, dim, window, 17);
          for (const bool selection : {false, true}) {
            INFO(heads << " heads, dim " << dim << ", window " << window << " packed " << packed);
            require_equals_reference(pool, c.params(selection));
          }
        }
      }
    }
  }
}

TEST_CASE("attention in parts fills the whole output, and every bit is the same") {
  Random random;
  INFO("seed " << random.seed());
  ThreadPool pool(2);
  const Case c(random, RowFormat::kFp8Bf16, 6, 40, 5, 17);
  for (const Isa isa : isas()) {
    AttentionParams p = c.params(true);
    std::vector<float> whole = poisoned(p.tokens * p.heads * p.dim);
    p.out = whole.data();
    attention(pool, isa, p);
    std::vector<float> parts = poisoned(p.tokens * p.heads * p.dim);
    for (int64_t t = 0; t < Case::tokens; ++t) {
      AttentionParams one = c.params(true);
      one.q += t * p.heads * p.dim;
      one.tokens = 1;
      one.window += t;
      one.selected += t * p.selected_stride;
      one.count += t;
      one.out = parts.data() + t * p.heads / p.groups * p.dim;
      one.out_tokens = Case::tokens;
      attention(pool, isa, one);
    }
    REQUIRE(parts == whole);
  }
}

namespace {

// A chunk far into a context: hundreds of entries, which are worked through in parts.
struct LongCase {
  explicit LongCase(Random& random, RowFormat format)
      : q(normals(random, kTokens * kHeads * kDim)),
        raw(normals(random, (kEarlier + kTokens) * kDim)),
        entries({format, kDim, 64}, normals(random, kEntries * kDim)),
        sink(normals(random, kHeads)) {
    for (int64_t i = 0; i < kEarlier + kTokens; ++i) window.push_back(raw.data() + i * kDim);
    for (int64_t t = 0; t < kTokens; ++t) {
      count.push_back(kEntries - kTokens + t);
      for (int64_t i = 0; i < kEntries; ++i) {
        selected.push_back(static_cast<int32_t>((7 * i + t) % kEntries));
      }
    }
  }

  // Tokens [first, first + n), alone.
  AttentionParams params(int64_t first, int64_t n, bool with_selection) const {
    AttentionParams p;
    p.q = q.data() + first * kHeads * kDim;
    p.tokens = n;
    p.heads = kHeads;
    p.dim = kDim;
    p.sink = sink.data();
    p.scale = 0.09F;
    p.window = window.data();
    p.earlier = kEarlier + first;
    p.window_size = kWindow;
    p.entries = entries.view();
    p.count = count.data() + first;
    p.selected = with_selection ? selected.data() + first * kEntries : nullptr;
    p.selected_stride = kEntries;
    return p;
  }

  static constexpr int64_t kTokens = 19, kHeads = 18, kDim = 128, kEntries = 1201;
  static constexpr int64_t kWindow = 100, kEarlier = 130;
  std::vector<float> q, raw;
  PackedPages entries;
  std::vector<float> sink;
  std::vector<const float*> window;
  std::vector<int64_t> count;
  std::vector<int32_t> selected;
};

}  // namespace

TEST_CASE("attention over a long context equals its reference, and no chunk changes a bit of it") {
  Random random;
  INFO("seed " << random.seed());
  ThreadPool three(3);
  ThreadPool one(1);
  constexpr int64_t kWidth = LongCase::kHeads * LongCase::kDim;
  for (const RowFormat format : {RowFormat::kF32, RowFormat::kFp8F32, RowFormat::kFp8Bf16}) {
    const LongCase c(random, format);
    for (const bool selection : {false, true}) {
      const auto run = [&](int64_t first, int64_t n, auto compute) {
        AttentionParams p = c.params(first, n, selection);
        std::vector<float> out = poisoned(n * kWidth);
        p.out = out.data();
        compute(p);
        return out;
      };
      const std::vector<float> expected = run(0, LongCase::kTokens, attention_reference);
      for (const Isa isa : isas()) {
        INFO(isa_name(isa) << ", selection " << selection);
        const auto with = [&](ThreadPool& pool) {
          return [&pool, isa](const AttentionParams& p) { attention(pool, isa, p); };
        };
        const std::vector<float> whole = run(0, LongCase::kTokens, with(three));
        require_close(whole, expected, 1e-5);
        REQUIRE(run(0, LongCase::kTokens, with(one)) == whole);
        for (const int64_t first : {0, 7, 18}) {
          const std::vector<float> alone = run(first, 1, with(three));
          REQUIRE(std::equal(alone.begin(), alone.end(), whole.begin() + first * kWidth));
        }
      }
    }
  }
}

TEST_CASE("a NaN in a row shows in every channel of those that see it, and a huge score does not") {
  constexpr int64_t kDim = 32;
  std::vector<float> q(4 * kDim, 100.0F);
  const std::vector<float> sink(4, 0.0F);
  std::vector<float> raw(70 * kDim, 100.0F);
  std::vector<const float*> window;
  for (int64_t i = 0; i < 70; ++i) window.push_back(raw.data() + i * kDim);
  ThreadPool pool(1);
  for (const bool fault : {false, true}) {
    if (fault) raw[66 * kDim + 5] = NAN;
    for (const Isa isa : isas()) {
      std::vector<float> out = poisoned(4 * kDim);
      AttentionParams p;
      p.q = q.data();
      p.tokens = 1;
      p.heads = 4;
      p.dim = kDim;
      p.sink = sink.data();
      p.scale = 1.0F;
      p.window = window.data();
      p.earlier = 69;
      p.window_size = 70;
      p.out = out.data();
      attention(pool, isa, p);
      for (const float v : out) {
        REQUIRE(std::isnan(v) == fault);
        REQUIRE((fault || v == Approx(100.0)));
      }
    }
  }
}

TEST_CASE("the sink takes a share and gives nothing") {
  // One key with score 0 and a sink of ln 3: the key's weight is 1 / (1 + 3).
  const std::vector<float> q(8, 0.0F);
  const std::vector<float> row(8, 2.0F);
  const float* window = row.data();
  const float sink = std::log(3.0F);
  for (const Isa isa : isas()) {
    std::vector<float> out = poisoned(8);
    AttentionParams p;
    p.q = q.data();
    p.tokens = 1;
    p.heads = 1;
    p.dim = 8;
    p.sink = &sink;
    p.scale = 1.0F;
    p.window = &window;
    p.window_size = 4;
    p.out = out.data();
    ThreadPool pool(1);
    attention(pool, isa, p);
    for (const float v : out) REQUIRE(v == Approx(0.5));
  }
}

TEST_CASE("compressing blocks equals its reference; the first block has no previous half") {
  Random random;
  INFO("seed " << random.seed());
  ThreadPool pool(2);
  for (const bool overlap : {false, true}) {
    for (const int64_t dim : {3, 8, 21, 64}) {
      const int64_t ratio = overlap ? 4 : 16;
      const int64_t width = overlap ? 2 * dim : dim;
      const std::vector<float> kv = normals(random, 3 * ratio * width);
      const std::vector<float> gate = normals(random, 3 * ratio * width, 2.0F);
      const std::vector<float> ape = normals(random, ratio * width);
      std::vector<const float*> kv_rows;
      std::vector<const float*> gate_rows;
      for (int64_t i = 0; i < 3 * ratio; ++i) {
        kv_rows.push_back(kv.data() + i * width);
        gate_rows.push_back(gate.data() + i * width);
      }
      const auto run = [&](auto compute) {
        std::vector<float> out = poisoned(3 * dim);
        std::vector<CompressBlock> blocks;
        for (int64_t b = 0; b < 3; ++b) {
          const bool previous = overlap && b > 0;
          blocks.push_back({&kv_rows[static_cast<size_t>(b * ratio)],
                            &gate_rows[static_cast<size_t>(b * ratio)],
                            previous ? &kv_rows[static_cast<size_t>((b - 1) * ratio)] : nullptr,
                            previous ? &gate_rows[static_cast<size_t>((b - 1) * ratio)] : nullptr,
                            out.data() + b * dim});
        }
        compute(CompressParams{blocks.data(), 3, ratio, dim, overlap, ape.data()});
        return out;
      };
      const std::vector<float> expected = run(compress_reference);
      for (const Isa isa : isas()) {
        require_close(run([&](const CompressParams& p) { compress(pool, isa, p); }), expected,
                      1e-5);
      }
    }
  }
}
