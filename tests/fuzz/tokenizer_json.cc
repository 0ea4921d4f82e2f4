// Any bytes as a tokenizer.json: a ModelError or a tokenizer that gives every text back.

#include "llm/error.h"
#include "llm/tokenizer.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using dsv4::llm::Tokenizer;
  constexpr std::string_view kText = "def f(x):\n  return x+1234 # <｜User｜> 中文\xFF\xE4";
  try {
    const Tokenizer tokenizer = Tokenizer::parse(dsv4::fuzz::text_of(data, size));
    const auto ids = tokenizer.encode_data(kText);
    for (const int32_t id : ids) {
      dsv4::fuzz::require(id >= 0 && id < tokenizer.size(), "ids are in the vocabulary");
    }
    dsv4::fuzz::require(tokenizer.decode(ids).size() <= 2 * kText.size(), "text does not grow");
  } catch (const dsv4::llm::ModelError&) {
  }
  return 0;
}
