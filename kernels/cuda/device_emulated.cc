#include <cstdlib>
#include <cstring>
#include <new>

#include "kernels/cuda/device.h"

namespace dsv4::kernels::cuda {

std::vector<DeviceInfo> devices() {
  constexpr int64_t kMemory = int64_t{1} << 34;
  return {{kEmulated, 8, 0, 4, kMemory, kMemory, 99 << 10}};
}

Stream::Stream(int device) : device_(device) {
  if (device != 0) throw DeviceError("GPU " + std::to_string(device) + " cannot be used");
}
Stream::~Stream() = default;
void Stream::wait() {}

DeviceMemory::DeviceMemory(const Stream&, int64_t bytes) : bytes_(bytes) {
  constexpr size_t kAligned = 256;  // as cudaMalloc's
  if (bytes == 0) return;
  const size_t size = (static_cast<size_t>(bytes) + kAligned - 1) / kAligned * kAligned;
  data_ = std::aligned_alloc(kAligned, size);
  if (data_ == nullptr) throw std::bad_alloc();
  std::memset(data_, 0xff, size);
}
DeviceMemory::~DeviceMemory() { std::free(data_); }

void copy_to_device(Stream&, const void* from, int64_t bytes, void* to) {
  if (bytes > 0) std::memcpy(to, from, static_cast<size_t>(bytes));
}
void copy_from_device(Stream&, const void* from, int64_t bytes, void* to) {
  if (bytes > 0) std::memcpy(to, from, static_cast<size_t>(bytes));
}
void copy_on_device(Stream&, const void* from, int64_t bytes, void* to) {
  if (bytes > 0) std::memcpy(to, from, static_cast<size_t>(bytes));
}
void fill_with_zeros(Stream&, void* to, int64_t bytes) {
  if (bytes > 0) std::memset(to, 0, static_cast<size_t>(bytes));
}

}  // namespace dsv4::kernels::cuda
