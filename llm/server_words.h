#pragma once

#include <string>
#include <string_view>

namespace dsv4::llm {

struct WireError;

// What servers of chat completions, and the programs in front of them, say when they do not answer.

// What the body of an error says, on one line and not too long; "it does not say why" where it is
// empty. A page of HTML is told by its title.
std::string said_in(const std::string& body);

// What came in place of a chat completion, of which `front` is the beginning, as part of a
// sentence: "a page of HTML: 502 Bad Gateway", "bytes compressed with gzip, which nobody asked
// for", "a text: no healthy upstream".
std::string what_came(std::string_view front);

// Whether trying again can help.
bool may_pass(const WireError& error);

// Whether a refusal is about a conversation that is too long, or about calls that the server cannot
// stream.
bool speaks_of_length(std::string_view text);
bool speaks_of_streaming(std::string_view text);

}  // namespace dsv4::llm
