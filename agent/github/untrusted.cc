#include "agent/github/untrusted.h"

#include <algorithm>

#include "agent/github/code_blocks.h"
#include "agent/github/invisible.h"
#include "agent/github/markup.h"
#include "agent/printable.h"

namespace dsv4::agent::github {
namespace {

// What is taken out can bring together what it stood between, so it is done until nothing is left
// to do.
constexpr int kMostRounds = 50;

class Rounds {
 public:
  std::string next(std::string_view text, bool with_code) {
    const std::vector<Block> blocks =
        with_code ? split_at_code(text) : std::vector<Block>{{text, false}};
    std::vector<std::string> parts;
    for (const Block& block : blocks) {
      parts.push_back(block.code ? std::string(block.text)
                                 : without_hidden_html(block.text, &removed));
      if (!block.code) find_labels(parts.back(), &context_.labels);
    }
    context_.whole = text;
    std::string out;
    for (size_t i = 0; i < blocks.size(); ++i) {
      out += blocks[i].code ? parts[i] : without_hidden_markdown(parts[i], context_, &removed);
    }
    return out;
  }

  Removed removed;

 private:
  MarkdownContext context_;  // labels of earlier rounds stay known
};

void say(size_t count, const char* one, const char* many, std::vector<std::string>* out) {
  if (count > 0) out->push_back(std::to_string(count) + " " + (count == 1 ? one : many));
}

std::string_view cut(std::string_view text) {
  if (text.size() <= kLongestUntrusted) return text;
  size_t end = kLongestUntrusted;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace

Cleaned clean_untrusted(std::string_view text) {
  const std::string_view kept = cut(text);
  const WithoutInvisible visible = without_invisible(kept);
  Rounds rounds;
  Cleaned out;
  out.text = visible.text;
  size_t invisible = visible.characters;
  for (int round = 0;; ++round) {
    const std::string next = rounds.next(out.text, !visible.in_fences && round < kMostRounds);
    const WithoutInvisible again = without_invisible(next);
    invisible += again.characters;
    if (again.text == out.text) break;
    out.text = again.text;
    // Nested this deep only by somebody who means it.
    if (round >= kMostRounds) std::erase_if(out.text, [](char c) { return c == '<' || c == '['; });
  }
  const Removed& removed = rounds.removed;
  say(invisible, "invisible character", "invisible characters", &out.removed);
  say(removed.comments, "HTML comment", "HTML comments", &out.removed);
  say(removed.images, "text behind an image", "texts behind images", &out.removed);
  say(removed.titles, "title of a link", "titles of links", &out.removed);
  say(removed.attributes, "HTML tag's attributes", "HTML tags' attributes", &out.removed);
  say(removed.definitions, "definition", "definitions", &out.removed);
  if (kept.size() < text.size()) out.removed.emplace_back("all after the first 256 KiB");
  return out;
}

Cleaned clean_title(std::string_view text) {
  Cleaned out = clean_untrusted(text);
  std::replace(out.text.begin(), out.text.end(), '\n', ' ');
  const size_t first = out.text.find_first_not_of(" \t#>*-+`");
  out.text = first == std::string::npos ? "" : printable_line(out.text.substr(first), 256);
  const size_t last = out.text.find_last_not_of(" \t");
  out.text.resize(last == std::string::npos ? 0 : last + 1);
  return out;
}

}  // namespace dsv4::agent::github
