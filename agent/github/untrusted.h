#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dsv4::agent::github {

// Text that anybody may have written, made to say no more than its page shows.
struct Cleaned {
  std::string text;
  std::vector<std::string> removed;  // "2 HTML comments", for people; empty when it was clean
};

inline constexpr size_t kLongestUntrusted = 256 << 10;  // bytes; what follows is left out

// Takes out of Markdown what a page does not show, so that a person who allows a run has read what
// the model will read: invisible and bidirectional characters, HTML comments, texts behind images,
// titles of links, attributes of HTML tags, definitions that show nowhere. What folds away
// (<details>) can be read, and stays. Fenced code blocks stay as they are, but for invisible
// characters. The same text comes back from a second time. A pure function of any bytes.
Cleaned clean_untrusted(std::string_view text);

// The same for a title: one line of at most 256 characters, without Markdown's marks at its front.
Cleaned clean_title(std::string_view text);

}  // namespace dsv4::agent::github
