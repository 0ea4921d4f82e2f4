#include "kernels/compressor/compressor.h"

#include "kernels/compressor/compressor_cuda.h"
#include "kernels/indexer/hadamard.h"
#include "kernels/rms_norm/rms_norm.h"
#include "tests/kernels/cuda/chunk.h"

using namespace dsv4::kernels;

namespace {

struct Shape {
  RowLayout layout;
  int64_t ratio = 0;
  bool overlap = false;
  int64_t slots = 0;
  bool transform = false;
  int64_t rope_dim = 0;
};

// A compressor's weights and the projected rows of whole sequences.
class Case {
 public:
  Case(Random& random, const Shape& shape, std::vector<TestStretch> stretches)
      : shape_(shape),
        dim_(shape.layout.dim),
        width_(shape.overlap ? 2 * dim_ : dim_),
        stretches_(std::move(stretches)),
        ape_(normals(random, shape.ratio * width_)),
        norm_(normals(random, dim_)),
        frequencies_(rope_frequencies({shape.rope_dim, 160000.0, 16.0, 65536.0})),
        chunk_(device_, stretches_, 2),
        pages_(shape.layout, 32) {
    for (const TestStretch& s : stretches_) {
      kv_.push_back(normals(random, s.end() * width_));
      gate_.push_back(normals(random, s.end() * width_, 2.0F));
    }
  }

  // Entry b of a sequence before it is packed.
  std::vector<float> entry(size_t s, int64_t b) const {
    std::vector<const float*> rows[4];  // kv and gate of the block, of the previous one
    for (int64_t i = 0; i < shape_.ratio; ++i) {
      const int64_t at = (b * shape_.ratio + i) * width_;
      const int64_t before = b == 0 ? at : at - shape_.ratio * width_;
      rows[0].push_back(kv_[s].data() + at);
      rows[1].push_back(gate_[s].data() + at);
      rows[2].push_back(kv_[s].data() + before);
      rows[3].push_back(gate_[s].data() + before);
    }
    std::vector<float> x(static_cast<size_t>(dim_));
    const bool previous = shape_.overlap && b > 0;
    const CompressBlock block{rows[0].data(), rows[1].data(), previous ? rows[2].data() : nullptr,
                              previous ? rows[3].data() : nullptr, x.data()};
    compress_reference({&block, 1, shape_.ratio, dim_, shape_.overlap, ape_.data()});
    rms_norm_reference({x.data(), 1, dim_, norm_.data(), 1e-6F, x.data()});
    const RopeTable table = rope_table(frequencies_, {b * shape_.ratio});
    rope_reference({x.data(), 1, dim_, shape_.rope_dim, 1, &table, false});
    if (shape_.transform) hadamard_reference(x.data(), 1, dim_);
    return x;
  }

  void run() {
    cuda::compress_chunk(device_.stream(), params());
    check();
  }

  // Both in one launch.
  void run_with(Case& other) {
    cuda::compress_chunk(device_.stream(), params(), other.params());
    device_.stream().wait();
    check();
    other.check();
  }

 private:
  cuda::CompressChunkParams params() {
    std::vector<float> kv, gate;
    for (size_t s = 0; s < stretches_.size(); ++s) {
      const TestStretch& stretch = stretches_[s];
      kv.insert(kv.end(), kv_[s].begin() + stretch.start * width_, kv_[s].end());
      gate.insert(gate.end(), gate_[s].begin() + stretch.start * width_, gate_[s].end());
      frontiers_[0].push_back(device_.put(frontier(kv_[s], stretch.start)));
      frontiers_[1].push_back(device_.put(frontier(gate_[s], stretch.start)));
      pages_.add(device_, {}, stretch.end() / shape_.ratio + 1);
    }
    for (std::vector<float>* rows : {&kv, &gate}) rows->resize(rows->size() + 2 * width_, NAN);

    cuda::CompressChunkParams p;
    p.chunk = chunk_.view();
    p.kv = device_.put(kv);
    p.gate = device_.put(gate);
    p.ratio = shape_.ratio;
    p.overlap = shape_.overlap;
    p.ape = device_.put(ape_);
    p.norm = device_.put(norm_);
    p.eps = 1e-6F;
    p.frequencies = device_.put(frequencies_);
    p.rope_dim = shape_.rope_dim;
    p.transform = shape_.transform;
    p.entries = pages_.view(device_);
    p.frontier_kv = device_.put(frontiers_[0]);
    p.frontier_gate = device_.put(frontiers_[1]);
    p.slots = shape_.slots;
    return p;
  }

  void check() {
    for (size_t s = 0; s < stretches_.size(); ++s) {
      INFO("sequence " << s);
      check_entries(s, pages_.read(device_, static_cast<int64_t>(s)));
      check_frontier(device_.get(frontiers_[0][s], shape_.slots * width_), kv_[s], stretches_[s]);
      check_frontier(device_.get(frontiers_[1][s], shape_.slots * width_), gate_[s], stretches_[s]);
    }
  }

