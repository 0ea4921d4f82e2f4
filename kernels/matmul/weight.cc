#include "kernels/matmul/weight.h"

#include <bit>
#include <cstring>

#include "kernels/rounding/rounding.h"

namespace dsv4::kernels {

double weight_at(const WeightMatrix& w, int64_t row, int64_t col) {
  const auto* bytes = static_cast<const uint8_t*>(w.data);
  const int64_t at = row * w.cols + col;
  switch (w.format) {
    case WeightFormat::kF32: {
      float value = 0;
      std::memcpy(&value, bytes + 4 * at, 4);  // a file mapping need not be aligned
      return value;
    }
    case WeightFormat::kBf16: {
      uint16_t upper = 0;
      std::memcpy(&upper, bytes + 2 * at, 2);
      return std::bit_cast<float>(static_cast<uint32_t>(upper) << 16);
    }
    case WeightFormat::kFp8Block128: {
      const int64_t scales = (w.cols + 127) / 128;
      return static_cast<double>(decode_e4m3(bytes[at])) *
             decode_e8m0(w.scale[row / 128 * scales + col / 128]);
    }
    case WeightFormat::kFp4Block32: {
      const uint8_t pair = bytes[at / 2];
      const uint8_t code = (col & 1) != 0 ? pair >> 4 : pair & 15;
      return static_cast<double>(decode_e2m1(code)) *
             decode_e8m0(w.scale[row * (w.cols / 32) + col / 32]);
    }
  }
  return 0;
}

}  // namespace dsv4::kernels
