// Any bytes as a file of messages: a FormatError or a prompt, in both modes.

#include "llm/encoding.h"
#include "llm/encoding_json.h"
#include "llm/error.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace dsv4::llm;
  for (const bool thinking : {false, true}) {
    EncodeOptions options;
    options.thinking = thinking;
    options.effort = Effort::kMax;
    try {
      const auto json = parse_foreign_json(dsv4::fuzz::text_of(data, size), "messages");
      const auto segments = encode_messages(json, options);
      dsv4::fuzz::require(join_text(segments).starts_with(marker::kBegin), "prompts have a start");
    } catch (const FormatError&) {
    }
  }
  return 0;
}
