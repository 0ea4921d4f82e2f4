#include <map>

#include "agent/http/client.h"
#include "tests/agent/http/test_server.h"
#include "tests/catch.h"

using namespace dsv4::http;

namespace {

ProxyPolicy policy(const std::map<std::string, std::string>& environment) {
  return read_proxy_policy([&](const std::string& name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    if (found == environment.end()) return std::nullopt;
    return found->second;
  });
}

std::string proxy_for(const ProxyPolicy& policy, const std::string& url) {
  const auto proxy = policy.proxy(parse_url(url));
  return proxy ? proxy->place() : "";
}

}  // namespace

TEST_CASE("The environment says which requests go through a proxy") {
  const ProxyPolicy all = policy({{"ALL_PROXY", "http://all:1"},
                                  {"HTTPS_PROXY", "http://capital:2"},
                                  {"https_proxy", "small:3"},
                                  {"NO_PROXY",
                                   "one.example, .two.example,10.0.0.0/8,*.three.example"
                                   ",four.example:8443,[fd00::1]"}});
  REQUIRE(proxy_for(all, "https://api.example.com") == "small:3");
  REQUIRE(proxy_for(all, "http://api.example.com") == "all:1");
  for (const char* direct : {"https://one.example", "https://a.one.example", "https://two.example",
                             "https://b.two.example", "https://10.1.2.3", "https://c.three.example",
                             "https://four.example:8443", "https://[fd00::1]",
                             "http://localhost:8000", "https://127.0.0.1", "https://[::1]"}) {
    CAPTURE(direct);
    REQUIRE(proxy_for(all, direct).empty());
  }
  for (const char* through : {"https://notone.example", "https://11.0.0.1", "https://four.example",
                              "https://[fd00::2]"}) {
    CAPTURE(through);
    REQUIRE(proxy_for(all, through) == "small:3");
  }
  REQUIRE(
      proxy_for(policy({{"HTTPS_PROXY", "http://p:1"}, {"no_proxy", "*"}}), "https://a").empty());
  REQUIRE(proxy_for(policy({{"HTTPS_PROXY", ""}}), "https://a").empty());
  // A CGI program's HTTP_PROXY is the "Proxy" field of whoever asks it.
  REQUIRE(proxy_for(policy({{"HTTP_PROXY", "http://p:1"}}), "http://a") == "p:1");
  REQUIRE(proxy_for(policy({{"HTTP_PROXY", "http://p:1"}, {"REQUEST_METHOD", "GET"}}), "http://a")
              .empty());
}

TEST_CASE("A proxy of another kind is refused without repeating its password") {
  for (const char* value :
       {"socks5://u:planted@p:1", "https://u:planted@p:1", "http://u:planted@"}) {
    try {
      policy({{"HTTPS_PROXY", value}});
      FAIL(value);
    } catch (const Error& error) {
      REQUIRE_THAT(error.what(), message_with("HTTPS_PROXY"));
      REQUIRE(std::string(error.what()).find("planted") == std::string::npos);
    }
  }
}

TEST_CASE("Requests go through the proxy, those of https without letting it listen") {
  const Scratch scratch;
  const TestServer server("http/server.py", {scratch.path().string()});
  ClientOptions options;
  options.ca_file = scratch / "ca.crt";
  const auto through = [&](const std::string& proxy, const std::string& user) {
    options.proxies = policy({{"ALL_PROXY", "http://" + user + "127.0.0.1:" + server.port(proxy)}});
    return options;
  };
  // The proxy takes every name to this machine.
  Request secret;
  secret.url = "https://api.example.com:" + server.port("https") + "/echo";
  secret.headers = {{"Authorization", "Bearer planted"}};

  SECTION("with CONNECT") {
    Client client(through("proxy", ""));
    REQUIRE(client.send(secret).status == 200);
    REQUIRE(nlohmann::json::parse(client.send(secret).body).at("request") == 2);
    Request log;
    log.url = "http://127.0.0.1:" + server.port("http") + "/proxied";
    const std::string seen = client.send(log).body;
    REQUIRE_THAT(seen, message_with("CONNECT api.example.com:" + server.port("https")));
    REQUIRE(seen.find("planted") == std::string::npos);
    REQUIRE(seen.find("CONNECT") == seen.rfind("CONNECT"));
  }
  SECTION("with a password") {
    Client client(through("password_proxy", "user:secret%20word@"));
    REQUIRE(client.send(secret).status == 200);
  }
  SECTION("without the password") {
    Client client(through("password_proxy", ""));
    try {
      client.send(secret);
      FAIL("the proxy let it through");
    } catch (const Error& error) {
      REQUIRE(error.kind() == ErrorKind::kConnect);
      REQUIRE_THAT(error.what(), message_with("407"));
    }
  }
  SECTION("of plain http with the whole URL") {
    Client client(through("proxy", ""));
    Request plain;
    plain.url = "http://plain.example/page?q=1";
    REQUIRE(client.send(plain).body == "from the proxy");
    plain.url = "http://127.0.0.1:" + server.port("http") + "/proxied";
    REQUIRE_THAT(client.send(plain).body,
                 message_with("GET http://plain.example/page?q=1 HTTP/1.1"));
  }
}
