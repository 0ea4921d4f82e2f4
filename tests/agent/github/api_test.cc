#include "agent/github/api.h"

#include <deque>
#include <sstream>

#include "agent/gate.h"
#include "agent/github/progress.h"
#include "agent/github/words.h"
#include "tests/catch.h"

using namespace dsv4;
using namespace dsv4::agent::github;
using namespace std::chrono_literals;

namespace {

constexpr Purpose kPurpose = {"ask something", "issues: read"};

http::Response reply(int status, const std::string& body, std::vector<http::Header> headers = {}) {
  http::Response out;
  out.status = status;
  out.body = body;
  out.headers = std::move(headers);
  return out;
}

// Replies in the order given; what was asked for, and how long was waited, is written down.
class Conversation {
 public:
  Api api(int retries = 5) {
    ApiOptions options;
    options.url = "https://api.example";
    options.token = "secret-token";
    options.retries.most = retries;
    options.hooks.sleep = [this](std::chrono::milliseconds time, std::stop_token) {
      waits.push_back(time);
      return true;
    };
    options.hooks.now = [] { return http::Retry::WallClock::time_point(1000s); };
    return Api(
        [this](const http::Request& request, std::stop_token) {
          asked.push_back(request);
          if (replies.empty()) throw http::Error(http::ErrorKind::kBroken, "no more", true);
          http::Response next = replies.front();
          replies.pop_front();
          return next;
        },
        options);
  }

  std::deque<http::Response> replies;
  std::vector<http::Request> asked;
  std::vector<std::chrono::milliseconds> waits;
};

}  // namespace

TEST_CASE("rate limits are waited for as long as GitHub asks") {
  Conversation talk;
  talk.replies = {reply(429, "{}", {{"Retry-After", "7"}}),
                  reply(403, R"({"message": "You have exceeded a secondary rate limit."})"),
                  reply(403, "{}", {{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "1030"}}),
                  reply(200, R"({"ok": true})")};
  CHECK(talk.api().get("/x", kPurpose).at("ok") == true);
  CHECK(talk.waits == std::vector<std::chrono::milliseconds>{7s, 60s, 30s});
}

