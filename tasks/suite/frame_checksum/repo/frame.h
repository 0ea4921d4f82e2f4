#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// A frame is its data between start and end, followed by the checksum of the data, high byte first:
//   02 data... 03 checksum checksum

// Fletcher's checksum of bytes, modulo 255.
uint16_t fletcher16(std::string_view data);

std::string make_frame(std::string_view data);

// The data of a frame, or nothing when it is damaged.
std::optional<std::string> open_frame(std::string_view frame);
