// Any bytes as an issue: parsed, or refused with a UsageError. The body is the end of what was
// given.

#include "agent/front_matter.h"

#include "agent/error.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = dsv4::fuzz::text_of(data, size);
  try {
    const dsv4::agent::ParsedIssue issue = dsv4::agent::parse_front_matter(text);
    dsv4::fuzz::require(text.ends_with(issue.body), "the body is the end of the text");
  } catch (const dsv4::agent::UsageError&) {
  }
  return 0;
}
