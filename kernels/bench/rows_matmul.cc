#include <cstring>
#include <string>
#include <vector>

#include "kernels/bench/rows.h"
#include "kernels/matmul/matmul.h"

namespace dsv4::kernels::bench {
namespace {

struct Format {
  const char* name;
  WeightFormat format;
  double bits;  // per weight, scales included
};
constexpr Format kFormats[] = {{"f32", WeightFormat::kF32, 32},
                               {"bf16", WeightFormat::kBf16, 16},
                               {"fp8", WeightFormat::kFp8Block128, 8},
                               {"fp4", WeightFormat::kFp4Block32, 4.25}};

// Copies of a matrix, more than caches hold, visited in turn: as a model's layers are.
class Matrices {
 public:
  Matrices(const Format& format, int64_t rows, int64_t cols, int64_t at_least_bytes)
      : data_bytes_(static_cast<size_t>(static_cast<double>(rows * cols) * format.bits / 8)),
        scale_bytes_(static_cast<size_t>((rows + 127) * ((cols + 31) / 32))) {
    const size_t one = data_bytes_ + scale_bytes_;
    count_ = 1 + static_cast<size_t>(at_least_bytes) / one;
    // Bytes 0x30 to 0x3f are small positive numbers in every format; 120 is the scale 2^-7.
    memory_.assign(count_ * one, 0x38);
    for (size_t i = 0; i < memory_.size(); ++i) memory_[i] ^= static_cast<uint8_t>(i * 7 & 7);
    for (size_t i = 0; i < count_; ++i) {
      std::memset(&memory_[i * one + data_bytes_], 120, scale_bytes_);
    }
    view_ = {format.format, nullptr, nullptr, rows, cols};
  }

  WeightMatrix next() {
    WeightMatrix view = view_;
    view.data = &memory_[at_ * (data_bytes_ + scale_bytes_)];
    view.scale = static_cast<const uint8_t*>(view.data) + data_bytes_;
    at_ = (at_ + 1) % count_;
    return view;
  }

 private:
  size_t data_bytes_;
  size_t scale_bytes_;
  size_t count_ = 0;
  size_t at_ = 0;
  std::vector<uint8_t> memory_;
  WeightMatrix view_;
};

void add_product(Bench& bench, const Format& format, int64_t tokens, int64_t rows, int64_t cols) {
  const std::string kernel = std::string("matmul ") + format.name;
  if (!bench.wants(kernel)) return;
  Matrices matrices(format, rows, cols, tokens == 1 ? int64_t{128} << 20 : 0);
  std::vector<float> x(static_cast<size_t>(tokens * cols), 0.5f);
  std::vector<float> y(static_cast<size_t>(tokens * rows));
  MatmulScratch scratch;
  const bool rounded =
      format.format == WeightFormat::kFp8Block128 || format.format == WeightFormat::kFp4Block32;
  const auto product = static_cast<double>(rows * cols);
  bench.row(
      {kernel, std::to_string(tokens) + "x" + std::to_string(rows) + "x" + std::to_string(cols),
       product * format.bits / 8, 2 * product * static_cast<double>(tokens), [&] {
         const MatmulParams p{
             x.data(), tokens, matrices.next(),
             rounded ? ActivationRounding::kFp8Block128 : ActivationRounding::kNone, y.data()};
         matmul(bench.pool(), bench.isa(), p, &scratch);
       }});
}

// A token's experts: six pairs of w1 and w3 as one batch.
void add_experts(Bench& bench, int64_t rows, int64_t cols) {
  constexpr int kProducts = 12;
  if (!bench.wants("matmul experts fp4")) return;
  Matrices matrices(kFormats[3], rows, cols, int64_t{128} << 20);
  std::vector<float> x(static_cast<size_t>(cols), 0.5f);
  std::vector<float> y(static_cast<size_t>(kProducts * rows));
  std::vector<MatmulParams> products(kProducts);
  MatmulScratch scratch;
  const auto weights = static_cast<double>(kProducts * rows * cols);
  bench.row({"matmul experts fp4", "12 of 1x" + std::to_string(rows) + "x" + std::to_string(cols),
             weights * 4.25 / 8, 2 * weights, [&] {
               for (int i = 0; i < kProducts; ++i) {
                 products[static_cast<size_t>(i)] = {x.data(), 1, matrices.next(),
                                                     ActivationRounding::kFp8Block128,
                                                     &y[static_cast<size_t>(i * rows)]};
               }
               matmul_batch(bench.pool(), bench.isa(), products, &scratch);
             }});
}

}  // namespace

void add_matmul_rows(Bench& bench) {
  for (const Format& format : kFormats) {
    add_product(bench, format, 1, 4096, 2048);  // V4-Flash expert w2
    add_product(bench, format, 1, 256, 192);    // the embedded model
    add_product(bench, format, 4, 1024, 4096);
    add_product(bench, format, 64, 1024, 1024);
    add_product(bench, format, 512, 256, 192);
  }
  add_experts(bench, 2048, 4096);
  add_experts(bench, 384, 192);
}

}  // namespace dsv4::kernels::bench
