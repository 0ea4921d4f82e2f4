// Any bytes as a model's turn: always a reply, and calls that survive being written and read again.

#include "llm/encoding_parts.h"
#include "llm/utf8.h"
#include "tests/fuzz/target.h"

namespace {

using dsv4::fuzz::require;
using dsv4::llm::Reply;
using dsv4::llm::Segment;

// A value that holds the end tag (from a JSON escape) cannot be written as text.
bool can_be_written(const Reply& reply) {
  for (const auto& call : reply.calls) {
    if (call.arguments.dump().find("DSML") != std::string::npos) return false;
  }
  return true;
}

void check(std::string_view turn, bool thinking) {
  const Reply reply = dsv4::llm::parse_reply(turn, thinking);
  require(!reply.malformed || reply.calls.empty(), "a malformed block gives no calls");
  require(dsv4::llm::utf8_replace_broken(reply.raw) == reply.raw, "raw is valid UTF-8");
  require(thinking || reply.reasoning.empty(), "direct mode has no reasoning");
  if (reply.calls.empty() || !can_be_written(reply)) return;
  std::vector<Segment> written;
  dsv4::llm::append_calls(written, reply.calls);
  const Reply again = dsv4::llm::parse_reply(dsv4::llm::join_text(written), false);
  require(!again.malformed && again.calls.size() == reply.calls.size(), "written calls are read");
  for (size_t i = 0; i < again.calls.size(); ++i) {
    require(again.calls[i].name == reply.calls[i].name, "the name survives");
    require(again.calls[i].arguments == reply.calls[i].arguments, "the arguments survive");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  check(dsv4::fuzz::text_of(data, size), false);
  check(dsv4::fuzz::text_of(data, size), true);
  return 0;
}
