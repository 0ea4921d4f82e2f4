#include "journal.h"

namespace {

class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : left_(bytes) {}

  std::string_view take(size_t count) {
    if (left_.size() < count) throw JournalError("damaged: it ends early");
    const std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(count);
    return taken;
  }

  unsigned byte() { return static_cast<unsigned char>(take(1)[0]); }
  std::string text() { return std::string(take(byte())); }
  bool at_end() const { return left_.empty(); }

 private:
  std::string_view left_;
};

}  // namespace

std::vector<Trip> load(std::string_view bytes) {
  Cursor cursor(bytes);
  if (cursor.take(3) != "JRN") throw JournalError("not a journal");
  if (cursor.byte() != '1') throw JournalError("unknown version");
  std::vector<Trip> trips(cursor.byte());
  for (Trip& trip : trips) {
    trip.kilometres = static_cast<uint16_t>(cursor.byte() << 8);
    trip.kilometres = static_cast<uint16_t>(trip.kilometres | cursor.byte());
    trip.from = cursor.text();
    trip.to = cursor.text();
  }
  if (!cursor.at_end()) throw JournalError("damaged: bytes are left over");
  return trips;
}
