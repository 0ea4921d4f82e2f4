#include "agent/http/reply_reader.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>
#include <optional>

namespace dsv4::http {
namespace {

namespace beast = boost::beast::http;
using boost::system::error_code;

constexpr uint32_t kMostHeaderBytes = 64 << 10;
constexpr size_t kReadAtOnce = 16 << 10;
constexpr int kMostInterim = 8;  // 1xx replies

// Beast's parser of HTTP/1.1, which hands over what it reads.
class Parser : public beast::basic_parser<false> {
 public:
  Parser(const ReplyLimits& limits, const Client::OnBytes& on_bytes)
      : limits_(limits), on_bytes_(on_bytes) {
    header_limit(kMostHeaderBytes);
    body_limit(std::numeric_limits<uint64_t>::max());  // counted here, chunks taken apart
    eager(true);
    if (limits.head) skip(true);
  }

  Response take() { return std::move(response_); }
  int status() const { return response_.status; }
  bool too_large() const { return too_large_; }
  bool stopped() const { return stopped_; }

 private:
  void on_request_impl(beast::verb, boost::beast::string_view, boost::beast::string_view, int,
                       error_code&) override {}

  void on_response_impl(int code, boost::beast::string_view, int, error_code& error) override {
    error = {};
    response_.status = code;
  }

  void on_field_impl(beast::field, boost::beast::string_view name, boost::beast::string_view value,
                     error_code& error) override {
    error = {};
    response_.headers.push_back({std::string(name), std::string(value)});
  }

  void on_header_impl(error_code& error) override { error = {}; }

  void on_body_init_impl(const boost::optional<uint64_t>& length, error_code& error) override {
    error = {};
    if (!length || *length <= limits_.most_bytes) return;
    too_large_ = true;
    error = beast::error::body_limit;
  }

  size_t on_body_impl(boost::beast::string_view bytes, error_code& error) override {
    return take_bytes(bytes, error);
  }

  void on_chunk_header_impl(uint64_t, boost::beast::string_view, error_code& error) override {
    error = {};
  }

  size_t on_chunk_body_impl(uint64_t, boost::beast::string_view bytes, error_code& error) override {
    return take_bytes(bytes, error);
  }

  void on_finish_impl(error_code& error) override { error = {}; }

  size_t take_bytes(boost::beast::string_view bytes, error_code& error) {
    error = {};
    if (bytes.size() > limits_.most_bytes - bytes_) {
      too_large_ = true;
      error = beast::error::body_limit;
      return 0;
    }
    bytes_ += bytes.size();
    if (!on_bytes_ || !response_.ok()) {
      response_.body.append(bytes.data(), bytes.size());
    } else if (!on_bytes_({bytes.data(), bytes.size()})) {
      stopped_ = true;
      error = beast::error::end_of_stream;
    }
    return bytes.size();
  }

  const ReplyLimits& limits_;
  const Client::OnBytes& on_bytes_;
  Response response_;
  size_t bytes_ = 0;
  bool too_large_ = false;
  bool stopped_ = false;
};

// Bytes read from the wire that no parser has taken yet.
class Reader {
 public:
  explicit Reader(Wire& wire) : wire_(wire) {}

  bool empty() const { return from_ == size_; }

  // Feeds a parser until it is done or stopped.
  void feed(Parser& parser) {
    while (!parser.is_done() && !parser.stopped()) {
      if (empty() && !refill(parser)) return;
      error_code error;
      from_ += parser.put(boost::asio::buffer(bytes_.data() + from_, size_ - from_), error);
      if (error && error != beast::error::need_more) return refuse(parser, error);
      // What is left over is the beginning of a line whose end has not come yet.
      if (error && !parser.is_done() && !more()) return finish(parser);
    }
  }

 private:
  // False at the end of the stream.
  bool refill(Parser& parser) {
    from_ = size_ = 0;
    if (more()) return true;
    finish(parser);
    return false;
  }

  bool more() {
    if (from_ > 0) {
      std::copy(bytes_.begin() + from_, bytes_.begin() + size_, bytes_.begin());
      size_ -= from_;
      from_ = 0;
    }
    if (size_ == bytes_.size()) {
      throw Error(ErrorKind::kProtocol,
                  wire_.server().place() + " sent a line that is too long for HTTP", true);
    }
    const size_t got = wire_.read_some(bytes_.data() + size_, bytes_.size() - size_);
    size_ += got;
    return got > 0;
  }

  // The stream has ended: that is how some bodies end, and how others break.
  void finish(Parser& parser) {
    error_code error = beast::error::end_of_stream;
    if (parser.got_some()) parser.put_eof(error = {});
    if (error) {
      throw Error(ErrorKind::kBroken,
                  "the connection to " + wire_.server().place() + " ended before the reply did",
                  true);
    }
  }

  void refuse(const Parser& parser, const error_code& error) const {
    if (parser.stopped()) return;
    if (parser.too_large()) {
      throw Error(ErrorKind::kTooLarge,
                  "the reply of " + wire_.server().place() + " is over the size limit", true);
    }
    throw Error(ErrorKind::kProtocol,
                "what " + wire_.server().place() + " sent is not HTTP: " + error.message(), true);
  }

  Wire& wire_;
  std::array<char, kMostHeaderBytes + kReadAtOnce> bytes_;
  size_t from_ = 0;
  size_t size_ = 0;
};

}  // namespace

ReadReply read_reply(Wire& wire, const ReplyLimits& limits, const Client::OnBytes& on_bytes) {
  Reader reader(wire);
  for (int interim = 0; interim <= kMostInterim; ++interim) {
    Parser parser(limits, on_bytes);
    reader.feed(parser);
    if (parser.status() >= 100 && parser.status() < 200 && parser.status() != 101) continue;
    ReadReply reply;
    reply.whole = parser.is_done();
    reply.keep_alive = reply.whole && !parser.stopped() && parser.keep_alive() && reader.empty();
    reply.response = parser.take();
    return reply;
  }
  throw Error(ErrorKind::kProtocol, wire.server().place() + " sends 1xx replies only", true);
}

}  // namespace dsv4::http
