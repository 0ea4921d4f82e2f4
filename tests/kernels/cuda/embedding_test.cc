#include "kernels/embedding/embedding_cuda.h"
#include "kernels/rounding/rounding.h"
#include "tests/kernels/cuda/on_device.h"

using namespace dsv4::kernels;

TEST_CASE("the card fills every stream with the row of the token") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  const int64_t vocab = 50;
  const int64_t dim = random.integer(1, 300);
  const std::vector<float> rows = normals(random, vocab * dim);
  std::vector<uint16_t> bf16;
  for (const float v : rows) bf16.push_back(encode_bf16(v));
  const std::vector<int32_t> ids = {7, 0, 49, 7};
  for (const bool narrow : {false, true}) {
    OnDevice device;
    const void* data = narrow ? static_cast<void*>(device.put(bf16)) : device.put(rows);
    float* x = device.poisoned_floats(4 * 3 * dim);
    const WeightFormat format = narrow ? WeightFormat::kBf16 : WeightFormat::kF32;
    cuda::embed(device.stream(), {{format, data, nullptr, vocab, dim}, device.put(ids), 4, 3, x});
    std::vector<float> expected;
    for (const int32_t id : ids) {
      for (int64_t j = 0; j < 3; ++j) {
        for (int64_t i = 0; i < dim; ++i) {
          const auto at = static_cast<size_t>(id * dim + i);
          expected.push_back(narrow ? decode_bf16(bf16[at]) : rows[at]);
        }
      }
    }
    CHECK(device.get(x, 4 * 3 * dim) == expected);
  }
}
