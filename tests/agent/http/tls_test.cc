#include <stdlib.h>

#include "agent/http/client.h"
#include "tests/agent/http/test_server.h"
#include "tests/catch.h"

using namespace dsv4::http;

namespace {

struct Place {
  Scratch scratch;
  TestServer server{"http/server.py", {scratch.path().string()}};

  std::string url(const std::string& name, const std::string& host = "localhost") const {
    return "https://" + host + ":" + server.port(name) + "/echo";
  }
};

Response get(const ClientOptions& options, const std::string& url) {
  Client client(options);
  Request request;
  request.url = url;
  return client.send(request);
}

std::string refusal(const ClientOptions& options, const std::string& url) {
  try {
    get(options, url);
  } catch (const Error& error) {
    REQUIRE(error.kind() == ErrorKind::kTls);
    REQUIRE_FALSE(error.sent());
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("Only a certificate of a trusted authority for the host that was asked is accepted") {
  const Place place;
  ClientOptions options;
  options.ca_file = place.scratch / "ca.crt";
  REQUIRE(get(options, place.url("https")).status == 200);
  REQUIRE(get(options, place.url("https", "127.0.0.1")).status == 200);

  CHECK_THAT(refusal(options, place.url("wrong_name")), message_with("hostname mismatch"));
  CHECK_THAT(refusal(options, place.url("wrong_name", "127.0.0.1")),
             message_with("IP address mismatch"));
  CHECK_THAT(refusal(options, place.url("expired")), message_with("expired"));
  CHECK_THAT(refusal(options, place.url("self_signed")), message_with("self-signed"));
  // The system does not know this authority.
  CHECK_THAT(refusal({}, place.url("https")), message_with("is not accepted"));
}

TEST_CASE("SSL_CERT_FILE names the authorities where no option does") {
  const Place place;
  ::setenv("SSL_CERT_FILE", (place.scratch / "ca.crt").c_str(), 1);
  const Response response = get({}, place.url("https"));
  ::unsetenv("SSL_CERT_FILE");
  REQUIRE(response.status == 200);
}

TEST_CASE("A file of authorities that cannot be read is said at once") {
  ClientOptions options;
  options.ca_file = "/nonexistent.crt";
  try {
    Client client(options);
    FAIL("accepted");
  } catch (const Error& error) {
    REQUIRE(error.kind() == ErrorKind::kTls);
    REQUIRE_THAT(error.what(), message_with("/nonexistent.crt"));
  }
}

TEST_CASE("A server without TLS is told from one that is not there") {
  const Place place;
  try {
    get({}, place.url("http"));
    FAIL("accepted");
  } catch (const Error& error) {
    REQUIRE(error.kind() == ErrorKind::kConnect);
    REQUIRE_THAT(error.what(), message_with("no TLS connection with localhost"));
  }
}

TEST_CASE("Over TLS requests go on one connection, and a cut line is not an end") {
  const Place place;
  ClientOptions options;
  options.ca_file = place.scratch / "ca.crt";
  Client client(options);
  Request request;
  request.url = place.url("https");
  const auto connection = [&] {
    return nlohmann::json::parse(client.send(request).body).at("connection").get<int>();
  };
  const int first = connection();
  REQUIRE(connection() == first);

  const std::string base = request.url.substr(0, request.url.rfind('/'));
  request.url = base + "/until-close";
  REQUIRE(client.send(request).body == "all of it");
  request.url = base + "/cut";
  try {
    client.send(request);
    FAIL("a body of which anybody could have cut the rest was taken for whole");
  } catch (const Error& error) {
    REQUIRE(error.kind() == ErrorKind::kBroken);
  }
}
