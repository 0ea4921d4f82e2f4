#include "agent/terminal/interrupts.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace dsv4::agent::terminal {

Interrupts::Interrupts(bool stops_work)
    : stops_work_(stops_work), signals_(loop_, SIGINT, SIGTERM, SIGHUP) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw std::runtime_error(std::string("cannot make a pipe: ") + std::strerror(errno));
  }
  end_read_ = tools::Descriptor(ends[0]);
  end_write_ = tools::Descriptor(ends[1]);
  wait();
  thread_ = std::thread([this] { loop_.run(); });
}

Interrupts::~Interrupts() {
  loop_.stop();
  thread_.join();
}

void Interrupts::wait() {
  signals_.async_wait([this](const boost::system::error_code& error, int number) {
    if (error) return;
    std::stop_source running;
    {
      const std::lock_guard lock(mutex_);
      if (!working_ || !stops_work_ || number != SIGINT) end();
      running = work_;
    }
    running.request_stop();
    wait();
  });
}

void Interrupts::end() {
  if (ended_) return;
  ended_ = true;
  end_write_ = tools::Descriptor();  // the reading end sees it
}

std::stop_token Interrupts::work() {
  const std::lock_guard lock(mutex_);
  working_ = true;
  work_ = std::stop_source();
  if (ended_) work_.request_stop();
  return work_.get_token();
}

void Interrupts::done() {
  const std::lock_guard lock(mutex_);
  working_ = false;
}

bool Interrupts::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

}  // namespace dsv4::agent::terminal
