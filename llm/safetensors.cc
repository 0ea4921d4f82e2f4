#include "llm/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "llm/error.h"

namespace dsv4::llm {
namespace {

using nlohmann::json;

struct DTypeRow {
  DType dtype;
  const char* name;
  int64_t bytes;
};

constexpr std::array<DTypeRow, 9> kDTypes = {{
    {DType::kF32, "F32", 4},
    {DType::kBf16, "BF16", 2},
    {DType::kF16, "F16", 2},
    {DType::kF8E4M3, "F8_E4M3", 1},
    {DType::kF8E8M0, "F8_E8M0", 1},
    {DType::kI8, "I8", 1},
    {DType::kU8, "U8", 1},
    {DType::kI64, "I64", 8},
    {DType::kI32, "I32", 4},
}};

const DTypeRow& row_of(DType dtype) {
  const auto same = [&](const DTypeRow& row) { return row.dtype == dtype; };
  return *std::find_if(kDTypes.begin(), kDTypes.end(), same);
}

// The format's own limit on the header, which keeps a damaged length from asking for gigabytes.
constexpr uint64_t kMaxHeader = 100'000'000;
constexpr size_t kMaxRank = 8;

[[noreturn]] void fail(std::string_view where, const std::string& what) {
  throw ModelError(std::string(where) + ": " + what + "; the file is damaged, fetch it again");
}

std::string quoted(const std::string& name) { return "tensor '" + name.substr(0, 200) + "'"; }

uint64_t to_unsigned(const json& v, std::string_view where, const std::string& what) {
  if (!v.is_number_integer() || (!v.is_number_unsigned() && v.get<int64_t>() < 0)) {
    fail(where, what + " is not a whole number from 0 on");
  }
  return v.get<uint64_t>();
}

DType parse_dtype(const json& entry, std::string_view where, const std::string& name) {
  const auto it = entry.find("dtype");
  if (it == entry.end() || !it->is_string()) fail(where, quoted(name) + " has no dtype");
  const auto& text = it->get_ref<const std::string&>();
  for (const DTypeRow& row : kDTypes) {
    if (text == row.name) return row.dtype;
  }
  throw ModelError(std::string(where) + ": " + quoted(name) + " has the type '" +
                   text.substr(0, 40) + "', which this engine does not read");
}

// Bytes of a tensor of this shape; refuses products that overflow.
uint64_t parse_shape(const json& entry, std::string_view where, const std::string& name,
                     TensorInfo& info) {
  const auto it = entry.find("shape");
  if (it == entry.end() || !it->is_array() || it->size() > kMaxRank) {
    fail(where, quoted(name) + " has no usable shape");
  }
  constexpr auto kLimit = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  auto bytes = static_cast<uint64_t>(dtype_bytes(info.dtype));
  bool empty = false;
  for (const json& v : *it) {
    const uint64_t dim = to_unsigned(v, where, "a dimension of " + quoted(name));
    if (dim > kLimit) fail(where, quoted(name) + " has an impossible shape");
    info.shape.push_back(static_cast<int64_t>(dim));
    if (dim == 0) {
      empty = true;
    } else if (bytes > kLimit / dim) {
      fail(where, quoted(name) + " has an impossible shape");
    } else {
      bytes *= dim;
    }
  }
  return empty ? 0 : bytes;
}

TensorInfo parse_entry(const std::string& name, const json& entry, uint64_t data_begin,
                       uint64_t file_size, std::string_view where) {
  if (!entry.is_object()) fail(where, quoted(name) + " is not described by an object");
  TensorInfo info;
  info.dtype = parse_dtype(entry, where, name);
  const uint64_t bytes = parse_shape(entry, where, name, info);
  const auto it = entry.find("data_offsets");
  if (it == entry.end() || !it->is_array() || it->size() != 2) {
    fail(where, quoted(name) + " has no data_offsets");
  }
  const uint64_t begin = to_unsigned((*it)[0], where, "an offset of " + quoted(name));
  const uint64_t end = to_unsigned((*it)[1], where, "an offset of " + quoted(name));
  const uint64_t data_size = file_size - data_begin;
  if (begin > end || end > data_size) {
    fail(where, quoted(name) + " lies outside the file (its data ends at byte " +
                    std::to_string(end) + " of " + std::to_string(data_size) + ")");
  }
  if (end - begin != bytes) {
    fail(where, quoted(name) + " has " + std::to_string(end - begin) +
                    " bytes of data where its shape and type need " + std::to_string(bytes));
  }
  info.begin = data_begin + begin;
  info.end = data_begin + end;
  return info;
}

// The format wants the tensors to cover the data without holes or overlaps.
void check_layout(const SafetensorsHeader& header, uint64_t data_begin, uint64_t file_size,
                  std::string_view where) {
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  ranges.reserve(header.tensors.size());
  for (const auto& [name, info] : header.tensors) ranges.emplace_back(info.begin, info.end);
  std::sort(ranges.begin(), ranges.end());
  uint64_t at = data_begin;
  for (const auto& [begin, end] : ranges) {
    if (begin < at) fail(where, "two tensors overlap");
    if (begin > at) fail(where, "there are bytes that belong to no tensor");
    at = end;
  }
  if (at != file_size) fail(where, "there are bytes after the last tensor");
}

}  // namespace

const char* dtype_name(DType dtype) { return row_of(dtype).name; }

int64_t dtype_bytes(DType dtype) { return row_of(dtype).bytes; }

int64_t TensorView::elements() const {
  int64_t n = 1;
  for (const int64_t dim : shape) n *= dim;
  return n;
}

SafetensorsHeader parse_header(std::span<const std::byte> head, uint64_t file_size,
                               std::string_view where) {
  if (file_size < 8 || head.size() < 8) fail(where, "it is too short for a safetensors file");
  uint64_t length = 0;
  for (size_t i = 0; i < 8; ++i) length |= std::to_integer<uint64_t>(head[i]) << (8 * i);
  if (length > kMaxHeader || length > file_size - 8) {
    fail(where, "its header claims " + std::to_string(length) + " bytes");
  }
  if (head.size() - 8 < length) fail(where, "its header is cut off");
  const auto* text = reinterpret_cast<const char*>(head.data()) + 8;
  const json parsed = json::parse(text, text + length, nullptr, false);
  if (parsed.is_discarded() || !parsed.is_object()) fail(where, "its header is not valid JSON");
  SafetensorsHeader header;
  for (const auto& [name, entry] : parsed.items()) {
    if (name == "__metadata__") continue;
    header.tensors.emplace(name, parse_entry(name, entry, 8 + length, file_size, where));
  }
  check_layout(header, 8 + length, file_size, where);
  return header;
}

MappedFile::MappedFile(const std::filesystem::path& path) {
  const auto refuse = [&](const std::string& why) -> ModelError {
    return ModelError(path.string() + ": " + why);
  };
  // Without O_NONBLOCK the opening of a pipe waits for a writer; a regular file does not mind.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) throw refuse(std::string("cannot be opened: ") + std::strerror(errno));
  struct stat info = {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    throw refuse("is not a regular file");
  }
  size_ = static_cast<size_t>(info.st_size);
  void* data = size_ == 0 ? nullptr : ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd, 0);
  const int error = errno;
  ::close(fd);
  if (data == MAP_FAILED) {
    throw refuse(std::string("cannot be mapped into memory: ") + std::strerror(error));
  }
  data_ = static_cast<const std::byte*>(data);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace dsv4::llm
