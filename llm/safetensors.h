#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dsv4::llm {

enum class DType { kF32, kBf16, kF16, kF8E4M3, kF8E8M0, kI8, kU8, kI64, kI32 };

// "F32", "BF16", ... as the file spells it.
const char* dtype_name(DType dtype);
int64_t dtype_bytes(DType dtype);

// One row of a safetensors header.
struct TensorInfo {
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  uint64_t begin = 0;  // bytes from the start of the file
  uint64_t end = 0;
};

struct SafetensorsHeader {
  std::map<std::string, TensorInfo> tensors;
};

// Reads the header of a safetensors file of `file_size` bytes whose first bytes are `head` (the
// 8-byte length and the JSON that follows; more may be there). Everything the file claims is
// checked: lengths, types, shapes against byte ranges, overlaps, gaps at the end. `where` names the
// file in errors. Throws ModelError.
SafetensorsHeader parse_header(std::span<const std::byte> head, uint64_t file_size,
                               std::string_view where = "safetensors file");

// A read-only view of one tensor; owns nothing. The data may be unaligned.
struct TensorView {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  const std::byte* data = nullptr;

  int64_t elements() const;
};

// A file mapped into memory, read-only.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);  // throws ModelError
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// All tensors of a checkpoint directory: model.safetensors, or the shards that
// model.safetensors.index.json names. Owns the mappings.
class Checkpoint {
 public:
  // Throws ModelError: nothing there, a shard missing or damaged, a tensor in two shards or in
  // none.
  static Checkpoint open(const std::filesystem::path& dir);

  const std::map<std::string, TensorView>& tensors() const { return tensors_; }
  const std::vector<MappedFile>& files() const { return files_; }

 private:
  void add_file(const std::filesystem::path& path);

  std::vector<MappedFile> files_;
  std::map<std::string, TensorView> tensors_;
};

}  // namespace dsv4::llm
