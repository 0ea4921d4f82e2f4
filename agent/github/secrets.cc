#include "agent/github/secrets.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "agent/github/base64.h"
#include "agent/printable.h"

namespace dsv4::agent::github {
namespace {

constexpr size_t kShortest = 8;

// The last words of names that say where a secret lies, and not what it is.
constexpr auto kPlaces = std::to_array<std::string_view>({"PATH", "FILE", "DIR", "COMMAND"});

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return out;
}

bool is_secret_word(std::string_view word) {
  constexpr auto kWords = std::to_array<std::string_view>(
      {"TOKEN", "SECRET", "SECRETS", "PASSWORD", "PASSWD", "PASSPHRASE", "PASS", "PAT", "KEY",
       "APIKEY", "CREDENTIAL", "CREDENTIALS"});
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

}  // namespace

bool names_a_secret(std::string_view name) {
  const std::string all = upper(name);
  std::string_view variable = all;
  const std::string_view last = variable.substr(variable.rfind('_') + 1);
  if (std::find(kPlaces.begin(), kPlaces.end(), last) != kPlaces.end()) return false;
  while (!variable.empty()) {
    const size_t end = std::min(variable.find_first_of("_-."), variable.size());
    if (is_secret_word(variable.substr(0, end))) return true;
    variable.remove_prefix(std::min(end + 1, variable.size()));
  }
  return false;
}

void Secrets::add(std::string_view value) {
  while (!value.empty()) {
    const size_t end = std::min(value.find_first_of("\r\n"), value.size());
    const std::string line(value.substr(0, end));
    value.remove_prefix(std::min(end + 1, value.size()));
    if (line.size() < kShortest) continue;
    const std::string quoted = nlohmann::json(to_utf8(line)).dump();
    forms_.push_back(line);
    forms_.push_back(quoted.substr(1, quoted.size() - 2));
    forms_.push_back(base64(line));
    forms_.push_back(base64("x-access-token:" + line));
  }
  std::sort(forms_.begin(), forms_.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
  forms_.erase(std::unique(forms_.begin(), forms_.end()), forms_.end());
}

std::string Secrets::redact(std::string_view text) const {
  std::string out(text);
  for (const std::string& form : forms_) {
    for (size_t at = out.find(form); at != std::string::npos; at = out.find(form, at + 3)) {
      out.replace(at, form.size(), "***");
    }
  }
  return out;
}

bool Secrets::are_in(std::string_view text) const {
  return std::any_of(forms_.begin(), forms_.end(), [&](const std::string& form) {
    return text.find(form) != std::string_view::npos;
  });
}

std::string plain_log_line(std::string line) {
  for (size_t at = line.find("##["); at != std::string::npos; at = line.find("##[", at)) {
    line.replace(at, 3, "## [");
  }
  const size_t first = line.find_first_not_of(" \t\r\v\f");
  if (first != std::string::npos && line.compare(first, 2, "::") == 0) line.insert(first, "\\");
  return line;
}

LogBuffer::~LogBuffer() {
  if (!held_.empty()) xsputn("\n", 1);
  out_.pubsync();
}

LogBuffer::int_type LogBuffer::overflow(int_type c) {
  if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
  const char byte = traits_type::to_char_type(c);
  return xsputn(&byte, 1) == 1 ? c : traits_type::eof();
}

std::streamsize LogBuffer::xsputn(const char* text, std::streamsize size) {
  held_.append(text, static_cast<size_t>(size));
  pass_lines();
  return size;
}

void LogBuffer::pass_lines() {
  for (size_t end = held_.find('\n'); end != std::string::npos; end = held_.find('\n')) {
    const std::string line = plain_log_line(secrets_.redact(held_.substr(0, end))) + "\n";
    out_.sputn(line.data(), static_cast<std::streamsize>(line.size()));
    held_.erase(0, end + 1);
  }
  out_.pubsync();
}

// A line that has not ended waits for its end: half a secret is not seen to be one.
int LogBuffer::sync() { return out_.pubsync(); }

}  // namespace dsv4::agent::github
