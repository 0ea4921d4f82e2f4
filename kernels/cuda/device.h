#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace dsv4::kernels::cuda {

// The card or its driver refused something: out of memory, a fault of a kernel, a card that went
// away. The message says what was tried and what the driver says.
struct DeviceError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct DeviceInfo {
  std::string name;
  int major = 0;  // of the compute capability
  int minor = 0;
  int processors = 0;  // multiprocessors
  int64_t memory_bytes = 0;
  int64_t free_bytes = 0;
  int64_t shared_bytes = 0;  // of a block, at most
};

// The cards of this machine; none where there is no driver. Where lanes are emulated it is one, the
// processor, by the name kEmulated.
inline constexpr const char* kEmulated = "lanes on the processor";
std::vector<DeviceInfo> devices();

// Work of one device that runs in the order in which it was given. Not for two threads at once.
class Stream {
 public:
  explicit Stream(int device);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Waits for all of it. Throws DeviceError for what failed since the last wait.
  void wait();

  void* native() const { return native_; }  // the cudaStream_t
  int device() const { return device_; }

 private:
  void* native_ = nullptr;
  int device_ = 0;
};

// Bytes of a device, poisoned where lanes are emulated.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  DeviceMemory(const Stream& stream, int64_t bytes);
  ~DeviceMemory();
  DeviceMemory(DeviceMemory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  DeviceMemory& operator=(DeviceMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  void* data() const { return data_; }
  int64_t bytes() const { return bytes_; }

 private:
  void* data_ = nullptr;
  int64_t bytes_ = 0;
};

// In the order of the stream. Memory of the processor may be used again after a copy to the device
// returns, and holds what was copied back after stream.wait().
void copy_to_device(Stream& stream, const void* from, int64_t bytes, void* to);
void copy_from_device(Stream& stream, const void* from, int64_t bytes, void* to);
void copy_on_device(Stream& stream, const void* from, int64_t bytes, void* to);
void fill_with_zeros(Stream& stream, void* to, int64_t bytes);

// Numbers of type T on a device.
template <class T>
class DeviceArray {
 public:
  DeviceArray() = default;
  DeviceArray(const Stream& stream, int64_t count)
      : memory_(stream, count * static_cast<int64_t>(sizeof(T))), count_(count) {}
  DeviceArray(Stream& stream, const std::vector<T>& values)
      : DeviceArray(stream, static_cast<int64_t>(values.size())) {
    copy_to_device(stream, values.data(), memory_.bytes(), memory_.data());
  }

  T* data() const { return static_cast<T*>(memory_.data()); }
  int64_t size() const { return count_; }

  // Waits for it.
  std::vector<T> read(Stream& stream) const {
    std::vector<T> values(static_cast<size_t>(count_));
    copy_from_device(stream, memory_.data(), memory_.bytes(), values.data());
    stream.wait();
    return values;
  }

 private:
  DeviceMemory memory_;
  int64_t count_ = 0;
};

}  // namespace dsv4::kernels::cuda
