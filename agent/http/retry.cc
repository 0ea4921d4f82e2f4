#include "agent/http/retry.h"

#include <time.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <mutex>

#include "agent/http/url.h"

namespace dsv4::http {
namespace {

using std::chrono::milliseconds;
using WallClock = Retry::WallClock;

std::optional<int64_t> whole_number(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return std::min<int64_t>(number, int64_t{1} << 40);  // far away, and no overflow
}

// "Sun, 06 Nov 1994 08:49:37 GMT", the one form that RFC 9110 lets anybody send.
std::optional<WallClock::time_point> http_date(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29 || !text.ends_with(" GMT") || text.substr(3, 2) != ", ") {
    return std::nullopt;
  }
  const size_t month = kMonths.find(text.substr(8, 3));
  const auto day = whole_number(text.substr(5, 2));
  const auto year = whole_number(text.substr(12, 4));
  const auto hour = whole_number(text.substr(17, 2));
  const auto minute = whole_number(text.substr(20, 2));
  const auto second = whole_number(text.substr(23, 2));
  if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
  if (!day || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(month / 3 + 1)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

milliseconds until(WallClock::time_point then, WallClock::time_point now) {
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(then - now));
}

bool used_up(const Response& response) { return response.header("x-ratelimit-remaining") == "0"; }

}  // namespace

std::optional<milliseconds> asked_wait(const Response& response, WallClock::time_point now) {
  if (const auto after = response.header("retry-after")) {
    if (const auto seconds = whole_number(*after)) return std::chrono::seconds(*seconds);
    if (const auto date = http_date(*after)) return until(*date, now);
  }
  const auto reset = response.header("x-ratelimit-reset");
  if (!reset || !used_up(response)) return std::nullopt;
  const auto seconds = whole_number(*reset);
  if (!seconds) return std::nullopt;
  return until(
      WallClock::time_point(std::chrono::seconds(std::min<int64_t>(*seconds, int64_t{1} << 33))),
      now);
}

std::optional<milliseconds> Retry::next() {
  if (done_ == options_.most) return std::nullopt;
  const auto doubled = options_.first * (int64_t{1} << std::min(done_++, 20));
  const auto whole = std::min<milliseconds>(doubled, options_.longest);
  std::uniform_real_distribution<double> part(0.5, 1.0);
  return milliseconds(static_cast<int64_t>(static_cast<double>(whole.count()) * part(random_)));
}

std::optional<milliseconds> Retry::after(const Response& response, bool repeatable,
                                         WallClock::time_point now) {
  const int status = response.status;
  const std::optional<milliseconds> asked = asked_wait(response, now);
  const bool limited = status == 429 || ((status == 403 || status == 503) && asked) ||
                       (status == 403 && used_up(response));
  const bool failed = status == 408 || status == 425 || status == 500 || status == 502 ||
                      status == 503 || status == 504;
  if (!limited && !(failed && repeatable)) return std::nullopt;
  if (asked && *asked > options_.longest_asked_for) return std::nullopt;
  const std::optional<milliseconds> own = next();
  return own && asked ? asked : own;
}

std::optional<milliseconds> Retry::after(const Error& error, bool repeatable) {
  switch (error.kind()) {
    case ErrorKind::kRequest:
    case ErrorKind::kTls:
    case ErrorKind::kCancelled:
    case ErrorKind::kProtocol:
    case ErrorKind::kTooLarge:
      return std::nullopt;
    case ErrorKind::kResolve:
    case ErrorKind::kConnect:
    case ErrorKind::kTimeout:
    case ErrorKind::kBroken:
      break;
  }
  if (error.sent() && !repeatable) return std::nullopt;
  return next();
}

bool wait_for(milliseconds time, std::stop_token cancel) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, cancel, time, [] { return false; });
  return !cancel.stop_requested();
}

Response send_with_retries(Client& client, const Request& request, const RetryOptions& options,
                           const RetryHooks& hooks, std::stop_token cancel) {
  Retry retry(options);
  const std::string place = parse_url(request.url).place();
  // False when it was stopped.
  const auto pause = [&](const std::string& why, milliseconds wait) {
    if (hooks.on_retry) hooks.on_retry(why, wait);
    return hooks.sleep ? hooks.sleep(wait, cancel) : wait_for(wait, cancel);
  };
  while (true) {
    std::optional<milliseconds> wait;
    std::string why;
    try {
      Response response = client.send(request, cancel);
      const auto now = hooks.now ? hooks.now() : WallClock::now();
      wait = retry.after(response, request.is_repeatable(), now);
      if (!wait) return response;
      why = std::to_string(response.status) + " from " + place;
    } catch (const Error& error) {
      wait = retry.after(error, request.is_repeatable());
      if (!wait) throw;
      why = error.what();
    }
    if (!pause(why, *wait)) {
      throw Error(ErrorKind::kCancelled, "the request to " + place + " was stopped");
    }
  }
}

}  // namespace dsv4::http
