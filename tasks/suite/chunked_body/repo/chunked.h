#pragma once

#include <cstddef>
#include <string>
#include <string_view>

enum class Status { kMore, kDone, kBad };

// Decodes a body with "Transfer-Encoding: chunked" that comes in pieces.
class ChunkedDecoder {
 public:
  // Takes the next piece. Once the body is bad it stays bad.
  Status feed(std::string_view piece);

  // What has been decoded so far.
  const std::string& body() const { return body_; }

 private:
  Status bad();

  Status status_ = Status::kMore;
  std::string body_;
};
