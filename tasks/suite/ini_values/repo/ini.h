#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

class IniError : public std::runtime_error {
 public:
  IniError(int line, const std::string& what)
      : std::runtime_error("line " + std::to_string(line) + ": " + what) {}
};

// "section.key" -> value; keys before the first section have no "section.".
using Ini = std::map<std::string, std::string>;

// Throws IniError, which names the line.
Ini parse_ini(std::string_view text);
