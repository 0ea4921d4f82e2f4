#include "kernels/attention/attention.h"

#include "kernels/attention/attention_cuda.h"
#include "kernels/attention/attention_rows_cuda.h"
#include "tests/kernels/cuda/chunk.h"
#include "tests/kernels/packed_pages.h"

using namespace dsv4::kernels;

namespace {

struct Shape {
  RowLayout layout;
  int64_t heads = 0;
  int64_t groups = 1;
  int64_t window = 0;
  int64_t ratio = 0;
  int64_t topk = 0;  // 0: no selection
  int64_t splits = 1;
  bool in_halves = false;
  bool damaged = false;  // a NaN in a raw row and in an entry
};

// Sequences in the middle of their contexts, and what the processor makes of them.
class Case {
 public:
  Case(Random& random, OnDevice& device, const Shape& shape, std::vector<TestStretch> stretches)
      : shape_(shape),
        dim_(shape.layout.dim),
        slots_(shape.window + 3),
        chunk_(device, std::move(stretches), 1),
        pages_(shape.layout, 32),
        q_(normals(random, chunk_.tokens() * shape.heads * dim_)),
        raw_(finished(random, chunk_.tokens())),
        sink_(normals(random, shape.heads)),
        table_(rope_table(rope_frequencies({rope_dim(), 10000.0}), chunk_.positions())) {
    for (int64_t s = 0; s < chunk_.sequences(); ++s) add_sequence(random, device, s);
    choose(random);
    params(device);
  }

  int64_t rope_dim() const { return shape_.layout.rope == 0 ? 4 : shape_.layout.rope; }
  int64_t floats() const { return chunk_.tokens() * shape_.heads * dim_; }
  cuda::AttendParams& params() { return params_; }
  const TestChunk& chunk() const { return chunk_; }
  const std::vector<float*>& rings() const { return ring_pointers_; }

  std::vector<float> expected() const {
    std::vector<float> out(static_cast<size_t>(floats()), 0.0F);
    for (int64_t s = 0; s < chunk_.sequences(); ++s) {
      const TestStretch& stretch = chunk_.stretch(s);
      const int64_t first = chunk_.begin(s);
      const int64_t earlier = std::min(stretch.start, shape_.window - 1);
      std::vector<const float*> window;
      for (int64_t p = stretch.start - earlier; p < stretch.end(); ++p) {
        window.push_back(p >= stretch.start
                             ? raw_.data() + (first + p - stretch.start) * dim_
                             : rings_[static_cast<size_t>(s)].data() + p % slots_ * dim_);
      }
      AttentionParams p;
      p.q = q_.data() + first * shape_.heads * dim_;
      p.tokens = stretch.tokens;
      p.heads = shape_.heads;
      p.dim = dim_;
      p.sink = sink_.data();
      p.scale = params_.scale;
      p.window = window.data();
      p.earlier = earlier;
      p.window_size = shape_.window;
      std::vector<int64_t> count(count_.begin() + first, count_.begin() + first + p.tokens);
      p.count = count.data();
      p.entries = entries_[static_cast<size_t>(s)]->view();
      if (shape_.topk > 0) p.selected = selected_.data() + first * shape_.topk;
      p.selected_stride = shape_.topk;
      p.groups = shape_.groups;
      p.out = out.data() + first * shape_.heads / shape_.groups * dim_;
      p.out_tokens = chunk_.tokens();
      if (p.tokens > 0) attention_reference(p);
    }
    const int64_t per_group = shape_.heads / shape_.groups;
    for (int64_t g = 0; g < shape_.groups; ++g) {
      rope_reference({out.data() + g * chunk_.tokens() * per_group * dim_,
                      chunk_.tokens() * per_group, dim_, rope_dim(), per_group, &table_, true});
    }
    return out;
  }

  std::vector<float> run(OnDevice& device) {
    params_.out = device.poisoned_floats(floats());
    params_.splits = shape_.splits;
    params_.in_halves = shape_.in_halves;
    const int64_t bytes =
        cuda::attend_scratch_bytes(chunk_.tokens(), shape_.heads, dim_, shape_.splits);
    params_.scratch = device.poisoned_floats(bytes / 4);
    cuda::attend(device.stream(), params_);
    return device.get(params_.out, floats());
  }

