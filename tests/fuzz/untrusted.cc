// Any bytes as the text of an issue: what comes out is UTF-8 without invisible characters, and is
// the same when it is cleaned again.

#include "agent/github/untrusted.h"

#include "agent/github/invisible.h"
#include "agent/printable.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace dsv4::agent;
  const std::string once = github::clean_untrusted(dsv4::fuzz::text_of(data, size)).text;
  dsv4::fuzz::require(github::clean_untrusted(once).text == once, "a second time changes nothing");
  for (std::string_view rest = once; !rest.empty();) {
    const size_t length = utf8_length(rest);
    dsv4::fuzz::require(length > 0, "it is UTF-8");
    dsv4::fuzz::require(!github::is_invisible(utf8_code(rest, length)), "nothing is invisible");
    rest.remove_prefix(length);
  }
  return 0;
}
