#pragma once

#include <vector>

#include "tests/kernels/cuda/on_device.h"
#include "tests/kernels/matmul_cases.h"

// Weights on the device, at an address as odd as the tests' own or at one that suits it.
inline dsv4::kernels::WeightMatrix put_weight(OnDevice& device,
                                              const dsv4::kernels::WeightMatrix& w, bool aligned) {
  const auto* bytes = static_cast<const uint8_t*>(w.data);
  const int64_t bits[] = {32, 16, 8, 4};
  const int64_t size = w.rows * w.cols * bits[static_cast<int>(w.format)] / 8;
  const int64_t scales = w.format == dsv4::kernels::WeightFormat::kFp4Block32
                             ? w.rows * (w.cols / 32)
                             : (w.rows + 127) / 128 * ((w.cols + 127) / 128);
  dsv4::kernels::WeightMatrix on = w;
  std::vector<uint8_t> copy(aligned ? 0 : 1);
  copy.insert(copy.end(), bytes, bytes + size);
  on.data = device.put(copy) + (aligned ? 0 : 1);
  if (w.scale != nullptr) on.scale = device.put(std::vector<uint8_t>(w.scale, w.scale + scales));
  return on;
}
