#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "llm/sha256.h"

namespace dsv4::llm {

inline constexpr int64_t kSessionBlock = 1024;  // ids of a block

// One file of a SessionStore or a SessionTrail: positions [from, to) of a sequence; in a store,
// `parent` is what ends before them.
struct SessionFile {
  enum class Kind : uint32_t { kBlock = 1, kMoment = 2, kStep = 3 };

  Kind kind = Kind::kBlock;
  Digest key{};     // what the file is called
  Digest parent{};  // of the block before; the model's own digest for the first
  int64_t from = 0;
  int64_t to = 0;
  std::vector<uint8_t> payload;
};

// Part of the names of files that are being written.
constexpr const char* kTemporary = ".new-";

// Writes beside the name and renames: `path` has the whole contents or is not there. Throws Error
// with the reason.
void write_session_file(const std::filesystem::path& path, const SessionFile& file);

// Nothing when there is no such file, or it is not what was written under this key.
std::optional<SessionFile> read_session_file(const std::filesystem::path& path, const Digest& key);

// Its parent alone, as the file says and unchecked; nothing when there is no such file.
std::optional<Digest> read_session_parent(const std::filesystem::path& path);

// Puts numbers and rows one after the other.
class PayloadWriter {
 public:
  explicit PayloadWriter(std::vector<uint8_t>& out) : out_(out) {}
  void bytes(const void* data, size_t n) {
    const auto* from = static_cast<const uint8_t*>(data);
    out_.insert(out_.end(), from, from + n);
  }
  template <typename T>
  void list(const std::vector<T>& values) {
    const auto n = static_cast<uint64_t>(values.size());
    bytes(&n, sizeof(n));
    bytes(values.data(), values.size() * sizeof(T));
  }

 private:
  std::vector<uint8_t>& out_;
};

// Takes them out again. ok() is false once something did not fit what is there; what is read then
// is nothing.
class PayloadReader {
 public:
  explicit PayloadReader(std::span<const uint8_t> in) : in_(in) {}
  // The next n bytes, or none.
  std::span<const uint8_t> bytes(size_t n);
  template <typename T>
  std::vector<T> list(size_t most) {
    uint64_t n = 0;
    const std::span<const uint8_t> size = bytes(sizeof(n));
    if (size.empty()) return {};
    std::copy(size.begin(), size.end(), reinterpret_cast<uint8_t*>(&n));
    if (n > most) {
      ok_ = false;
      return {};
    }
    std::vector<T> values(n);
    const std::span<const uint8_t> from = bytes(n * sizeof(T));
    if (ok_) std::copy(from.begin(), from.end(), reinterpret_cast<uint8_t*>(values.data()));
    return values;
  }
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && in_.empty(); }

 private:
  std::span<const uint8_t> in_;
  bool ok_ = true;
};

}  // namespace dsv4::llm
