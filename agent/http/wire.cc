#include "agent/http/wire.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>

#include "agent/http/resolve.h"

namespace dsv4::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Clock = Deadlines::Clock;

// Sent at once, so that a slow line does not look idle.
constexpr size_t kPiece = 64 << 10;
constexpr size_t kLongestProxyReply = 16 << 10;

std::string base64(std::string_view text) {
  std::string out((text.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  out.resize(static_cast<size_t>(length));
  return out;
}

std::string seconds(std::chrono::milliseconds time) {
  const auto count = time.count();
  const std::string whole = std::to_string(count / 1000);
  return count % 1000 == 0 ? whole + " s" : std::to_string(count) + " ms";
}

}  // namespace

Wire::Wire(Url server, std::optional<Url> proxy)
    : server_(std::move(server)), proxy_(std::move(proxy)), socket_(io_), timer_(io_) {}

void Wire::begin(const Deadlines& deadlines, std::stop_token cancel) {
  deadlines_ = deadlines;
  cancel_ = std::move(cancel);
  sent_ = false;
  on_cancel_.emplace(cancel_, [this] {
    asio::post(io_, [this] {
      cancelled_ = true;
      close();
    });
  });
}

bool Wire::end() {
  on_cancel_.reset();
  cancel_ = {};
  io_.restart();
  io_.poll();  // a stop that came too late
  return socket_.is_open() && !cancelled_ && !timed_out_;
}

void Wire::close() {
  error_code ignored;
  socket_.close(ignored);
}

// Runs one operation to its end, which a stop or the time limit brings about by closing the socket.
template <typename Start>
error_code Wire::wait(Clock::time_point by, const Start& start) {
  error_code result = asio::error::would_block;
  if (cancel_.stop_requested()) {
    cancelled_ = true;
    close();
    return asio::error::operation_aborted;
  }
  timer_.expires_at(by);
  timer_.async_wait([this](const error_code& error) {
    if (error) return;
    timed_out_ = true;
    close();
  });
  start([&](const error_code& error) {
    result = error;
    timer_.cancel();
  });
  io_.restart();
  io_.run();
  if (cancelled_ || timed_out_) return asio::error::operation_aborted;
  return result;
}

template <typename Start>
error_code Wire::wait_in_request(const Start& start) {
  Clock::time_point by = connecting_ ? deadlines_.connect : Clock::now() + deadlines_.idle;
  if (deadlines_.total) by = std::min(by, *deadlines_.total);
  return wait(by, start);
}

void Wire::fail(const std::string& what, const error_code& error, ErrorKind kind) {
  const std::string place = server_.place();
  close();
  if (cancelled_) {
    throw Error(ErrorKind::kCancelled, "the request to " + place + " was stopped", sent_);
  }
  if (timed_out_) {
    const bool total = deadlines_.total && Clock::now() >= *deadlines_.total;
    throw Error(ErrorKind::kTimeout,
                total         ? "the request to " + place + " took longer than its time limit"
                : connecting_ ? "no connection to " + place + " could be made in time"
                              : place + " sent nothing for " + seconds(deadlines_.idle),
                sent_);
  }
  throw Error(kind, what + ": " + error.message(), sent_);
}

void Wire::open(asio::ssl::context& trust) {
  connecting_ = true;
  connect(proxy_.value_or(server_));
  if (proxy_ && server_.https) ask_proxy();
  if (server_.https) handshake(trust);
  connecting_ = false;
}

void Wire::connect(const Url& to) {
  Clock::time_point by = deadlines_.connect;
  if (deadlines_.total) by = std::min(by, *deadlines_.total);
  const auto found = resolve(to, by, cancel_);
  error_code error;
  for (size_t i = 0; i < found.size(); ++i) {
    // An address that swallows everything leaves the others their share of the time.
    const bool last = i + 1 == found.size();
    const auto share = (by - Clock::now()) / static_cast<int64_t>(found.size() - i);
    close();
    error = wait(last ? by : Clock::now() + share,
                 [&](auto done) { socket_.async_connect(found[i], done); });
    if (!error) break;
    if (timed_out_ && !last) timed_out_ = false;
  }
  if (error) {
    fail((proxy_ ? "cannot connect to the proxy " : "cannot connect to ") + to.place(), error,
         ErrorKind::kConnect);
  }
  socket_.set_option(asio::ip::tcp::no_delay(true), error);
}

void Wire::ask_proxy() {
  std::string request = "CONNECT " + server_.place() + " HTTP/1.1\r\nHost: " + server_.place();
  if (!proxy_->user.empty())
    request += "\r\nProxy-Authorization: Basic " + base64(percent_decoded(proxy_->user));
  request += "\r\n\r\n";
  const std::string where = "the proxy " + proxy_->place();
  error_code error = wait_in_request([&](auto done) {
    asio::async_write(socket_, asio::buffer(request),
                      [done](const error_code& e, size_t) { done(e); });
  });
  if (error) fail(where + " does not answer", error, ErrorKind::kConnect);
  // Byte by byte: what follows the empty line is the server's and not the proxy's.
  std::string reply;
  while (!reply.ends_with("\r\n\r\n")) {
    char byte = 0;
    error = wait_in_request([&](auto done) {
      socket_.async_read_some(asio::buffer(&byte, 1),
                              [done](const error_code& e, size_t) { done(e); });
    });
    if (error) fail(where + " does not answer", error, ErrorKind::kConnect);
    reply += byte;
    if (reply.size() > kLongestProxyReply) break;
  }
  const bool http = reply.starts_with("HTTP/1.") && reply.size() > 12;
  if (http && reply[9] == '2') return;
  close();
  throw Error(ErrorKind::kConnect, where + (http ? " refuses to connect to " + server_.place() +
                                                       ": status " + reply.substr(9, 3)
                                                 : " does not speak HTTP"));
}

void Wire::handshake(asio::ssl::context& trust) {
  tls_.emplace(socket_, trust);
  SSL* const ssl = tls_->native_handle();
  error_code error;
  asio::ip::make_address(server_.host, error);
  X509_VERIFY_PARAM* const check = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(check, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool set = error ? SSL_set1_host(ssl, server_.host.c_str()) == 1 &&
                               SSL_set_tlsext_host_name(ssl, server_.host.c_str()) == 1
                         : X509_VERIFY_PARAM_set1_ip_asc(check, server_.host.c_str()) == 1;
  if (!set) throw Error(ErrorKind::kTls, "no TLS can be spoken with a host of that name");
  error = wait_in_request(
      [&](auto done) { tls_->async_handshake(asio::ssl::stream_base::client, done); });
  if (!error) return;
  const long verdict = SSL_get_verify_result(ssl);
  if (!cancelled_ && !timed_out_ && verdict != X509_V_OK) {
    close();
    throw Error(ErrorKind::kTls, "the certificate of " + server_.place() +
                                     " is not accepted: " + X509_verify_cert_error_string(verdict));
  }
  const bool spoke = error.category() == asio::error::get_ssl_category();
  fail("no TLS connection with " + server_.place(), error,
       spoke ? ErrorKind::kTls : ErrorKind::kConnect);
}

void Wire::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kPiece);
    sent_ = true;
    const error_code error = wait_in_request([&](auto done) {
      const auto handler = [done](const error_code& e, size_t) { done(e); };
      if (tls_) {
        asio::async_write(*tls_, asio::buffer(piece), handler);
      } else {
        asio::async_write(socket_, asio::buffer(piece), handler);
      }
    });
    if (error == asio::error::broken_pipe || error == asio::error::connection_reset) {
      // The server may have answered before it hung up: that is for read_some() to find.
      if (!cancelled_ && !timed_out_) return;
    }
    if (error) fail("the connection to " + server_.place() + " broke", error);
    bytes.remove_prefix(piece.size());
  }
}

size_t Wire::read_some(char* to, size_t size) {
  size_t got = 0;
  const error_code error = wait_in_request([&](auto done) {
    const auto handler = [done, &got](const error_code& e, size_t count) {
      got = count;
      done(e);
    };
    if (tls_) {
      tls_->async_read_some(asio::buffer(to, size), handler);
    } else {
      socket_.async_read_some(asio::buffer(to, size), handler);
    }
  });
  if (!error) return got;
  // Over TLS the end is TLS's own good-bye: without it somebody else may have cut the line.
  if (!cancelled_ && !timed_out_ && error == asio::error::eof) {
    close();
    return 0;
  }
  fail("the connection to " + server_.place() + " broke", error);
}

bool Wire::quiet() {
  error_code error;
  char byte = 0;
  socket_.non_blocking(true, error);
  if (error) return false;
  socket_.receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, error);
  return error == asio::error::would_block || error == asio::error::try_again;
}

}  // namespace dsv4::http
