#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

namespace dsv4::agent::github {

// What was taken out of a text.
struct Removed {
  size_t comments = 0;     // HTML comments, declarations and processing instructions
  size_t images = 0;       // texts behind images
  size_t titles = 0;       // titles of links
  size_t attributes = 0;   // HTML tags with attributes, or with a name that no element has
  size_t definitions = 0;  // link and footnote definitions that show nowhere
};

// One pass over Markdown that is not code. What a page shows stays: the text between tags and the
// text and address of links. What it hides goes. Where readers of Markdown might differ, text goes.
std::string without_hidden_html(std::string_view text, Removed* removed);
struct MarkdownContext {
  std::string_view whole;        // the text that this is a part of
  std::set<std::string> labels;  // of its definitions: they make ![label] an image
};
std::string without_hidden_markdown(std::string_view text, const MarkdownContext& context,
                                    Removed* removed);

// The labels that a part of a text defines.
void find_labels(std::string_view text, std::set<std::string>* labels);

}  // namespace dsv4::agent::github
