#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace dsv4::llm {

// Reads server-sent events (HTML standard, section 9.2.6) from bytes that come in any pieces: lines
// that end in LF, CR or CRLF, comments, several data lines of one event. What llama.cpp's server
// sends in a field "error" is taken for data.
class EventStream {
 public:
  // Called with the data of one event.
  using OnData = std::function<void(std::string_view)>;

  explicit EventStream(OnData on_data) : on_data_(std::move(on_data)) {}

  void push(std::string_view bytes);
  // The stream has ended: an event without the empty line after it counts, half a line does not.
  void finish();

 private:
  void line(std::string_view text);
  void dispatch();

  OnData on_data_;
  std::string line_;
  std::string data_;
  bool has_data_ = false;
  bool after_cr_ = false;
  bool first_line_ = true;
};

}  // namespace dsv4::llm
