#include <stdio.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "agent/endpoint.h"
#include "agent/error.h"
#include "agent/printable.h"
#include "agent/taken_variable.h"

namespace dsv4::agent {
namespace {

constexpr size_t kLongestKey = 8 << 10;

// What may stand in a header.
std::string checked(std::string key, const std::string& from) {
  while (!key.empty() && std::strchr(" \t\r\n", key.back()) != nullptr) key.pop_back();
  const bool plain =
      std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (key.size() > kLongestKey || !plain) {
    throw UsageError(from + " gives no key: a key is one word of ASCII characters");
  }
  return key;
}

std::string output_of(const std::string& command) {
  const std::string shown = "the key command `" + printable_line(command, 100) + "`";
  FILE* const pipe = ::popen(command.c_str(), "re");
  if (pipe == nullptr) throw UsageError(shown + " cannot be run");
  std::string out;
  std::array<char, 4096> piece;
  for (size_t got = 1; got > 0;) {
    got = ::fread(piece.data(), 1, piece.size(), pipe);
    if (out.size() <= kLongestKey) out.append(piece.data(), got);
  }
  if (const int status = ::pclose(pipe); status != 0) {
    throw UsageError(shown + " failed: it must print the key and end with 0");
  }
  const std::string key = checked(std::move(out), shown);
  if (key.empty()) throw UsageError(shown + " printed nothing: it must print the key");
  return key;
}

}  // namespace

std::string take_key(const KeySource& source, bool for_endpoint) {
  const std::string value = checked(take_variable(source.variable).value_or(""), source.variable);
  if (!for_endpoint) return {};
  return source.command ? output_of(*source.command) : value;
}

}  // namespace dsv4::agent