 private:
  // Rows as they are once finished: numbers that their layout can store.
  std::vector<float> finished(Random& random, int64_t rows) const {
    std::vector<float> x = normals(random, rows * dim_);
    if (shape_.damaged) x[static_cast<size_t>(dim_ + 3)] = NAN;
    std::vector<uint8_t> row(static_cast<size_t>(shape_.layout.bytes()));
    for (int64_t r = 0; r < rows; ++r) {
      pack_row(shape_.layout, x.data() + r * dim_, row.data());
      unpack_row_reference(shape_.layout, row.data(), x.data() + r * dim_);
    }
    return x;
  }

  void add_sequence(Random& random, OnDevice& device, int64_t s) {
    rings_.push_back(finished(random, slots_));
    ring_pointers_.push_back(device.put(rings_.back()));
    const int64_t entries = shape_.ratio == 0 ? 1 : chunk_.stretch(s).end() / shape_.ratio + 1;
    std::vector<float> x = normals(random, entries * dim_);
    if (shape_.damaged) x[x.size() - 1] = NAN;
    entries_.push_back(std::make_unique<PackedPages>(shape_.layout, x, 32));
    pages_.add(device, x);
  }

  void choose(Random& random) {
    for (const int64_t p : chunk_.positions()) {
      const int64_t visible = shape_.ratio == 0 || p < 0 ? 0 : (p + 1) / shape_.ratio;
      const int64_t n = shape_.topk == 0 ? visible : std::min(visible, shape_.topk);
      count_.push_back(static_cast<int32_t>(n));
      for (int64_t i = 0; i < shape_.topk; ++i) {
        const bool any = n > 0 && i < n;
        selected_.push_back(any ? static_cast<int32_t>(random.integer(0, visible - 1)) : 1 << 30);
      }
    }
  }

  void params(OnDevice& device) {
    cuda::AttendParams& p = params_;
    p.chunk = chunk_.view();
    p.q = device.put(q_);
    p.heads = shape_.heads;
    p.dim = dim_;
    p.sink = device.put(sink_);
    p.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(dim_)));
    p.raw = device.put(raw_);
    p.ring = device.put(ring_pointers_);
    p.slots = slots_;
    p.window = shape_.window;
    p.ratio = shape_.ratio;
    p.entries = pages_.view(device);
    if (shape_.topk > 0) {
      p.selected = device.put(selected_);
      p.selected_stride = shape_.topk;
      p.count = device.put(count_);
    }
    p.groups = shape_.groups;
    p.rope_dim = rope_dim();
    p.turns = {device.put(table_.cos), device.put(table_.sin)};
  }

  Shape shape_;
  int64_t dim_, slots_;
  TestChunk chunk_;
  TestPages pages_;
  std::vector<std::unique_ptr<PackedPages>> entries_;
  std::vector<float> q_, raw_, sink_;
  RopeTable table_;
  std::vector<std::vector<float>> rings_;
  std::vector<float*> ring_pointers_;
  std::vector<int32_t> count_, selected_;
  cuda::AttendParams params_;
};

const RowLayout kF32{RowFormat::kF32, 36, 0};
const RowLayout kOdd{RowFormat::kFp8F32, 70, 6};
const RowLayout kPacked{RowFormat::kFp8Bf16, 192, 64};

}  // namespace

TEST_CASE("the card's attention matches the reference for chunks of several sequences") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  for (const RowLayout& layout : {kF32, kOdd, kPacked}) {
    for (const Shape& shape :
         {Shape{layout, 3, 1, 5, 0, 0, 1}, Shape{layout, 18, 2, 1, 4, 0, 3},
          Shape{layout, 8, 4, 40, 4, 37, 1}, Shape{layout, 8, 8, 40, 4, 37, 8}}) {
      INFO("dim " << layout.dim << ", " << shape.heads << " heads, window " << shape.window
                  << ", ratio " << shape.ratio << ", topk " << shape.topk);
      OnDevice device;
      Case c(random, device, shape, {{0, 3}, {250, 1}, {39, 4}});
      require_close(c.run(device), c.expected(), 2e-5);
    }
  }
}

