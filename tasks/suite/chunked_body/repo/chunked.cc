#include "chunked.h"

#include <charconv>
#include <optional>

namespace {

constexpr size_t kMostDigits = 7;

// The number that hexadecimal digits stand for; nothing when they are none or too many.
std::optional<size_t> parse_size(std::string_view digits) {
  if (digits.empty() || digits.size() > kMostDigits) return std::nullopt;
  size_t size = 0;
  const char* end = digits.data() + digits.size();
  if (std::from_chars(digits.data(), end, size, 16).ptr != end) return std::nullopt;
  return size;
}

}  // namespace

Status ChunkedDecoder::bad() { return status_ = Status::kBad; }

Status ChunkedDecoder::feed(std::string_view piece) {
  while (status_ == Status::kMore && !piece.empty()) {
    const size_t end = piece.find("\r\n");
    if (end == piece.npos) return bad();
    const std::string_view line = piece.substr(0, end);
    const auto size = parse_size(line.substr(0, line.find(';')));
    if (!size) return bad();
    piece.remove_prefix(end + 2);
    const std::string_view data = piece.substr(0, *size);
    body_ += data;
    piece.remove_prefix(data.size());
    if (piece.empty()) break;
    if (piece.substr(0, 2) != "\r\n") return bad();
    piece.remove_prefix(2);
    if (*size == 0) status_ = Status::kDone;
  }
  return piece.empty() ? status_ : bad();
}