TEST_CASE("a missing right is not waited for, and the sentence names it") {
  for (const int status : {401, 403, 404, 422, 500}) {
    Conversation talk;
    talk.replies = {reply(status, R"({"message": "Resource not accessible\u001b[31m"})")};
    Api api = talk.api(0);
    try {
      api.get("/x", kPurpose);
      FAIL("no error");
    } catch (const ApiError& error) {
      const std::string said = error.what();
      CHECK(error.status() == status);
      CHECK(said.find("cannot ask something") == 0);
      CHECK((said.find("issues: read") != std::string::npos) == (status == 403 || status == 404));
      CHECK(said.find("not accessible\\x1b[31m") != std::string::npos);
      CHECK(said.find("secret-token") == std::string::npos);
    }
    CHECK(talk.waits.empty());
  }
}

TEST_CASE("what may have been done is not done again") {
  Conversation talk;
  talk.replies = {reply(502, ""), reply(502, ""), reply(201, "{}")};
  Api api = talk.api();
  CHECK_THROWS_AS(api.post("/x", {}, kPurpose, Api::Twice::kBad), ApiError);
  CHECK(talk.asked.size() == 1);
  CHECK_NOTHROW(api.post("/x", {}, kPurpose, Api::Twice::kHarmless));
  CHECK_THROWS_AS(api.post("/x", {}, kPurpose, Api::Twice::kBad), http::Error);
  CHECK(talk.asked.size() == 4);
}

TEST_CASE("lists are read through all their pages, on the same server") {
  Conversation talk;
  talk.replies = {
      reply(200, "[1, 2]",
            {{"Link",
              "<https://api.example/x?page=2>; rel=\"next\", <https://api.example/x?page=9>; "
              "rel=\"last\""}}),
      reply(200, "[3]", {{"link", "<https://api.example/x?page=1>; rel=\"prev\""}})};
  std::vector<int> seen;
  const auto use = [&](const nlohmann::json& item) {
    seen.push_back(item.get<int>());
    return true;
  };
  Api api = talk.api();
  api.each("/x", kPurpose, use);
  CHECK(seen == std::vector<int>{1, 2, 3});
  CHECK(talk.asked.at(1).url == "https://api.example/x?page=2");
  for (const char* elsewhere : {"https://elsewhere.example/x", "https://api.example.org/x",
                                "https://api.example@elsewhere.example/"}) {
    talk.replies = {
        reply(200, "[1]", {{"Link", "<" + std::string(elsewhere) + ">; rel=\"next\""}})};
    const size_t before = talk.asked.size();
    CHECK_THROWS_WITH(api.each("/x", kPurpose, use), message_with("another server"));
    CHECK(talk.asked.size() == before + 1);
  }
}

TEST_CASE("names in addresses are escaped") {
  CHECK(escaped("octo:dsv4-agent/issue-7") == "octo%3Adsv4-agent%2Fissue-7");
  CHECK(escaped("helper[bot]") == "helper%5Bbot%5D");
  CHECK(next_page("") == std::nullopt);
  CHECK(next_page("<https://x/>; rel=\"prev\"") == std::nullopt);
}

TEST_CASE("what is quoted cannot leave its code") {
  CHECK(code_span("a") == "`a`");
  CHECK(code_span("a`b``c") == "```a`b``c```");
  CHECK(code_span("`") == "`` ` ``");
  CHECK(code_span(" \n ") == "");
  CHECK(code_block("x", 100) == "```text\nx\n```\n");
  CHECK(code_block("````\nx", 100) == "`````text\n````\nx\n`````\n");
  CHECK(code_block("first\nsecond\nthird\n", 10) == "```text\n...\nthird\n```\n");
}

TEST_CASE("progress is told now and then, and never again once it may not be") {
  Event event;
  event.repository = "octo/shop";
  event.issue = 7;
  Conversation talk;
  Api api = talk.api(0);
  Sticky sticky(api, "octo/shop", 7);
  std::ostringstream log;
  std::chrono::steady_clock::time_point now{};
  Progress progress(event, &sticky, log, [&] { return now; });
  const auto body = [](const http::Request& request) {
    return nlohmann::json::parse(request.body).at("body").get<std::string>();
  };

  talk.replies = {reply(200, "[]"), reply(201, R"({"id": 5})")};
  progress.on_attempt(1, {});
  REQUIRE(talk.asked.size() == 2);
  CHECK(body(talk.asked[1]).find("attempt 1") != std::string::npos);
  for (int turn = 1; turn < 100; ++turn) progress.on_turn(turn);
  CHECK(talk.asked.size() == 2);  // no time has passed
  now += 31s;
  talk.replies = {reply(200, R"({"id": 5})")};
  progress.on_turn(100);
  REQUIRE(talk.asked.size() == 3);
  CHECK(talk.asked[2].method == "PATCH");
  CHECK(talk.asked[2].url == "https://api.example/repos/octo/shop/issues/comments/5");
  CHECK(body(talk.asked[2]).find("turn 100") != std::string::npos);

  now += 31s;
  talk.replies = {reply(500, "")};
  progress.on_turn(101);  // the next one may come through
  CHECK(log.str().empty());
  now += 31s;
  talk.replies = {reply(403, "{}")};
  progress.on_turn(102);
  CHECK(log.str().find("issues: write") != std::string::npos);
  const size_t before = talk.asked.size();
  now += 31s;
  progress.on_turn(103);
  CHECK(talk.asked.size() == before);
}

TEST_CASE("replies of other types than GitHub's do not end a run that only tells its progress") {
  Event event;
  event.repository = "octo/shop";
  event.issue = 7;
  const std::string mine = nlohmann::json(sticky_mark(7)).dump();
  for (const std::string& user :
       {std::string("null"), std::string("3"), std::string(R"({"login": 3, "type": null})")}) {
    for (const std::string& self : {std::string(R"({"login": {}})"), std::string("[]")}) {
      Conversation talk;
      talk.replies = {reply(200, "[1, null, {\"id\": 1, \"body\": " + mine +
                                     ", \"user\": {\"login\": []}}, {\"id\": 2, \"body\": " + mine +
                                     ", \"user\": " + user + "}]"),
                      reply(200, self), reply(201, R"({"id": "five"})")};
      Api api = talk.api(0);
      Sticky sticky(api, "octo/shop", 7);
      std::ostringstream log;
      Progress progress(event, &sticky, log,
                        [] { return std::chrono::steady_clock::time_point(); });
      INFO(user << ' ' << self);
      CHECK_NOTHROW(progress.on_attempt(1, {}));
    }
  }
}