  // The rows of the last positions before `end`, in their slots.
  std::vector<float> frontier(const std::vector<float>& rows, int64_t end) const {
    std::vector<float> out = poisoned(shape_.slots * width_);
    for (int64_t p = std::max<int64_t>(0, end - shape_.slots); p < end; ++p) {
      std::copy_n(rows.data() + p * width_, width_, out.data() + p % shape_.slots * width_);
    }
    return out;
  }

  void check_frontier(const std::vector<float>& got, const std::vector<float>& rows,
                      const TestStretch& stretch) const {
    require_close(got, frontier(rows, stretch.end()), 0);
  }

  void check_entries(size_t s, const std::vector<std::vector<uint8_t>>& pages) const {
    const TestStretch& stretch = stretches_[s];
    std::vector<uint8_t> row(static_cast<size_t>(shape_.layout.bytes()));
    const std::vector<uint8_t> untouched(row.size(), 0xa5);
    std::vector<float> got(static_cast<size_t>(dim_));
    size_t differ = 0;
    int64_t made = 0;
    for (int64_t b = 0; b <= stretch.end() / shape_.ratio; ++b) {
      load_row(shape_.layout, pages[static_cast<size_t>(b / 32)].data(), b % 32, row.data());
      if ((b + 1) * shape_.ratio <= stretch.start || (b + 1) * shape_.ratio > stretch.end()) {
        REQUIRE(row == untouched);
        continue;
      }
      ++made;
      unpack_row_reference(shape_.layout, row.data(), got.data());
      const std::vector<float> exact = entry(s, b);
      pack_row(shape_.layout, exact.data(), row.data());
      std::vector<float> expected(static_cast<size_t>(dim_));
      unpack_row_reference(shape_.layout, row.data(), expected.data());
      differ += differences(got, expected, exact);
    }
    REQUIRE(
        differ <=
        (shape_.layout.format == RowFormat::kF32 ? 0 : static_cast<size_t>(made * dim_ / 100 + 2)));
  }

  // How many numbers another order of summation has moved to the next code.
  static size_t differences(const std::vector<float>& got, const std::vector<float>& expected,
                            const std::vector<float>& exact) {
    float largest = 0.0F;
    for (const float x : exact) largest = std::max(largest, std::fabs(x));
    size_t n = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      INFO("channel " << i << ": " << got[i] << " where the reference has " << expected[i]);
      REQUIRE(std::fabs(got[i] - exact[i]) <= 0.26F * std::fabs(exact[i]) + 0.09F * largest);
      if (std::fabs(got[i] - expected[i]) > 2e-5F * (1.0F + std::fabs(expected[i]))) ++n;
    }
    return n;
  }

  OnDevice device_;
  Shape shape_;
  int64_t dim_, width_;
  std::vector<TestStretch> stretches_;
  std::vector<float> ape_, norm_, frequencies_;
  TestChunk chunk_;
  TestPages pages_;
  std::vector<float*> frontiers_[2];
  std::vector<std::vector<float>> kv_, gate_;  // of all positions
};

}  // namespace

TEST_CASE("the card's compressor makes the entries of every block that ends in a chunk") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  const std::vector<Shape> shapes = {
      {{RowFormat::kF32, 20, 0}, 4, true, 8, false, 6},
      {{RowFormat::kF32, 33, 0}, 16, false, 16, false, 8},
      {{RowFormat::kFp8Bf16, 96, 8}, 4, true, 40, false, 8},
      {{RowFormat::kFp8F32, 70, 6}, 16, false, 48, false, 6},
      {{RowFormat::kFp4, 128, 0}, 4, true, 40, true, 64},
      {{RowFormat::kFp4, 16, 0}, 4, true, 9, true, 4},
  };
  for (const Shape& shape : shapes) {
    INFO("dim " << shape.layout.dim << ", ratio " << shape.ratio << ", slots " << shape.slots);
    // Chunks that end blocks at once, late, or not at all, and one from the very beginning.
    Case(random, shape, {{0, 37}, {15, 1}, {13, 1}, {31, 5}, {3, 50}}).run();
    Case(random, shape, {{31, 1}}).run();
    Case(random, shape, {{0, 9}, {6, 2}}).run();
  }
}

TEST_CASE("a layer's compressor and its indexer's work side by side on the card") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  for (const int64_t tokens : {1, 50}) {
    const std::vector<TestStretch> stretches = {{15, tokens}, {31, 1}};
    Case layer(random, {{RowFormat::kFp8Bf16, 96, 8}, 4, true, 40, false, 8}, stretches);
    Case index(random, {{RowFormat::kFp4, 128, 0}, 4, true, 40, true, 64}, stretches);
    layer.run_with(index);
  }
}
