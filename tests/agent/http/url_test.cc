#include "agent/http/url.h"

#include "agent/http/error.h"
#include "tests/catch.h"

using namespace dsv4::http;

TEST_CASE("URLs are taken apart") {
  const Url url = parse_url("HTTPS://API.Example.com:8443/v1/models?x=1#part");
  REQUIRE(url.https);
  REQUIRE(url.host == "api.example.com");
  REQUIRE(url.port == 8443);
  REQUIRE(url.target == "/v1/models?x=1");
  REQUIRE(url.authority() == "api.example.com:8443");
  REQUIRE(parse_url("https://a?x").target == "/?x");
  REQUIRE(parse_url("https://a").authority() == "a");
  REQUIRE(parse_url("http://a:443").authority() == "a:443");
  REQUIRE(parse_url("http://[::1]:80/").authority() == "[::1]");
  REQUIRE(parse_url("http://[::1]:81/").place() == "[::1]:81");
}

TEST_CASE("URLs that cannot be used are refused in a sentence") {
  for (const char* text :
       {"", "example.com", "ftp://a", "file:///etc/passwd", "http://", "http:///x", "http://a:0",
        "http://a:65536", "http://a:b", "http://[::1", "http://[x]", "http://[::1]x", "http://a b",
        "http://a/\r\nX: 1", "http://\xc3\xa4", "http://a_b!c"}) {
    CAPTURE(text);
    REQUIRE_THROWS_AS(parse_url(text), Error);
  }
  try {
    parse_url("https://user:planted@example.com/");
    FAIL("accepted");
  } catch (const Error& error) {
    REQUIRE_THAT(error.what(), message_with("password"));
    REQUIRE(std::string(error.what()).find("planted") == std::string::npos);
  }
}

TEST_CASE("Percent signs stand for bytes where two digits follow") {
  REQUIRE(percent_decoded("a%20b%2Fc%3a") == "a b/c:");
  REQUIRE(percent_decoded("100%") == "100%");
  REQUIRE(percent_decoded("%4") == "%4");
  REQUIRE(percent_decoded("%zz%4x") == "%zz%4x");
}

TEST_CASE("A Location is seen from where it was sent") {
  const Url base = parse_url("https://a.example/one/two?q");
  const auto to = [&](const std::string& location) {
    const Url url = follow(base, location);
    return url.origin() + url.target;
  };
  REQUIRE(to("https://b.example/x") == "https://b.example/x");
  REQUIRE(to("//b.example/x") == "https://b.example/x");
  REQUIRE(to("/x?y=http://z") == "https://a.example/x?y=http://z");
  REQUIRE(to("x") == "https://a.example/one/x");
  REQUIRE(to("?r") == "https://a.example/one/two?r");
}

TEST_CASE("Loopback is told by name and by address") {
  for (const char* host : {"localhost", "a.localhost", "127.0.0.1", "127.3.2.1", "::1"}) {
    REQUIRE(is_loopback(host));
  }
  for (const char* host : {"localhost.example.com", "10.0.0.1", "::2", "mylocalhost"}) {
    REQUIRE_FALSE(is_loopback(host));
  }
}
