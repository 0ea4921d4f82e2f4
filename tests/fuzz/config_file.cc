// Any bytes as a configuration, the user's and a repository's: read, or refused with a UsageError.

#include "agent/config_file.h"

#include "agent/error.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = dsv4::fuzz::text_of(data, size);
  try {
    dsv4::agent::parse_user_config(text, "config.toml");
  } catch (const dsv4::agent::UsageError&) {
  }
  try {
    const auto config = dsv4::agent::parse_repository_config(text, ".dsv4-agent.toml");
    dsv4::fuzz::require(!config.fix.time_limit && !config.fix.approve,
                        "a repository says nothing of these");
  } catch (const dsv4::agent::UsageError&) {
  }
  return 0;
}
