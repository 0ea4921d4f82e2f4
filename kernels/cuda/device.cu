#include <cuda_runtime.h>

#include "kernels/cuda/device.h"

namespace dsv4::kernels::cuda {
namespace {

void check(cudaError_t code, const std::string& what) {
  if (code == cudaSuccess) return;
  cudaGetLastError();  // what does not stick is forgotten
  throw DeviceError(what + ": " + cudaGetErrorString(code));
}

cudaStream_t stream_of(const Stream& stream) { return static_cast<cudaStream_t>(stream.native()); }

void select(const Stream& stream) {
  check(cudaSetDevice(stream.device()),
        "GPU " + std::to_string(stream.device()) + " cannot be used");
}

}  // namespace

std::vector<DeviceInfo> devices() {
  std::vector<DeviceInfo> found;
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess) {
    cudaGetLastError();
    return found;
  }
  for (int i = 0; i < count; ++i) {
    cudaDeviceProp about{};
    size_t free = 0;
    size_t total = 0;
    if (cudaGetDeviceProperties(&about, i) != cudaSuccess || cudaSetDevice(i) != cudaSuccess ||
        cudaMemGetInfo(&free, &total) != cudaSuccess) {
      cudaGetLastError();
      continue;
    }
    found.push_back({about.name, about.major, about.minor, about.multiProcessorCount,
                     static_cast<int64_t>(total), static_cast<int64_t>(free),
                     static_cast<int64_t>(about.sharedMemPerBlockOptin)});
  }
  return found;
}

Stream::Stream(int device) : device_(device) {
  select(*this);
  cudaStream_t made = nullptr;
  check(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking), "cannot make a stream on the GPU");
  native_ = made;
}

Stream::~Stream() { cudaStreamDestroy(stream_of(*this)); }

void Stream::wait() { check(cudaStreamSynchronize(stream_of(*this)), "the GPU failed"); }

DeviceMemory::DeviceMemory(const Stream& stream, int64_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  select(stream);
  check(cudaMalloc(&data_, static_cast<size_t>(bytes)),
        "cannot take " + std::to_string(bytes >> 20) + " MiB of the GPU's memory");
}

DeviceMemory::~DeviceMemory() { cudaFree(data_); }

void copy_to_device(Stream& stream, const void* from, int64_t bytes, void* to) {
  check(cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyHostToDevice,
                        stream_of(stream)),
        "cannot copy to the GPU");
}

void copy_from_device(Stream& stream, const void* from, int64_t bytes, void* to) {
  check(cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyDeviceToHost,
                        stream_of(stream)),
        "cannot copy from the GPU");
}

void copy_on_device(Stream& stream, const void* from, int64_t bytes, void* to) {
  check(cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyDeviceToDevice,
                        stream_of(stream)),
        "cannot copy on the GPU");
}

void fill_with_zeros(Stream& stream, void* to, int64_t bytes) {
  check(cudaMemsetAsync(to, 0, static_cast<size_t>(bytes), stream_of(stream)),
        "cannot clear the GPU's memory");
}

}  // namespace dsv4::kernels::cuda
