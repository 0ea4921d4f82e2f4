#include "agent/serve/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <utility>

#include "agent/serve/http_server.h"

namespace dsv4::agent::serve {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

// How often a client that has sent more than its request is looked after.
constexpr std::chrono::milliseconds kLookAgain{200};
// How long a client that was refused may go on sending, so that it reads why.
constexpr std::chrono::milliseconds kLinger{1000};
constexpr size_t kLingerBytes = 4 << 20;

template <class Text>
std::string text_of(const Text& text) {
  return {text.data(), text.size()};
}

std::string chunk_of(const std::string& data) {
  char size[20];
  const auto end = std::to_chars(size, size + sizeof(size), data.size(), 16).ptr;
  return std::string(size, end) + "\r\n" + data + "\r\n";
}

}  // namespace

class Connection::Wire : public Exchange {
 public:
  Wire(HttpServer& server, Service& service, asio::ip::tcp::socket socket,
       const HttpOptions& options)
      : server_(server), service_(service), options_(options), stream_(std::move(socket)) {
    error_code ignored;
    stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  }

  const RequestHead& head() const override { return head_; }
  const std::string& body() const override { return body_; }
  std::chrono::steady_clock::time_point arrived() const override { return arrived_; }
  std::stop_token left() const override { return left_.get_token(); }
  bool cut_off() const override { return cut_off_; }

  Awaitable<void> reply(HttpReply reply) override {
    http::response<http::string_body> response;
    response.version(version_);
    response.result(static_cast<unsigned>(reply.status));
    response.set(http::field::content_type, reply.type);
    for (const auto& [name, value] : reply.headers) response.set(name, value);
    keep_alive_ = keep_alive_ && !server_.stopping_;
    response.keep_alive(keep_alive_);
    response.body() = std::move(reply.body);
    if (head_.method == "HEAD") {
      response.content_length(response.body().size());
      response.body().clear();
    } else {
      response.prepare_payload();
    }
    answered(reply.status);
    stream_.expires_after(options_.write_time);
    co_await http::async_write(stream_, response, asio::use_awaitable);
  }

  // Written by hand: what Beast offers for it takes more words.
  Awaitable<void> begin_events() override {
    chunked_ = version_ >= 11;
    keep_alive_ = keep_alive_ && chunked_ && !server_.stopping_;
    std::string text =
        chunked_ ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" : "HTTP/1.0 200 OK\r\n";
    text += "Content-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n";
    text += keep_alive_ ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
    answered(200);
    co_await write(text);
  }

  Awaitable<void> send(const std::string& events) override {
    // Not `?:` inside co_await: GCC 12 destroys what it makes twice.
    if (chunked_) {
      const std::string chunk = chunk_of(events);
      co_await write(chunk);
    } else {
      co_await write(events);
    }
  }

  Awaitable<void> end_events() override {
    const std::string end = "0\r\n\r\n";
    if (chunked_) co_await write(end);
  }

