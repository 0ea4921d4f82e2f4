// Any bytes as the body of a request: refused, or a prompt that begins as all do.

#include "llm/serve/chat_request.h"

#include "llm/call_guide.h"
#include "llm/serve/chat_prompt.h"
#include "llm/serve/refused.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace dsv4::llm;
  const std::string body(dsv4::fuzz::text_of(data, size));
  try {
    const serve::ChatRequest request = serve::parse_chat_request(body);
    for (const bool thinking : {false, true}) {
      std::vector<Segment> text;
      for (const serve::PromptPiece& piece : serve::chat_pieces(request, thinking)) {
        text.insert(text.end(), piece.text.begin(), piece.text.end());
      }
      dsv4::fuzz::require(join_text(text).starts_with(marker::kBegin), "prompts have a start");
    }
    CallGuide guide(serve::guide_schemas(request.tools), {});
    guide.begin_turn();
  } catch (const serve::Refused& error) {
    dsv4::fuzz::require(error.status() == 400, "what is wrong is the client's");
  }
  try {
    serve::parse_completion_request(body);
  } catch (const serve::Refused&) {
  }
  return 0;
}
