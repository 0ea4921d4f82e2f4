// Turns of a server that can be steered: as LocalConversation draws them, one request after the
// other.
#include <map>
#include <utility>

#include "llm/argument_places.h"
#include "llm/call_guide.h"
#include "llm/error.h"
#include "llm/next_best.h"
#include "llm/remote_asked.h"

namespace dsv4::llm {
namespace {

using nlohmann::ordered_json;

// No turn has so many arguments.
constexpr int kMostRequests = 1024;
constexpr const char* kAsks = "argument_choices";

}  // namespace

// What the draws of one turn share.
struct RemoteConversation::Steering {
  NextBest next_best;
  std::vector<int32_t> beginning;                // ids the next draw starts with
  std::map<int32_t, std::string> bytes;          // of every token that was said or offered
  ordered_json choices = ordered_json::array();  // that were told
  uint64_t requests = 0;                         // each draws from a seed of its own

  // What the server said, token by token, after `ids`.
  void follow(const ChatStream& stream, CallGuide* guide, std::vector<int32_t>& ids) {
    for (const ChatStream::Token& token : stream.tokens()) {
      TokenShares shares{token.log_probability, {}};
      bytes[token.id] = token.bytes;
      for (const ChatStream::Token& other : token.best) {
        shares.best.push_back({other.log_probability, other.id});
        bytes[other.id] = other.bytes;
      }
      next_best.step(shares, token.id, guide == nullptr || !guide->between_calls());
      if (guide != nullptr) guide->accept(token.bytes);
      ids.push_back(token.id);
    }
  }

  // The server wants to know what may stand in these arguments.
  void tell(const std::vector<ordered_json>& places, const CallGuide* guide) {
    for (const ordered_json& each : places) {
      const ArgumentPlace place = place_from_wire(each);
      const auto values = guide == nullptr ? std::nullopt : guide->choices(place);
      ordered_json told = to_wire(place);
      told["values"] = values ? ordered_json(*values) : ordered_json();
      choices.push_back(std::move(told));
    }
  }
};

Reply RemoteConversation::steered_reply(const ReplyOptions& options) {
  Steering steering;
  int64_t taken_back = 0;
  for (;;) {
    Asked asked(options, turn_tokens(options));
    draw(options, steering, asked);
    if (asked.end == Asked::End::kStopped) return stopped(asked);
    if (asked.end == Asked::End::kNoRoom) return too_long();
    WireMessage message;
    Reply reply = read(asked, message);
    const auto reason = options.refuse ? options.refuse(reply) : std::nullopt;
    taken_back += reply.tokens;
    auto other = reason ? steering.next_best.next() : std::nullopt;
    if (!other || taken_back >= options.taken_back_tokens) {
      accept(asked, reply, std::move(message));
      return reply;
    }
    WireUsage usage = counted(*asked.stream, 0);
    usage.completion = 0;  // no part of the context
    count(usage);
    usage_.generated += reply.tokens;
    if (options.on_taken_back) options.on_taken_back(reply, *reason);
    steering.beginning = *std::move(other);
  }
}

// One whole turn.
void RemoteConversation::draw(const ReplyOptions& options, Steering& steering, Asked& asked) {
  std::vector<int32_t> ids = steering.beginning;
  steering.next_best.begin_draw(ids);
  if (options.guide != nullptr) {
    options.guide->begin_turn();
    for (const int32_t id : ids) options.guide->accept(steering.bytes.at(id));
  }
  ReplyOptions drawn = options;
  for (int request = 0; request < kMostRequests; ++request) {
    drawn.sampling.seed = options.sampling.seed + steering.requests++ * 0x9e3779b97f4a7c15u;
    ordered_json more = {{"logprobs", true},
                         {"top_logprobs", options.refuse ? NextBest::kOffered : 0},
                         {"return_tokens_as_token_ids", true},
                         {"prefix_token_ids", ids}};
    if (options.guide != nullptr) more["argument_choices"] = steering.choices;
    ask(drawn, more, asked);
    if (asked.end != Asked::End::kWhole) return;
    steering.follow(*asked.stream, options.guide, ids);
    if (asked.stream->finish_reason() != kAsks) return;
    if (asked.stream->places().empty()) break;
    steering.tell(asked.stream->places(), options.guide);
    WireUsage usage = counted(*asked.stream, 0);
    usage.completion = 0;  // it is said again
    count(usage);
  }
  throw Error("the server at " + transport_->place() +
              " asks for choices again and again, and does not finish its turn");
}

}  // namespace dsv4::llm
