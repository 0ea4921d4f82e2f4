#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// The journal of a car, and its file:
//   "JRN1", the number of trips (1 byte), and for each trip its kilometres (2 bytes, high byte
//   first) and from and to (each 1 byte of length, then its bytes)

struct Trip {
  uint16_t kilometres = 0;
  std::string from;
  std::string to;
  std::string driver;
};

class JournalError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Throws JournalError when there are too many trips or a text is too long for the format.
std::string save(const std::vector<Trip>& trips);

// Throws JournalError when these are not the bytes of a whole journal.
std::vector<Trip> load(std::string_view bytes);
