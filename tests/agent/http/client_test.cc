#include "agent/http/client.h"

#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "tests/agent/http/test_server.h"
#include "tests/catch.h"

using namespace dsv4::http;
using namespace std::chrono_literals;

namespace {

struct Place {
  Scratch scratch;
  TestServer server{"http/server.py", {scratch.path().string()}};
  std::string http = "http://127.0.0.1:" + server.port("http");

  std::string url(const std::string& target) const { return http + target; }
};

Request get(const std::string& url) {
  Request request;
  request.url = url;
  return request;
}

Request post(const std::string& url, const std::string& body) {
  Request request = get(url);
  request.method = "POST";
  request.body = body;
  return request;
}

nlohmann::json echo(Client& client, const Request& request) {
  return nlohmann::json::parse(client.send(request).body);
}

std::optional<std::string> field(const nlohmann::json& seen, const std::string& name) {
  for (const auto& header : seen.at("headers")) {
    if (header.at(0) == name) return header.at(1).get<std::string>();
  }
  return std::nullopt;
}

Error error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  throw std::logic_error("nothing was thrown");
}

}  // namespace

TEST_CASE("A request arrives as it was meant, and its reply comes back") {
  const Place place;
  Client client;
  Request request = post(place.url("/echo?q=a%20b"), "{\"text\": \"\xc3\xa4\"}");
  request.headers = {{"Content-Type", "application/json"}, {"X-Own", "1"}};
  const Response response = client.send(request);
  REQUIRE(response.status == 200);
  REQUIRE(response.header("content-type") == "application/json");
  const auto seen = nlohmann::json::parse(response.body);
  REQUIRE(seen.at("method") == "POST");
  REQUIRE(seen.at("target") == "/echo?q=a%20b");
  REQUIRE(field(seen, "Host") == place.http.substr(7));
  REQUIRE(field(seen, "User-Agent") == "dsv4-agent");
  REQUIRE(field(seen, "Content-Length") == std::to_string(request.body.size()));
  REQUIRE(field(seen, "X-Own") == "1");
  REQUIRE(seen.at("body").get<std::string>().size() > 14);

  SECTION("a body that takes many packets") {
    request.body.assign(3 << 20, 'x');
    REQUIRE(echo(client, request).at("body").get<std::string>() == request.body);
  }
  SECTION("statuses are no errors") {
    const Response missing = client.send(get(place.url("/nowhere")));
    REQUIRE(missing.status == 404);
    REQUIRE(missing.body == "no such path");
    REQUIRE_FALSE(missing.ok());
  }
  SECTION("replies without a body") {
    REQUIRE(client.send(get(place.url("/no-content"))).status == 204);
    Request head = get(place.url("/big?bytes=100"));
    head.method = "HEAD";
    const Response head_only = client.send(head);
    REQUIRE(head_only.header("Content-Length") == "100");
    REQUIRE(head_only.body.empty());
    REQUIRE(client.send(get(place.url("/echo"))).status == 200);
  }
  SECTION("chunks that come byte by byte") {
    REQUIRE(client.send(get(place.url("/chunked"))).body == "one two three");
  }
  SECTION("1xx replies before the real one") {
    REQUIRE(client.send(get(place.url("/interim"))).body == "at last");
  }
  SECTION("a body that ends with the connection") {
    REQUIRE(client.send(get(place.url("/until-close"))).body == "all of it");
  }
  SECTION("a reply to a request that was not read to its end") {
    const Response early = client.send(post(place.url("/refuse-early"), std::string(4 << 20, 'x')));
    REQUIRE(early.status == 413);
  }
}

TEST_CASE("A connection is used again, and not once the server has closed it") {
  const Place place;
  Client client;
  const auto first = echo(client, get(place.url("/echo")));
  const auto second = echo(client, get(place.url("/echo")));
  REQUIRE(second.at("connection") == first.at("connection"));
  REQUIRE(second.at("request") == 2);

  client.send(get(place.url("/then-close")));
  const auto third = echo(client, get(place.url("/echo")));
  REQUIRE(third.at("connection") != first.at("connection"));

  // A stream that was not read to its end is not gone on with.
  client.stream(get(place.url("/endless")), [](std::string_view) { return false; });
  REQUIRE(echo(client, get(place.url("/echo"))).at("connection") != third.at("connection"));
}

