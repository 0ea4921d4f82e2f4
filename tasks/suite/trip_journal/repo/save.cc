#include "journal.h"

namespace {

constexpr size_t kMost = 255;  // trips, and bytes of a text

void append_byte(std::string& bytes, size_t value) { bytes += static_cast<char>(value & 0xff); }

void append_text(std::string& bytes, const std::string& text) {
  if (text.size() > kMost) throw JournalError("too long: " + text);
  append_byte(bytes, text.size());
  bytes += text;
}

}  // namespace

std::string save(const std::vector<Trip>& trips) {
  if (trips.size() > kMost) throw JournalError("too many trips");
  std::string bytes = "JRN1";
  append_byte(bytes, trips.size());
  for (const Trip& trip : trips) {
    append_byte(bytes, trip.kilometres >> 8);
    append_byte(bytes, trip.kilometres);
    append_text(bytes, trip.from);
    append_text(bytes, trip.to);
  }
  return bytes;
}
