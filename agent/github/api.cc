#include "agent/github/api.h"

#include <algorithm>
#include <cstdint>

#include "agent/printable.h"

namespace dsv4::agent::github {
namespace {

using nlohmann::json;

constexpr int kMostPages = 200;

// GitHub's own words, where it says something.
std::string message_of(const http::Response& response) {
  const json body = json::parse(response.body, nullptr, false);
  if (!body.is_object()) return "";
  const auto message = body.find("message");
  std::string text =
      message != body.end() && message->is_string() ? message->get<std::string>() : "";
  const auto errors = body.find("errors");
  if (errors != body.end() && errors->is_array()) {
    for (const json& error : *errors) {
      const json* inner =
          error.is_object() && error.contains("message") ? &error["message"] : &error;
      if (inner->is_string()) text += "; " + inner->get<std::string>();
    }
  }
  return printable_line(text, 300);
}

[[noreturn]] void fail(const http::Response& response, Purpose purpose) {
  const std::string said = message_of(response);
  std::string sentence = "cannot " + std::string(purpose.what) + ": ";
  const std::string needed =
      "the job's token needs the permission `" + std::string(purpose.permission) + "`";
  switch (response.status) {
    case 401:
      sentence += "GitHub does not take the token";
      break;
    case 403:
      sentence += needed;
      break;
    case 404:
      sentence += "it is not there, or " + needed;
      break;
    case 429:
      sentence += "the rate limit is used up";
      break;
    default:
      sentence += "GitHub answers with an error";
  }
  sentence += " (" + std::to_string(response.status) + (said.empty() ? "" : ", " + said) + ")";
  throw ApiError(response.status, sentence);
}

// A secondary rate limit may come without a header: GitHub asks for a minute then.
void give_time(http::Response* response) {
  const bool refused = response->status == 403 || response->status == 429;
  if (!refused || response->header("retry-after") || response->header("x-ratelimit-reset")) return;
  std::string said = message_of(*response);
  std::transform(said.begin(), said.end(), said.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const bool limited = said.find("secondary rate limit") != std::string::npos ||
                       said.find("abuse detection") != std::string::npos;
  if (limited) response->headers.push_back({"retry-after", "60"});
}

}  // namespace

std::string escaped(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    const auto byte = static_cast<uint8_t>(c);
    out += plain ? std::string(1, c) : std::string{'%', kHex[byte >> 4], kHex[byte & 15]};
  }
  return out;
}

std::optional<std::string> next_page(std::string_view link) {
  while (!link.empty()) {
    const size_t open = link.find('<');
    const size_t close = open == std::string_view::npos ? open : link.find('>', open);
    if (close == std::string_view::npos) return std::nullopt;
    const size_t end = std::min(link.find('<', close), link.size());
    if (link.substr(close, end - close).find("rel=\"next\"") != std::string_view::npos) {
      return std::string(link.substr(open + 1, close - open - 1));
    }
    link.remove_prefix(end);
  }
  return std::nullopt;
}

http::Request Api::request(std::string method, const std::string& path) const {
  http::Request out;
  out.method = std::move(method);
  out.url = options_.url + path;
  out.headers = {{"Accept", "application/vnd.github+json"}, {"X-GitHub-Api-Version", "2022-11-28"}};
  if (!options_.token.empty()) {
    out.headers.push_back({"Authorization", "Bearer " + options_.token});
  }
  return out;
}

http::Response Api::send(const http::Request& request) {
  http::Retry retry(options_.retries);
  const auto now = options_.hooks.now ? options_.hooks.now : http::Retry::WallClock::now;
  const auto sleep = options_.hooks.sleep ? options_.hooks.sleep : http::wait_for;
  for (;;) {
    std::optional<std::chrono::milliseconds> wait;
    std::string why;
    try {
      http::Response response = send_(request, options_.cancel);
      give_time(&response);
      wait = retry.after(response, request.is_repeatable(), now());
      if (!wait) return response;
      why = "GitHub answers with " + std::to_string(response.status);
    } catch (const http::Error& error) {
      wait = retry.after(error, request.is_repeatable());
      if (!wait) throw;
      why = error.what();
    }
    if (options_.hooks.on_retry) options_.hooks.on_retry(why, *wait);
    if (!sleep(*wait, options_.cancel)) {
      throw http::Error(http::ErrorKind::kCancelled, "stopped while waiting for GitHub");
    }
  }
}

json Api::expect(const http::Response& response, Purpose purpose) const {
  if (!response.ok()) fail(response, purpose);
  json body = json::parse(response.body, nullptr, false);
  if (!body.is_object() && !body.is_array()) {
    throw ApiError(response.status, "cannot " + std::string(purpose.what) +
                                        ": GitHub's answer is not the JSON that was expected");
  }
  return body;
}

json Api::get(const std::string& path, Purpose purpose) {
  return expect(send(request("GET", path)), purpose);
}

std::optional<json> Api::find(const std::string& path, Purpose purpose) {
  const http::Response response = send(request("GET", path));
  if (response.status == 404) return std::nullopt;
  return expect(response, purpose);
}

void Api::each(const std::string& path, Purpose purpose,
               const std::function<bool(const json&)>& use) {
  http::Request page = request("GET", path);
  for (int i = 0; i < kMostPages; ++i) {
    const http::Response response = send(page);
    for (const json& item : expect(response, purpose)) {
      if (!use(item)) return;
    }
    const auto link = response.header("link");
    const auto next = link ? next_page(*link) : std::nullopt;
    if (!next) return;
    // The token goes to the API and nowhere else.
    if (!next->starts_with(options_.url + "/")) {
      throw ApiError(response.status, "cannot " + std::string(purpose.what) +
                                          ": the next page is on another server");
    }
    page.url = *next;
  }
}

json Api::post(const std::string& path, const json& body, Purpose purpose, Twice twice) {
  http::Request out = request("POST", path);
  out.headers.push_back({"Content-Type", "application/json"});
  out.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
  out.repeatable = twice == Twice::kHarmless;
  return expect(send(out), purpose);
}

json Api::patch(const std::string& path, const json& body, Purpose purpose) {
  http::Request out = request("PATCH", path);
  out.headers.push_back({"Content-Type", "application/json"});
  out.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
  out.repeatable = true;  // it says how something is to be
  return expect(send(out), purpose);
}

}  // namespace dsv4::agent::github