TEST_CASE("Several threads may use one client") {
  const Place place;
  Client client;
  std::vector<std::thread> threads;
  std::array<std::string, 8> bodies;
  for (size_t i = 0; i < bodies.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 5; ++round) {
        bodies[i] = echo(client, post(place.url("/echo"), std::to_string(i))).at("body");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < bodies.size(); ++i) REQUIRE(bodies[i] == std::to_string(i));
}

TEST_CASE("A stream hands over what is there while the rest is still to come") {
  const Place place;
  Client client;
  std::string got;
  const auto collect = [&](std::string_view bytes) {
    got += bytes;
    return true;
  };
  SECTION("to its end") {
    const Response response = client.stream(get(place.url("/chunked")), collect);
    REQUIRE(response.status == 200);
    REQUIRE(response.body.empty());
    REQUIRE(got == "one two three");
  }
  SECTION("until the caller has enough, though the server never ends") {
    const Response response = client.stream(get(place.url("/hang-in-body")), [&](auto bytes) {
      got += bytes;
      return false;
    });
    REQUIRE(response.status == 200);
    REQUIRE(got == "first");
  }
  SECTION("but an error's text is the reply's body") {
    const Response response = client.stream(get(place.url("/status?code=500")), collect);
    REQUIRE(response.status == 500);
    REQUIRE(response.body == "the body of an error");
    REQUIRE(got.empty());
  }
}

TEST_CASE("Broken replies are told apart") {
  const Place place;
  ClientOptions options;
  options.most_bytes = 1000;
  Client client(options);
  const auto kind = [&](const std::string& target) {
    const Error error = error_of([&] { client.send(get(place.url(target))); });
    REQUIRE_THAT(error.what(), message_with("127.0.0.1:" + place.server.port("http")));
    REQUIRE(error.sent());
    return error.kind();
  };
  REQUIRE(kind("/half") == ErrorKind::kBroken);
  REQUIRE(kind("/half-head") == ErrorKind::kBroken);
  REQUIRE(kind("/reset") == ErrorKind::kBroken);
  REQUIRE(kind("/garbage") == ErrorKind::kProtocol);
  REQUIRE(kind("/long-head") == ErrorKind::kProtocol);
  REQUIRE(kind("/big?bytes=1001") == ErrorKind::kTooLarge);
  REQUIRE(kind("/endless") == ErrorKind::kTooLarge);
  REQUIRE(client.send(get(place.url("/big?bytes=1000"))).body.size() == 1000);
}

TEST_CASE("A server that cannot be reached is an error before anything was sent") {
  Client client;
  // Nobody listens on a port that was just given back.
  const int port = [] {
    const Place place;
    return std::stoi(place.server.port("http"));
  }();
  const Error refused =
      error_of([&] { client.send(get("http://127.0.0.1:" + std::to_string(port))); });
  REQUIRE(refused.kind() == ErrorKind::kConnect);
  REQUIRE_FALSE(refused.sent());
  REQUIRE_THAT(refused.what(), message_with("cannot connect to 127.0.0.1:"));

  const Error nowhere = error_of([&] { client.send(get("http://nowhere.invalid/")); });
  REQUIRE(nowhere.kind() == ErrorKind::kResolve);
  REQUIRE_THAT(nowhere.what(), message_with("nowhere.invalid"));
}

TEST_CASE("Time limits end a request") {
  const Place place;
  ClientOptions options;
  SECTION("of silence") {
    options.idle_timeout = 50ms;
    Client client(options);
    for (const char* target : {"/hang", "/hang-in-body"}) {
      const Error error = error_of([&] { client.send(get(place.url(target))); });
      REQUIRE(error.kind() == ErrorKind::kTimeout);
      REQUIRE_THAT(error.what(), message_with("sent nothing for 50 ms"));
    }
  }
  SECTION("of all of it, though bytes keep coming") {
    options.total_timeout = 150ms;
    Client client(options);
    const Error error = error_of([&] { client.send(get(place.url("/trickle"))); });
    REQUIRE(error.kind() == ErrorKind::kTimeout);
    REQUIRE_THAT(error.what(), message_with("longer than its time limit"));
  }
}

