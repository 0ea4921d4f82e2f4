#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>

#include "agent/http/client.h"
#include "agent/http/retry.h"

namespace dsv4::agent::github {

// What a call is for, and what the token has to be allowed for it: parts of sentences for people,
// such as {"write a comment", "issues: write"}.
struct Purpose {
  std::string_view what;
  std::string_view permission;
};

// GitHub says no, or something that makes no sense. The sentence says what was asked for and which
// permission may be missing; never a token.
class ApiError : public std::runtime_error {
 public:
  ApiError(int status, const std::string& sentence)
      : std::runtime_error(sentence), status_(status) {}
  int status() const { return status_; }
  // The token has no right to this, or sees nothing there.
  bool denied() const { return status_ == 401 || status_ == 403 || status_ == 404; }

 private:
  int status_;
};

struct ApiOptions {
  std::string url = "https://api.github.com";  // GITHUB_API_URL: another one on GitHub Enterprise
  std::string token;
  http::RetryOptions retries;
  http::RetryHooks hooks;  // all of them have defaults
  std::stop_token cancel;
};

// The REST API of GitHub, version 2022-11-28. Requests are repeated after rate limits, secondary
// ones too, and after what servers and networks do wrong, if that cannot do the same thing twice.
// Every call throws ApiError for a status that is not expected, http::Error where there is no
// reply.
class Api {
 public:
  using Send = std::function<http::Response(const http::Request&, std::stop_token)>;

  Api(Send send, ApiOptions options) : send_(std::move(send)), options_(std::move(options)) {}

  nlohmann::json get(const std::string& path, Purpose purpose);
  // Nothing with 404.
  std::optional<nlohmann::json> find(const std::string& path, Purpose purpose);
  // Each item of a list, through all its pages, until `use` returns false.
  void each(const std::string& path, Purpose purpose,
            const std::function<bool(const nlohmann::json&)>& use);

  // Whether the same thing done twice is as good as once.
  enum class Twice { kHarmless, kBad };
  nlohmann::json post(const std::string& path, const nlohmann::json& body, Purpose purpose,
                      Twice twice);
  nlohmann::json patch(const std::string& path, const nlohmann::json& body, Purpose purpose);

 private:
  http::Response send(const http::Request& request);
  http::Request request(std::string method, const std::string& path) const;
  nlohmann::json expect(const http::Response& response, Purpose purpose) const;

  Send send_;
  ApiOptions options_;
};

// A part of a path or a value of a query, with what is not plain as %XX.
std::string escaped(std::string_view text);

// The address of the next page in a Link header.
std::optional<std::string> next_page(std::string_view link);

}  // namespace dsv4::agent::github
