#include "llm/server_words.h"

#include <algorithm>
#include <optional>

#include "llm/chat_wire.h"
#include "llm/utf8.h"

namespace dsv4::llm {
namespace {

constexpr size_t kShown = 400;  // bytes of what a server says
constexpr size_t kShownPage = 120;

bool any_in(std::string_view text, std::initializer_list<std::string_view> signs) {
  return std::any_of(signs.begin(), signs.end(), [&](std::string_view sign) {
    return text.find(sign) != std::string_view::npos;
  });
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// On one line, without blanks in a row or at the ends.
std::string on_one_line(std::string_view text, size_t most) {
  std::string out;
  for (const char c : utf8_replace_broken(text.substr(0, most))) {
    const bool blank = static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
    if (!blank) out += c;
    if (blank && !out.empty() && out.back() != ' ') out += ' ';
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

// The text of the first element of that name.
std::string element(std::string_view page, const std::string& low, const std::string& name) {
  const size_t tag = low.find('<' + name);
  const size_t begin = tag == std::string::npos ? tag : low.find('>', tag);
  if (begin == std::string::npos) return {};
  const size_t end = low.find('<', begin);
  return on_one_line(page.substr(begin + 1, end == std::string::npos ? end : end - begin - 1),
                     kShownPage);
}

// Nothing where it is no HTML; empty where the page has neither title nor heading.
std::optional<std::string> title_of_page(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  if (first == std::string_view::npos || text[first] != '<') return std::nullopt;
  const std::string low = lower(text);
  if (!any_in(low, {"<!doctype html", "<html", "<head", "<body", "<title", "<h1"})) {
    return std::nullopt;
  }
  const std::string title = element(text, low, "title");
  return title.empty() ? element(text, low, "h1") : title;
}

bool is_text(std::string_view bytes) {
  return std::none_of(bytes.begin(), bytes.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 && c != '\t' && c != '\n' && c != '\r';
  });
}

}  // namespace

std::string said_in(const std::string& body) {
  if (const auto title = title_of_page(body); title && !title->empty()) return *title;
  const auto json = json_from_wire(body);
  const auto error = json ? error_from_wire(*json) : std::nullopt;
  std::string text = error && !error->message.empty() ? error->message : body;
  if (json && !error && json->is_object() && json->contains("detail")) {
    text = text_for_wire(json->at("detail"));
  }
  if (!is_text(text)) return what_came(text);
  text = on_one_line(text, kShown);
  return text.empty() ? "it does not say why" : text;
}

std::string what_came(std::string_view front) {
  constexpr const char* kUnasked = ", which nobody asked for";
  if (front.starts_with("\x1f\x8b")) return std::string("bytes compressed with gzip") + kUnasked;
  if (front.starts_with("\x28\xb5\x2f\xfd")) {
    return std::string("bytes compressed with zstd") + kUnasked;
  }
  if (!is_text(front)) return "bytes that are no text";
  if (const auto title = title_of_page(front)) {
    return title->empty() ? "a page of HTML" : "a page of HTML: " + *title;
  }
  const std::string text = on_one_line(front, kShownPage);
  return text.empty() ? "nothing" : "a text: " + text;
}

bool may_pass(const WireError& error) {
  return error.code < 400 || error.code == 408 || error.code == 429 || error.code >= 500;
}

bool speaks_of_length(std::string_view text) {
  return any_in(text, {"context_length_exceeded", "exceed_context_size", "maximum context length",
                       "context length", "context size", "context window", "maximum model length",
                       "max_model_len"});
}

bool speaks_of_streaming(std::string_view text) {
  const std::string low = lower(text);
  return any_in(low, {"stream"}) && any_in(low, {"tool", "function"});
}

}  // namespace dsv4::llm
