#pragma once

#include <vector>

#include "kernels/cuda/device.h"
#include "tests/kernels/compare.h"

// What tests of the card's kernels share. The same tests run on emulated lanes and, where there is
// one, on a card.

class OnDevice {
 public:
  dsv4::kernels::cuda::Stream& stream() { return stream_; }

  // The numbers on the device; they live as long as this.
  template <class T>
  T* put(const std::vector<T>& values) {
    auto& kept = memory_.emplace_back(stream_, static_cast<int64_t>(values.size() * sizeof(T)));
    dsv4::kernels::cuda::copy_to_device(stream_, values.data(), kept.bytes(), kept.data());
    return static_cast<T*>(kept.data());
  }
  float* poisoned_floats(int64_t n) { return put(poisoned(n)); }

  template <class T>
  std::vector<T> get(const T* from, int64_t n) {
    std::vector<T> values(static_cast<size_t>(n));
    dsv4::kernels::cuda::copy_from_device(stream_, from, n * static_cast<int64_t>(sizeof(T)),
                                          values.data());
    stream_.wait();
    return values;
  }

 private:
  dsv4::kernels::cuda::Stream stream_{0};
  std::vector<dsv4::kernels::cuda::DeviceMemory> memory_;
};