TEST_CASE("A stop request ends a request that waits") {
  const Place place;
  Client client;
  std::stop_source stop;
  SECTION("for its reply") {
    std::chrono::steady_clock::time_point begin;
    std::thread stopper([&] {
      Client other;
      other.send(get(place.url("/hang-seen")));
      begin = std::chrono::steady_clock::now();
      stop.request_stop();
    });
    const Error error = error_of([&] { client.send(get(place.url("/hang")), stop.get_token()); });
    const auto took = std::chrono::steady_clock::now() - begin;
    stopper.join();
    REQUIRE(error.kind() == ErrorKind::kCancelled);
    REQUIRE(took < 2s);  // a tenth of that on an idle machine, and a minute were it not noticed
  }
  SECTION("for more of a stream") {
    std::string got;
    const Error error = error_of([&] {
      client.stream(
          get(place.url("/hang-in-body")),
          [&](std::string_view bytes) {
            got += bytes;
            stop.request_stop();
            return true;
          },
          stop.get_token());
    });
    REQUIRE(error.kind() == ErrorKind::kCancelled);
    REQUIRE(got == "first");
  }
  SECTION("that has not begun") {
    stop.request_stop();
    const Error error = error_of([&] { client.send(get(place.url("/echo")), stop.get_token()); });
    REQUIRE(error.kind() == ErrorKind::kCancelled);
    REQUIRE_FALSE(error.sent());
  }
  REQUIRE(client.send(get(place.url("/echo"))).status == 200);
}

TEST_CASE("Redirects are followed where that gives nothing away") {
  const Place place;
  Client client;
  const auto redirect = [&](const std::string& code, const std::string& to) {
    return place.url("/status?code=" + code + "&location=" + to);
  };
  // The same machine by its other name is another host.
  const std::string other = "http://localhost:" + place.server.port("http") + "/echo";
  Request request = get(redirect("301", "/echo"));
  request.headers = {{"Authorization", "Bearer k"}, {"X-Own", "1"}};
  REQUIRE(field(echo(client, request), "Authorization") == "Bearer k");
  request.url = redirect("302", other);
  const auto seen = echo(client, request);
  REQUIRE_FALSE(field(seen, "Authorization"));
  REQUIRE(field(seen, "X-Own") == "1");

  Request posted = post(redirect("307", "/echo"), "body");
  REQUIRE(echo(client, posted).at("body") == "body");
  posted.url = redirect("307", other);
  REQUIRE(client.send(posted).status == 307);
  posted.url = redirect("302", "/echo");
  REQUIRE(client.send(posted).status == 302);

  const Error circle = error_of([&] { client.send(get(place.url("/circle"))); });
  REQUIRE(circle.kind() == ErrorKind::kProtocol);
}

TEST_CASE("What would be unsafe to send is not sent") {
  Client client;
  Request request = get("http://api.example.com/");
  request.headers = {{"authorization", "Bearer planted"}};
  const Error clear = error_of([&] { client.send(request); });
  REQUIRE(clear.kind() == ErrorKind::kRequest);
  REQUIRE_THAT(clear.what(), message_with("https://"));
  REQUIRE(std::string(clear.what()).find("planted") == std::string::npos);

  const Place place;
  request = get(place.url("/echo"));
  request.headers = {{"X-Own", "1\r\nX-Forged: 1"}};
  REQUIRE(error_of([&] { client.send(request); }).kind() == ErrorKind::kRequest);
  request.headers = {{"X Own", "1"}};
  REQUIRE(error_of([&] { client.send(request); }).kind() == ErrorKind::kRequest);
  request.headers = {{"Authorization", "Bearer k"}};
  REQUIRE(field(echo(client, request), "Authorization") == "Bearer k");  // loopback
}
