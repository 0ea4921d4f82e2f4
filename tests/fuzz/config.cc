// Any bytes as a config.json: a ModelError or numbers that survive being written and read again.

#include "llm/config.h"

#include <nlohmann/json.hpp>

#include "llm/error.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace dsv4::llm;
  const auto json = nlohmann::json::parse(dsv4::fuzz::text_of(data, size), nullptr, false);
  if (json.is_discarded()) return 0;
  try {
    const Config config = parse_config(json, "config.json");
    dsv4::fuzz::require(parse_config(to_json(config), "config.json") == config,
                        "a config survives being written");
  } catch (const ModelError&) {
  }
  return 0;
}
