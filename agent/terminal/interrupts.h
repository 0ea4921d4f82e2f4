#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <mutex>
#include <stop_token>
#include <thread>

#include "tools/descriptor.h"

namespace dsv4::agent::terminal {

// SIGINT, SIGTERM and SIGHUP of a session that reads whole lines: an interrupt stops the piece of
// work that goes on, where `stops_work` says so, and everything else ends the session.
class Interrupts {
 public:
  explicit Interrupts(bool stops_work);
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  // Begins a piece of work: its token. done() ends it.
  std::stop_token work();
  void done();

  bool ended() const;
  // Readable once the session has to end.
  int end_fd() const { return end_read_.get(); }

 private:
  void wait();
  void end();

  const bool stops_work_;
  mutable std::mutex mutex_;
  std::stop_source work_;
  bool working_ = false;
  bool ended_ = false;
  tools::Descriptor end_read_;
  tools::Descriptor end_write_;
  boost::asio::io_context loop_;
  boost::asio::signal_set signals_;
  std::thread thread_;
};

}  // namespace dsv4::agent::terminal
