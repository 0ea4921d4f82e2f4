#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <stop_token>
#include <string>

#include "agent/http/client.h"

namespace dsv4::http {

struct RetryOptions {
  int most = 5;                                          // retries of one request
  std::chrono::milliseconds first{500};                  // wait before the first one; then doubled
  std::chrono::milliseconds longest{30'000};             // of those waits
  std::chrono::milliseconds longest_asked_for{120'000};  // what a server asks for over this ends it
  uint64_t seed = 0;                                     // of the jitter
};

// When to send a request again, and when not to. No clock, no sleep and no socket in it.
//   sent again: what never reached the server (no connection, broken off in the handshake); 429,
//   and
//     403 with a Retry-After or an exhausted x-ratelimit-remaining, which were not carried out; 503
//     with Retry-After, alike
//   only when it is repeatable: 408, 425, 500, 502, 503, 504, and replies that broke or never came
//   never: everything else; a certificate or a request that is wrong stays wrong
// The wait is what the server asks for (Retry-After in seconds or as a date, x-ratelimit-reset as
// seconds since 1970), else first * 2^n, of which a random half is taken off.
class Retry {
 public:
  using WallClock = std::chrono::system_clock;

  explicit Retry(const RetryOptions& options) : options_(options), random_(options.seed) {}

  // How long to wait before sending again, or nothing when the outcome stands. Each answer that is
  // a wait counts as one retry.
  std::optional<std::chrono::milliseconds> after(const Response& response, bool repeatable,
                                                 WallClock::time_point now);
  std::optional<std::chrono::milliseconds> after(const Error& error, bool repeatable);

 private:
  std::optional<std::chrono::milliseconds> next();

  RetryOptions options_;
  std::mt19937_64 random_;
  int done_ = 0;
};

// How long a server asks to be left alone, where it does.
std::optional<std::chrono::milliseconds> asked_wait(const Response& response,
                                                    Retry::WallClock::time_point now);

// What a caller may want to replace or to hear.
struct RetryHooks {
  // Waits; false when it was stopped. By default really.
  std::function<bool(std::chrono::milliseconds, std::stop_token)> sleep;
  std::function<Retry::WallClock::time_point()> now;
  // Told before every wait, in a sentence part: "429 from api.example.com".
  std::function<void(const std::string& why, std::chrono::milliseconds wait)> on_retry;
};

// Client::send(), repeated as Retry says; the last reply or Error is the outcome.
Response send_with_retries(Client& client, const Request& request, const RetryOptions& options,
                           const RetryHooks& hooks = {}, std::stop_token cancel = {});

// Waits without hearing from anybody but the stop token: false when it fired.
bool wait_for(std::chrono::milliseconds time, std::stop_token cancel);

}  // namespace dsv4::http
