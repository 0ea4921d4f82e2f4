#pragma once

#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "agent/serve/http_server.h"
#include "agent/serve/key.h"
#include "agent/serve/metrics.h"
#include "agent/serve/turn_mail.h"
#include "llm/serve/chat_response.h"
#include "llm/serve/engine.h"

namespace dsv4::agent::serve {

struct ServiceOptions {
  std::string model;          // its name, as clients spell it
  std::optional<Key> key;     // what clients have to know; without one, only this machine's may ask
  int most_running = 32;      // turns computed at the same time
  int most_waiting = 64;      // further ones that may wait; more are refused
  int64_t max_tokens = 4096;  // of a reply whose request does not say, and at most
  bool thinking = false;      // of a request that does not say
};

// OpenAI's protocol in front of one engine:
//   POST /v1/chat/completions, POST /v1/completions, GET /v1/models, GET /health, GET /metrics
class ChatService : public Service {
 public:
  // The server must outlive it.
  ChatService(std::unique_ptr<llm::serve::Engine> engine, HttpServer& server,
              ServiceOptions options);
  ~ChatService() override;

  std::optional<HttpReply> refuse(const RequestHead& head, bool stopping) override;
  HttpReply trouble(int status, const std::string& sentence) override;
  boost::asio::awaitable<void> answer(Exchange& exchange) override;
  void answered(const std::string& path, int status) override;

 private:
  // A request that was read.
  struct Asked {
    llm::serve::TurnRequest turn;
    std::string model;
    bool seeded = false;
    bool stream = false;
    bool usage = false;
    bool tokens_as_ids = false;
  };
  class Place;

  std::optional<HttpReply> refuse_caller(const RequestHead& head) const;
  HttpReply busy() const;
  boost::asio::awaitable<void> generate(Exchange& exchange, bool chat);
  // These run beside the server's thread, and throw Refused.
  Asked read_chat(const std::string& body) const;
  Asked read_completion(const std::string& body) const;
  void fill(const llm::serve::Generation& generation, Asked& out) const;
  boost::asio::awaitable<void> whole(Exchange& exchange, TurnMail& mail,
                                     llm::serve::ResponseWriter& writer);
  boost::asio::awaitable<void> stream(Exchange& exchange, TurnMail& mail,
                                      llm::serve::ResponseWriter& writer, bool usage);
  static HttpReply failure(const TurnMail::News& news);
  static std::string events(const TurnMail::News& news, llm::serve::ResponseWriter& writer,
                            bool usage);
  HttpReply metrics_page() const;
  std::string new_id();

  HttpServer& server_;
  ServiceOptions options_;
  int64_t created_;
  Metrics metrics_;
  Mailroom mailroom_;
  int present_ = 0;  // requests that are computed or wait
  std::mt19937_64 random_;
  boost::asio::thread_pool readers_{1};  // parses and tokenises, while the server's thread goes on
  std::unique_ptr<llm::serve::Engine> engine_;  // last: it tells the mailroom until its end
};

}  // namespace dsv4::agent::serve
