#include "frame.h"

namespace {

constexpr char kStart = 0x02;
constexpr char kEnd = 0x03;
constexpr size_t kOverhead = 4;

}  // namespace

uint16_t fletcher16(std::string_view data) {
  unsigned low = 0;
  unsigned high = 0;
  for (const char byte : data) {
    low = (low + byte) % 255;
    high = (high + low) % 255;
  }
  return static_cast<uint16_t>(high << 8 | low);
}

std::string make_frame(std::string_view data) {
  const uint16_t sum = fletcher16(data);
  std::string frame(1, kStart);
  frame += data;
  frame += kEnd;
  frame += static_cast<char>(sum >> 8);
  frame += static_cast<char>(sum & 0xff);
  return frame;
}

std::optional<std::string> open_frame(std::string_view frame) {
  if (frame.size() < kOverhead || frame.front() != kStart) return std::nullopt;
  const std::string data(frame.substr(1, frame.size() - kOverhead));
  if (make_frame(data) != frame) return std::nullopt;
  return data;
}
