#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agent/serve/metrics.h"
#include "llm/serve/engine.h"

namespace dsv4::agent::serve {

class TurnMail;

// Wakes the server's thread once for all that the engine told in one pass.
class Mailroom {
 public:
  explicit Mailroom(boost::asio::io_context& context) : context_(context) {}

  // In the engine's thread.
  void came(std::shared_ptr<TurnMail> mail);
  void deliver();

 private:
  boost::asio::io_context& context_;
  std::vector<std::shared_ptr<TurnMail>> came_;  // the engine's thread only
};

// What the engine tells about one turn, on its way to the server's thread.
class TurnMail : public llm::serve::TurnSink, public std::enable_shared_from_this<TurnMail> {
 public:
  using Clock = std::chrono::steady_clock;

  TurnMail(Mailroom& room, boost::asio::io_context& context, Metrics& metrics,
           Clock::time_point arrived);

  void begun(const llm::serve::TurnUsage& usage) override;
  void more(llm::serve::Delta delta, const llm::serve::TurnUsage& usage) override;
  void ended(llm::serve::TurnEnd end, const llm::serve::TurnUsage& usage,
             const std::string& error) override;
  void asks(const std::vector<llm::ArgumentPlace>& places) override;

  // All that has come since the last time.
  struct News {
    llm::serve::Delta delta;
    llm::serve::TurnUsage usage;
    std::optional<llm::serve::TurnEnd> end;
    std::string error;
    std::vector<llm::ArgumentPlace> places;  // of a turn that ends as kAsks
  };
  // In the server's thread: waits until there is some, or until `quiet` has passed without any.
  boost::asio::awaitable<News> wait(std::chrono::milliseconds quiet);

 private:
  friend class Mailroom;
  bool take(News& news);
  void changed();

  Mailroom& room_;
  Metrics& metrics_;
  boost::asio::steady_timer bell_;
  Clock::time_point last_;  // token, or the request's arrival
  Clock::time_point rung_;
  int64_t tokens_ = 0;
  bool noticed_ = false;  // it is among what the room will deliver

  std::mutex mutex_;
  News news_;
  bool fresh_ = false;
};

}  // namespace dsv4::agent::serve
