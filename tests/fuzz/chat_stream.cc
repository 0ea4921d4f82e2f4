// Any bytes as what a server of chat completions sends, whole and in pieces of every small size:
// always the same turn, whose text is valid UTF-8, and never an exception.

#include "llm/chat_stream.h"

#include "llm/utf8.h"
#include "tests/fuzz/target.h"

namespace {

using dsv4::fuzz::require;
using dsv4::llm::ChatStream;

// Everything that a client gets to see of the turn.
std::string heard(std::string_view bytes, size_t piece) {
  std::string streamed;
  ChatStream stream({[&](std::string_view text) { streamed += text; },
                     [&](std::string_view text) { streamed += text; }});
  for (size_t at = 0; at < bytes.size(); at += piece) stream.push(bytes.substr(at, piece));
  stream.finish();
  require(dsv4::llm::utf8_replace_broken(streamed) == streamed, "what is streamed is valid UTF-8");
  require(!stream.whole() || !stream.error(), "a turn that failed is not whole");
  std::string out = dsv4::llm::text_for_wire(dsv4::llm::to_wire(stream.message()));
  out += stream.finish_reason() + (stream.whole() ? " whole" : "");
  if (stream.error()) out += " error: " + stream.error()->message;
  return out + streamed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = dsv4::fuzz::text_of(data, size);
  const std::string whole = heard(bytes, size + 1);
  for (const size_t piece : {1u, 3u, 64u}) {
    require(heard(bytes, piece) == whole, "the cuts between pieces mean nothing");
  }
  return 0;
}