  // True when another request may come.
  Awaitable<bool> serve_one(std::shared_ptr<Connection> self) {
    begin_request();
    if (server_.stopping_) co_return false;
    if (buffer_.size() == 0 && !co_await first_bytes()) co_return false;
    enter(Stage::kHeader);
    http::request_parser<http::string_body> parser;
    parser.header_limit(options_.header_bytes);
    parser.body_limit(options_.body_bytes);
    error_code error;
    stream_.expires_after(options_.header_time);
    co_await http::async_read_header(stream_, buffer_, parser,
                                     asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return co_await refuse_broken(error);
    read_head(parser.get());
    if (auto refusal = service_.refuse(head_, server_.stopping_)) {
      co_return co_await refuse(std::move(*refusal), parser.is_done());
    }
    if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
      const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
      co_await write(go_on);
    }
    enter(Stage::kBody);
    stream_.expires_after(options_.body_time);
    co_await http::async_read(stream_, buffer_, parser,
                              asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return co_await refuse_broken(error);
    body_ = std::move(parser.get().body());
    enter(Stage::kWhole);
    arrived_ = since_;
    stream_.expires_never();
    const uint64_t number = ++number_;
    asio::co_spawn(stream_.get_executor(), watch(std::move(self), number), asio::detached);
    co_await service_.answer(*this);
    ++number_;
    co_return keep_alive_;
  }

  Awaitable<void> turn_away() {
    HttpReply reply = service_.trouble(503, "too many clients are connected: try again later");
    co_await refuse(std::move(reply), false);
  }

  // Ends in an orderly way, whatever the other side does.
  void shut() {
    error_code ignored;
    left_.request_stop();
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    stream_.close();
  }

  Stage stage() const { return stage_; }
  std::chrono::steady_clock::time_point since() const { return since_; }

  void close_unanswered() {
    if (stage_ != Stage::kWhole) stream_.close();
  }

  void request_cut() {
    cut_off_ = true;
    left_.request_stop();
    if (number_ % 2 == 0) stream_.close();  // nothing is answered: it was still being read
  }

 private:
  void begin_request() {
    head_ = {};
    body_.clear();
    left_ = std::stop_source();
    keep_alive_ = false;
    version_ = 11;
    enter(Stage::kIdle);
  }

  void enter(Stage stage) {
    stage_ = stage;
    since_ = std::chrono::steady_clock::now();
  }

  void answered(int status) { service_.answered(head_.path, status); }

  Awaitable<void> write(const std::string& text) {
    stream_.expires_after(options_.write_time);
    co_await asio::async_write(stream_, asio::buffer(text), asio::use_awaitable);
  }

  Awaitable<bool> first_bytes() {
    error_code error;
    stream_.expires_after(number_ == 0 ? options_.header_time : options_.idle_time);
    const size_t count = co_await stream_.async_read_some(
        buffer_.prepare(4096), asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return false;
    buffer_.commit(count);
    co_return true;
  }

  void read_head(const http::request<http::string_body>& request) {
    version_ = request.version();
    keep_alive_ = request.keep_alive();
    const std::string target = text_of(request.target());
    head_.method = text_of(request.method_string());
    head_.path = target.substr(0, target.find('?'));
    head_.host = text_of(request[http::field::host]);
    head_.origin = text_of(request[http::field::origin]);
    head_.authorization = text_of(request[http::field::authorization]);
    head_.content_type = text_of(request[http::field::content_type]);
  }

  Awaitable<bool> refuse_broken(const error_code& error) {
    if (error == http::error::end_of_stream || error == asio::error::operation_aborted ||
        error == asio::error::connection_reset || error == http::error::partial_message) {
      co_return false;
    }
    // After a time-out Beast has closed the stream: there is nobody to tell.
    if (error == beast::error::timeout) {
      answered(408);
      co_return false;
    }
    HttpReply reply = broken(error);
    co_return co_await refuse(std::move(reply), false);
  }

  HttpReply broken(const error_code& error) {
    if (error == http::error::header_limit) {
      return service_.trouble(431, "the request's header is larger than " +
                                       std::to_string(options_.header_bytes) + " bytes");
    }
    if (error == http::error::body_limit) {
      return service_.trouble(413, "the request's body is larger than " +
                                       std::to_string(options_.body_bytes) + " bytes");
    }
    return service_.trouble(400, "this is no HTTP request: " + error.message());
  }

  // whole: the request has no body that would still come.
  Awaitable<bool> refuse(HttpReply reply, bool whole) {
    keep_alive_ = keep_alive_ && whole;
    enter(Stage::kWhole);  // not to be closed before it is read why
    co_await this->reply(std::move(reply));
    if (!keep_alive_) co_await linger();
    co_return keep_alive_;
  }

  // A client that still sends would lose the reply to a reset.
  Awaitable<void> linger() {
    error_code error;
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, error);
    stream_.expires_after(kLinger);
    char thrown_away[4096];
    for (size_t total = 0; !error && total < kLingerBytes;) {
      total += co_await stream_.async_read_some(asio::buffer(thrown_away),
                                                asio::redirect_error(asio::use_awaitable, error));
    }
  }

  // Notices when the client leaves while it only waits for its answer, the request `number`.
  Awaitable<void> watch(std::shared_ptr<Connection> self, uint64_t number) {
    asio::steady_timer timer(stream_.get_executor());
    while (number == number_) {
      error_code error;
      co_await stream_.socket().async_wait(asio::ip::tcp::socket::wait_read,
                                           asio::redirect_error(asio::use_awaitable, error));
      if (error || number != number_) break;
      if (has_left()) {
        left_.request_stop();
        break;
      }
      // The next request lies there already, so that waiting for more would end at once.
      timer.expires_after(kLookAgain);
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
    self.reset();
  }

  bool has_left() {
    const int fd = stream_.socket().native_handle();
    pollfd entry{fd, POLLRDHUP, 0};
    return ::poll(&entry, 1, 0) > 0 && (entry.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
  }

  HttpServer& server_;
  Service& service_;
  const HttpOptions& options_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  RequestHead head_;
  std::string body_;
  std::chrono::steady_clock::time_point arrived_;
  std::stop_source left_;
  unsigned version_ = 11;
  bool keep_alive_ = false;
  bool chunked_ = false;
  Stage stage_ = Stage::kIdle;
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
  bool cut_off_ = false;
  uint64_t number_ = 0;  // odd while a request is answered
};

class Connection::Listed {
 public:
  explicit Listed(Connection& connection) : connection_(connection) {
    connection.server_.open_.insert(&connection);
  }
  ~Listed() {
    HttpServer& server = connection_.server_;
    server.open_.erase(&connection_);
    if (server.open_.empty()) server.grace_.cancel();
  }
  Listed(const Listed&) = delete;
  Listed& operator=(const Listed&) = delete;

 private:
  Connection& connection_;
};

Connection::Connection(HttpServer& server, Service& service, asio::ip::tcp::socket socket,
                       const HttpOptions& options)
    : server_(server), wire_(std::make_unique<Wire>(server, service, std::move(socket), options)) {}

Connection::~Connection() = default;

asio::awaitable<void> Connection::run() {
  const Listed listed(*this);
  while (co_await wire_->serve_one(shared_from_this())) {
  }
}

asio::awaitable<void> Connection::serve(std::shared_ptr<Connection> self, bool room) {
  try {
    if (room) {
      co_await self->run();
    } else {
      co_await self->wire_->turn_away();
    }
  } catch (const boost::system::system_error&) {
    // The client has left, or is too slow to be waited for.
  }
  self->wire_->shut();
}

Connection::Stage Connection::stage() const { return wire_->stage(); }

std::chrono::steady_clock::time_point Connection::since() const { return wire_->since(); }

void Connection::close_unanswered() { wire_->close_unanswered(); }

void Connection::cut_off() { wire_->request_cut(); }

}  // namespace dsv4::agent::serve