TEST_CASE("damage of a row shows in the heads of the tokens that see it, and in no others") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  for (const bool in_halves : {false, true}) {
    const RowLayout layout{RowFormat::kFp8Bf16, 128, 64};
    OnDevice device;
    Case c(random, device, {layout, 5, 1, 4, 8, 0, 2, in_halves, true}, {{0, 3}, {90, 1}, {39, 9}});
    const std::vector<float> got = c.run(device);
    require_close(got, c.expected(), in_halves ? 2e-3 : 2e-5);
    REQUIRE(std::count_if(got.begin(), got.end(), [](float v) { return std::isnan(v); }) > 0);
    REQUIRE_FALSE(std::isnan(got.front()));
  }
}

TEST_CASE("a token's attention is the same bit for bit in a chunk and on its own") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  for (const bool in_halves : {false, true}) {
    const Shape shape{{RowFormat::kFp8Bf16, 128, 64}, 7, 1, 40, 4, 37, 4, in_halves};
    OnDevice device;
    Case c(random, device, shape, {{250, 3}});
    const std::vector<float> whole = c.run(device);
    // The first two go to the ring, and the last comes in a chunk of its own.
    cuda::AttendParams& p = c.params();
    cuda::store_in_ring(device.stream(), {TestChunk(device, {{250, 2}}).view(), p.raw, p.dim,
                                          device.put(c.rings()), p.slots});
    p.chunk = TestChunk(device, {{252, 1}}).view();
    p.q += 2 * p.heads * p.dim;
    p.raw += 2 * p.dim;
    p.count += 2;
    p.selected += 2 * p.selected_stride;
    p.turns.cos += 2 * (p.rope_dim / 2);
    p.turns.sin += 2 * (p.rope_dim / 2);
    cuda::attend(device.stream(), p);
    const std::vector<float> alone = device.get(p.out, p.heads * p.dim);
    REQUIRE(std::equal(alone.begin(), alone.end(), whole.begin() + 2 * p.heads * p.dim));
  }
}

TEST_CASE("queries are finished on their way into the tensor cores as they are before") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  for (const int64_t dim : {128, 512}) {
    const Shape shape{{RowFormat::kFp8Bf16, dim, 64}, 7, 1, 40, 4, 37, 2, true};
    OnDevice device;
    Case c(random, device, shape, {{250, 2}, {0, 1}});
    cuda::AttendParams& p = c.params();
    const std::vector<float> q = device.get(p.q, c.floats());
    p.finishes_queries = true;
    p.query_eps = 1e-6F;
    const std::vector<float> got = c.run(device);
    p.finishes_queries = false;
    float* finished = device.put(q);
    cuda::finish_queries(device.stream(), {finished, p.chunk.tokens, p.heads, p.dim, p.rope_dim,
                                           p.query_eps, p.turns});
    p.q = finished;
    require_close(got, c.run(device), 2e-3);
    p.in_halves = false;
    p.finishes_queries = true;
    REQUIRE_THROWS_AS(cuda::attend(device.stream(), p), cuda::DeviceError);
  }
}

TEST_CASE("the card's tensor cores attend to what the reference does, within f16") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  for (const RowLayout& layout :
       {RowLayout{RowFormat::kF32, 128, 0}, RowLayout{RowFormat::kFp8F32, 128, 64},
        RowLayout{RowFormat::kFp8Bf16, 128, 0}, RowLayout{RowFormat::kFp8Bf16, 512, 64}}) {
    for (const Shape& shape :
         {Shape{layout, 3, 1, 5, 0, 0, 1, true}, Shape{layout, 70, 2, 1, 4, 0, 3, true},
          Shape{layout, 8, 4, 40, 4, 37, 1, true}, Shape{layout, 8, 8, 40, 4, 37, 8, true}}) {
      for (const int64_t shared : {0, 227 << 10}) {
        INFO("dim " << layout.dim << ", " << shape.heads << " heads, window " << shape.window
                    << ", ratio " << shape.ratio << ", topk " << shape.topk);
        OnDevice device;
        Case c(random, device, shape, {{0, 2}, {250, 1}, {39, 1}});
        c.params().shared_bytes = shared;
        require_close(c.run(device), c.expected(), 2e-3);
      }
    }
  }
}
