// Any bytes as the start of a safetensors file: a ModelError or tensors that lie inside the file.

#include "llm/safetensors.h"

#include "llm/error.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace dsv4::llm;
  const std::span<const std::byte> head(reinterpret_cast<const std::byte*>(data), size);
  try {
    const SafetensorsHeader header = parse_header(head, size, "fuzzed");
    for (const auto& [name, tensor] : header.tensors) {
      dsv4::fuzz::require(tensor.begin <= tensor.end && tensor.end <= size, "bytes in the file");
      uint64_t bytes = static_cast<uint64_t>(dtype_bytes(tensor.dtype));
      for (const int64_t extent : tensor.shape) bytes *= static_cast<uint64_t>(extent);
      dsv4::fuzz::require(bytes == tensor.end - tensor.begin, "the shape fills the bytes");
    }
  } catch (const ModelError&) {
  }
  return 0;
}
