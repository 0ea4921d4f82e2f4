#include "agent/serve/turn_mail.h"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace dsv4::agent::serve {

namespace asio = boost::asio;

namespace {

// Text that comes faster is told together: nobody reads so fast, and every telling costs.
constexpr std::chrono::milliseconds kBetweenRings{10};

}  // namespace

using llm::serve::Delta;
using llm::serve::TurnEnd;
using llm::serve::TurnUsage;

void Mailroom::came(std::shared_ptr<TurnMail> mail) { came_.push_back(std::move(mail)); }

void Mailroom::deliver() {
  if (came_.empty()) return;
  for (const auto& mail : came_) mail->noticed_ = false;
  asio::post(context_, [mails = std::exchange(came_, {})] {
    for (const auto& mail : mails) mail->bell_.cancel();
  });
}

TurnMail::TurnMail(Mailroom& room, asio::io_context& context, Metrics& metrics,
                   Clock::time_point arrived)
    : room_(room), metrics_(metrics), bell_(context), last_(arrived) {}

void TurnMail::begun(const TurnUsage& usage) { metrics_.began(usage.prompt, usage.cached); }

void TurnMail::more(Delta delta, const TurnUsage& usage) {
  const Clock::time_point now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - std::exchange(last_, now)).count();
  const bool first = tokens_ == 0;
  const int64_t count = usage.generated - std::exchange(tokens_, usage.generated);
  if (first) metrics_.first_token(seconds);
  metrics_.tokens(count, seconds);
  {
    const std::lock_guard lock(mutex_);
    news_.usage = usage;
    news_.delta.reasoning += delta.reasoning;
    news_.delta.content += delta.content;
    for (auto& piece : delta.pieces) add_piece(std::move(piece), news_.delta.pieces);
    for (llm::ToolCall& call : delta.calls) news_.delta.calls.push_back(std::move(call));
    for (auto& token : delta.tokens) news_.delta.tokens.push_back(std::move(token));
    if (!delta.empty()) fresh_ = true;
    if (!fresh_ || now - rung_ < kBetweenRings) return;
  }
  rung_ = now;
  changed();
}

void TurnMail::ended(TurnEnd end, const TurnUsage& usage, const std::string& error) {
  {
    const std::lock_guard lock(mutex_);
    news_.usage = usage;
    news_.end = end;
    news_.error = error;
    fresh_ = true;
  }
  changed();
}

void TurnMail::asks(const std::vector<llm::ArgumentPlace>& places) {
  const std::lock_guard lock(mutex_);
  news_.places = places;
}

void TurnMail::changed() {
  if (!std::exchange(noticed_, true)) room_.came(shared_from_this());
}

bool TurnMail::take(News& news) {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(fresh_, false)) return false;
  news = news_;
  news_.delta = {};
  return true;
}

asio::awaitable<TurnMail::News> TurnMail::wait(std::chrono::milliseconds quiet) {
  News news;
  const Clock::time_point until = Clock::now() + quiet;
  while (!take(news) && Clock::now() < until) {
    bell_.expires_at(until);
    boost::system::error_code rung;
    co_await bell_.async_wait(asio::redirect_error(asio::use_awaitable, rung));
  }
  co_return news;
}

}  // namespace dsv4::agent::serve
