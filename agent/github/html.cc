#include <algorithm>
#include <array>
#include <optional>

#include "agent/github/markup.h"

namespace dsv4::agent::github {
namespace {

constexpr size_t npos = std::string_view::npos;
constexpr size_t kLongestName = 16;

// Elements that browsers know, but for those of one letter: `a <b && c> d` is more often
// arithmetic.
constexpr auto kElements = std::to_array<std::string_view>(
    {"abbr",     "acronym",  "address",  "area",       "article",  "aside",    "audio",
     "base",     "basefont", "bdi",      "bdo",        "big",      "blink",    "blockquote",
     "body",     "br",       "button",   "canvas",     "caption",  "center",   "cite",
     "code",     "col",      "colgroup", "data",       "datalist", "dd",       "del",
     "details",  "dfn",      "dialog",   "dir",        "div",      "dl",       "dt",
     "em",       "embed",    "fieldset", "figcaption", "figure",   "font",     "footer",
     "form",     "frame",    "frameset", "h1",         "h2",       "h3",       "h4",
     "h5",       "h6",       "head",     "header",     "hr",       "html",     "iframe",
     "img",      "input",    "ins",      "kbd",        "label",    "legend",   "li",
     "link",     "main",     "map",      "mark",       "math",     "menu",     "meta",
     "meter",    "nav",      "noscript", "object",     "ol",       "optgroup", "option",
     "picture",  "pre",      "progress", "ruby",       "samp",     "script",   "section",
     "select",   "small",    "source",   "span",       "strong",   "style",    "sub",
     "summary",  "sup",      "svg",      "table",      "tbody",    "td",       "template",
     "textarea", "title",    "video"});

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n'; }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

size_t after(std::string_view text, std::string_view what, size_t from) {
  const size_t at = text.find(what, from);
  return at == npos ? npos : at + what.size();
}

// The end of what begins at text[0] with "<!" or "<?" and is never shown; at its latest, the end of
// the text, as a browser has it with a comment that does not end.
size_t hidden_end(std::string_view text) {
  if (text.starts_with("<!--")) {
    if (text.starts_with("<!-->")) return 5;
    if (text.starts_with("<!--->")) return 6;
    return std::min(after(text, "-->", 4), text.size());
  }
  const std::string_view close = text.starts_with("<?")          ? "?>"
                                 : text.starts_with("<![CDATA[") ? "]]>"
                                                                 : ">";
  const size_t end = after(text, close, 2);
  return std::min(end != npos ? end : after(text, ">", 2), text.size());
}

size_t skip_space(std::string_view text, size_t at) {
  while (at < text.size() && is_space(text[at])) ++at;
  return at;
}

// The end of a tag by CommonMark's grammar, from the end of its name on; npos when it is none.
size_t strict_end(std::string_view text, size_t at) {
  for (;;) {
    const size_t next = skip_space(text, at);
    if (next >= text.size()) return npos;
    if (text[next] == '>') return next + 1;
    if (text.substr(next, 2) == "/>") return next + 2;
    const bool name = is_letter(text[next]) || text[next] == '_' || text[next] == ':';
    if (next == at || !name) return npos;
    at = next;
    while (at < text.size() && (is_letter(text[at]) || is_digit(text[at]) ||
                                std::string_view("_.:-").find(text[at]) != npos)) {
      ++at;
    }
    const size_t equals = skip_space(text, at);
    if (equals >= text.size() || text[equals] != '=') continue;
    const size_t value = skip_space(text, equals + 1);
    if (value >= text.size()) return npos;
    if (text[value] == '"' || text[value] == '\'') {
      at = after(text, text.substr(value, 1), value + 1);
      if (at == npos) return npos;
    } else {
      at = std::min(text.find_first_of(" \t\n\"'=<>`", value), text.size());
      if (at == value) return npos;
    }
  }
}

// The end of a tag as browsers read one, whatever is in it: the next ">" that is not in a value's
// quotes; without one, the end of the paragraph.
size_t browser_end(std::string_view text, size_t at) {
  char quote = 0;
  for (size_t i = at; i < text.size(); ++i) {
    if (quote != 0) {
      if (text[i] == quote) quote = 0;
    } else if (text[i] == '>') {
      return i + 1;
    } else if ((text[i] == '"' || text[i] == '\'') && i > 0 && text[i - 1] == '=') {
      quote = text[i];
    }
  }
  return std::min(text.find("\n\n", at), text.size());
}

struct Tag {
  size_t end = 0;
  std::string shown;
  bool changed = false;
};

// The tag that begins at text[0] == '<', and what is left of it.
std::optional<Tag> read_tag(std::string_view text) {
  const bool closing = text.substr(0, 2) == "</";
  const size_t begin = closing ? 2 : 1;
  if (begin >= text.size() || !is_letter(text[begin])) return std::nullopt;
  size_t at = begin;
  while (at < text.size() && (is_letter(text[at]) || is_digit(text[at]) || text[at] == '-')) ++at;
  const std::string_view name = text.substr(begin, at - begin);
  const std::string known = lower(name);
  const bool element = std::find(kElements.begin(), kElements.end(), known) != kElements.end();
  const bool bounded =
      at < text.size() && (is_space(text[at]) || text[at] == '/' || text[at] == '>');
  if (!bounded) return std::nullopt;
  size_t end = strict_end(text, at);
  if (end == npos && element) end = browser_end(text, at);
  if (end == npos) return std::nullopt;
  if (known == "img" || known == "image") return Tag{end, "[image]", true};
  const std::string_view inside = text.substr(at, end - at);
  const bool attributes = inside.find_first_not_of(" \t\n/>") != npos;
  const bool odd = !element && (name.size() > kLongestName || name.find('-') != npos);
  if (odd) return Tag{end, "", true};
  if (!attributes && text[end - 1] == '>') return Tag{end, std::string(text.substr(0, end)), false};
  return Tag{end, "<" + std::string(closing ? "/" : "") + std::string(name) + ">", true};
}

}  // namespace

std::string without_hidden_html(std::string_view text, Removed* removed) {
  std::string out;
  while (!text.empty()) {
    const size_t open = std::min(text.find('<'), text.size());
    out += text.substr(0, open);
    text.remove_prefix(open);
    if (text.empty()) break;
    if (text.starts_with("<!--") || text.starts_with("<?") ||
        (text.starts_with("<!") && text.size() > 2 && (is_letter(text[2]) || text[2] == '['))) {
      text.remove_prefix(hidden_end(text));
      ++removed->comments;
    } else if (const auto tag = read_tag(text)) {
      out += tag->shown;
      text.remove_prefix(tag->end);
      if (tag->changed) ++(tag->shown == "[image]" ? removed->images : removed->attributes);
    } else {
      out += '<';
      text.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace dsv4::agent::github
