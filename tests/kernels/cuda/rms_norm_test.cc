#include "kernels/rms_norm/rms_norm_cuda.h"
#include "tests/kernels/cuda/on_device.h"

using namespace dsv4::kernels;

TEST_CASE("the card's RMS norm matches the reference") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  for (const int64_t dim : {1, 31, 192, 257, 1024, 4096}) {
    const int64_t rows = random.integer(1, 5);
    const std::vector<float> x = normals(random, rows * dim, 3.0F);
    const std::vector<float> weight = normals(random, dim);
    for (const bool weighted : {false, true}) {
      std::vector<float> expected = poisoned(rows * dim);
      rms_norm_reference(
          {x.data(), rows, dim, weighted ? weight.data() : nullptr, 1e-6F, expected.data()});
      OnDevice device;
      float* y = device.poisoned_floats(rows * dim);
      cuda::rms_norm(device.stream(),
                     {device.put(x), rows, dim, weighted ? device.put(weight) : nullptr, 1e-6F, y});
      require_close(device.get(y, rows * dim), expected, 1e-5);
    }
  }
}
