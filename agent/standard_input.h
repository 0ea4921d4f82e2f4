#pragma once

#include <array>
#include <istream>
#include <stop_token>
#include <streambuf>
#include <string>
#include <string_view>
#include <utility>

namespace dsv4::agent {

// A stream on a file, pipe or terminal that also ends at `cancel`: nobody may ever write to a pipe.
// It is bad, not only at its end, when the descriptor cannot be read. Does not own the descriptor.
class DescriptorInput : public std::istream {
 public:
  DescriptorInput(int fd, std::stop_token cancel);

 private:
  class Buffer : public std::streambuf {
   public:
    Buffer(int fd, std::stop_token cancel) : fd_(fd), cancel_(std::move(cancel)) {}

   protected:
    int_type underflow() override;

   private:
    int fd_;
    std::stop_token cancel_;
    std::array<char, 1 << 16> block_;
  };
  Buffer buffer_;
};

// All of standard input, as bytes. Throws UsageError that begins with the command's name when it
// cannot be read: closed, or a directory.
std::string read_standard_input(std::string_view command);

}  // namespace dsv4::agent
