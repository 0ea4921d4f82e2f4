#include "agent/http/retry.h"

#include "tests/agent/http/test_server.h"
#include "tests/catch.h"

using namespace dsv4::http;
using namespace std::chrono_literals;

namespace {

// 1994-11-06 08:49:00
const Retry::WallClock::time_point kNow{std::chrono::seconds(784111740)};

Response reply(int status, std::vector<Header> headers = {}) {
  return {status, std::move(headers), ""};
}

bool again(const Response& response, bool repeatable) {
  return Retry(RetryOptions{}).after(response, repeatable, kNow).has_value();
}

bool again(ErrorKind kind, bool sent, bool repeatable) {
  return Retry(RetryOptions{}).after(Error(kind, "why", sent), repeatable).has_value();
}

}  // namespace

TEST_CASE("What was not carried out is sent again, and the rest only when that does no harm") {
  REQUIRE(again(reply(429), false));
  REQUIRE(again(reply(403, {{"retry-after", "1"}}), false));
  REQUIRE(again(reply(403, {{"X-RateLimit-Remaining", "0"}}), false));
  REQUIRE_FALSE(
      again(reply(403, {{"X-RateLimit-Remaining", "7"}, {"X-RateLimit-Reset", "1"}}), true));
  REQUIRE_FALSE(again(reply(403), true));
  REQUIRE(again(reply(503, {{"Retry-After", "1"}}), false));
  for (const int status : {408, 425, 500, 502, 503, 504}) {
    REQUIRE(again(reply(status), true));
    REQUIRE_FALSE(again(reply(status), false));
  }
  for (const int status : {200, 204, 301, 400, 401, 404, 409, 422, 501}) {
    REQUIRE_FALSE(again(reply(status), true));
  }
  for (const auto kind :
       {ErrorKind::kResolve, ErrorKind::kConnect, ErrorKind::kTimeout, ErrorKind::kBroken}) {
    REQUIRE(again(kind, false, false));
    REQUIRE(again(kind, true, true));
    REQUIRE_FALSE(again(kind, true, false));
  }
  for (const auto kind : {ErrorKind::kRequest, ErrorKind::kTls, ErrorKind::kCancelled,
                          ErrorKind::kProtocol, ErrorKind::kTooLarge}) {
    REQUIRE_FALSE(again(kind, false, true));
  }
}

TEST_CASE("Waits grow to a limit, differ by seed, and end") {
  RetryOptions options;
  options.most = 10;
  options.first = 100ms;
  options.longest = 1000ms;
  const auto waits = [&](uint64_t seed) {
    options.seed = seed;
    Retry retry(options);
    std::vector<std::chrono::milliseconds> out;
    while (const auto wait = retry.after(reply(500), true, kNow)) out.push_back(*wait);
    return out;
  };
  const auto one = waits(1);
  REQUIRE(one.size() == 10);
  for (size_t i = 0; i < one.size(); ++i) {
    const auto whole = std::min<std::chrono::milliseconds>(100ms * (1 << i), 1000ms);
    REQUIRE(one[i] >= whole / 2);
    REQUIRE(one[i] <= whole);
  }
  REQUIRE(waits(1) == one);
  REQUIRE(waits(2) != one);
}

TEST_CASE("A server that says when is heard") {
  REQUIRE(asked_wait(reply(429, {{"Retry-After", "120"}}), kNow) == 120s);
  REQUIRE(asked_wait(reply(429, {{"Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT"}}), kNow) == 37s);
  REQUIRE(asked_wait(reply(429, {{"Retry-After", "Sun, 06 Nov 1994 08:48:37 GMT"}}), kNow) == 0s);
  const auto limit = [](const std::string& remaining, const std::string& reset) {
    return reply(403, {{"x-ratelimit-remaining", remaining}, {"x-ratelimit-reset", reset}});
  };
  REQUIRE(asked_wait(limit("0", "784111800"), kNow) == 60s);
  REQUIRE_FALSE(asked_wait(limit("1", "784111800"), kNow));
  for (const char* text : {"", "soon", "-1", "1.5", "Sun, 06 Xxx 1994 08:49:37 GMT",
                           "Sun, 99 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT"}) {
    CAPTURE(text);
    REQUIRE_FALSE(asked_wait(reply(429, {{"Retry-After", text}}), kNow));
  }
  Retry retry(RetryOptions{});
  REQUIRE(retry.after(reply(429, {{"Retry-After", "3"}}), false, kNow) == 3s);
  // Nobody sits an hour out.
  REQUIRE_FALSE(retry.after(reply(429, {{"Retry-After", "3600"}}), false, kNow));
}

TEST_CASE("A request is repeated until it is answered, without a real wait in this test") {
  const Scratch scratch;
  const TestServer server("http/server.py", {scratch.path().string()});
  Client client;
  std::vector<std::chrono::milliseconds> waits;
  std::vector<std::string> reasons;
  RetryHooks hooks;
  hooks.sleep = [&](std::chrono::milliseconds wait, std::stop_token) {
    waits.push_back(wait);
    return true;
  };
  hooks.on_retry = [&](const std::string& why, auto) { reasons.push_back(why); };
  Request request;
  request.method = "POST";
  request.url = "http://127.0.0.1:" + server.port("http");
  const std::string base = request.url;

  SECTION("a limit on the rate") {
    request.url = base + "/flaky?name=a&times=2&code=429";
    REQUIRE(send_with_retries(client, request, {}, hooks).body == "3");
    REQUIRE(waits == std::vector<std::chrono::milliseconds>{7s, 7s});
    REQUIRE(reasons.at(0) == "429 from 127.0.0.1:" + server.port("http"));
  }
  SECTION("a failure that may have done something") {
    request.url = base + "/flaky?name=b&times=1&code=500";
    REQUIRE(send_with_retries(client, request, {}, hooks).status == 500);
    request.repeatable = true;
    REQUIRE(send_with_retries(client, request, {}, hooks).body == "2");
  }
  SECTION("more failures than there are retries") {
    RetryOptions options;
    options.most = 3;
    request.url = base + "/flaky?name=c&times=100&code=429";
    REQUIRE(send_with_retries(client, request, options, hooks).status == 429);
    REQUIRE(waits.size() == 3);
    request.method = "GET";
    request.url = base + "/reset";
    REQUIRE_THROWS_AS(send_with_retries(client, request, options, hooks), Error);
    REQUIRE(waits.size() == 6);
  }
  SECTION("a stop while it waits") {
    hooks.sleep = [](auto, auto) { return false; };
    request.url = base + "/flaky?name=d&times=1&code=429";
    try {
      send_with_retries(client, request, {}, hooks);
      FAIL("went on");
    } catch (const Error& error) {
      REQUIRE(error.kind() == ErrorKind::kCancelled);
    }
  }
}

TEST_CASE("Waiting ends at once when it is stopped") {
  std::stop_source stop;
  stop.request_stop();
  REQUIRE_FALSE(wait_for(1h, stop.get_token()));
  REQUIRE(wait_for(0ms, {}));
}
